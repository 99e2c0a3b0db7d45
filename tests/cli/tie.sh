#!/usr/bin/env bash
# Tied hyperparameters as a user meets them: sizes, starting points, run directory, view, and what is refused.
# shellcheck source=common.sh
# shellcheck disable=SC2317 # functions that pool runs
. "$(dirname "$0")/common.sh"

samples 30 1 >train.svm # 8 features, 3 classes
samples 30 2 >val.svm
data=(-blp_train train.svm -blp_val val.svm)
one=(hypergrad "${data[@]}" -quiet -lls_max_it 4 -hg_ksp_rtol 0 -hg_ksp_max_it 3)
declare -A size=([own]=8 [feature]=8 [class]=3 [weight]=24 [scalar]=1)

field() { awk -v name="$1" '$1 == name { print $3 }'; } # of the program's output: objective, hypergradient

# sizes TIE: of the hypergradient on 1, 2 and 7 ranks, which are the same numbers, and in the view
sizes() {
  local tie=$1 ranks out norm first=
  for ranks in 0 2 7; do
    out=$(launch "$ranks" "${one[@]}" -blp_lambda_tie "$tie" -blp_lambda 0.5 -blp_view) || fail "$tie on $ranks ranks"
    check "$tie: not ${size[$tie]} entries" grep -q "entries  *${size[$tie]}," <<<"$out"
    check "$tie: not in the view" grep -q "^  lambda: ${size[$tie]} entries, tie $tie$" <<<"$out"
    norm=$(field hypergradient <<<"$out")
    first=${first:-$norm}
    check "$tie: norm $norm on $ranks ranks, $first on one" \
      awk -v a="$norm" -v b="$first" 'BEGIN { exit !(a > 0 && (a - b) ^ 2 <= (1e-11 * b) ^ 2) }'
  done
}
for tie in "${!size[@]}"; do pool sizes "$tie"; done

# file TIE: as many numbers as theta has are taken, one more or less is refused with both counts
file() {
  local tie=$1 n=${size[$1]}
  seq "$n" >"right.$tie.txt"
  seq 0 "$n" >"long.$tie.txt"
  accepted 2 "${one[@]}" -blp_lambda_tie "$tie" -blp_lambda_file "right.$tie.txt"
  refused 2 65 "long.$tie.txt|$((n + 1)) numbers|$n entries" "${one[@]}" -blp_lambda_tie "$tie" \
    -blp_lambda_file "long.$tie.txt"
  if [ "$n" -gt 1 ]; then
    seq 2 "$n" >"short.$tie.txt"
    refused 0 65 "short.$tie.txt|$((n - 1)) numbers|$n entries" "${one[@]}" -blp_lambda_tie "$tie" \
      -blp_lambda_file "short.$tie.txt"
  fi
}
for tie in "${!size[@]}"; do pool file "$tie"; done

# run TIE: 4 upper steps are 2, and 2 more; the solution starts a hypergradient; another tie does not go on with it
run() {
  local tie=$1 how=("${data[@]}" -quiet -lls_max_it 4 -uls_step 3 -uls_momentum 0.5 -blp_lambda_tie "$1") f
  launch 2 solve "${how[@]}" -uls_max_it 4 -output_dir "$tie" >/dev/null || fail "$tie: solve"
  launch 2 solve "${how[@]}" -uls_max_it 2 -output_dir "$tie.part" >/dev/null || fail "$tie: solve to step 2"
  launch 2 solve "${how[@]}" -uls_max_it 4 -output_dir "$tie.part" -resume >/dev/null || fail "$tie: -resume"
  check "$tie: resumed, the history is another" cmp -s <(cut -d, -f1-10 "$tie/history.csv") \
    <(cut -d, -f1-10 "$tie.part/history.csv")
  check "$tie: summary.json does not have ${size[$tie]} entries" grep -q "\"nlambda\": ${size[$tie]}," "$tie/summary.json"
  f=$(launch 0 "${one[@]}" -blp_lambda_tie "$tie" -blp_lambda_file "$tie/solution.h5" | field objective)
  echo >>log/checks
  awk -F, -v f="$f" 'END { exit !(f != "" && (f - $2) ^ 2 <= (1e-12 * f) ^ 2) }' "$tie/history.csv" ||
    fail "$tie: f at solution.h5 is $f" "$tie/history.csv"
}
for tie in "${!size[@]}"; do pool run "$tie"; done

# penalty TIE: f grows by rho/2 n V^2
penalty() {
  local tie=$1 f f0 at=(-blp_lambda_tie "$1" -blp_lambda -0.5)
  f0=$(launch 0 "${one[@]}" "${at[@]}" | field objective)
  f=$(launch 0 "${one[@]}" "${at[@]}" -blp_upper_l2 0.2 -blp_view | tee "log/penalty.$tie" | field objective)
  check "$tie: f $f with the penalty, $f0 without" awk -v f="$f" -v f0="$f0" -v n="${size[$tie]}" \
    'BEGIN { d = f - f0 - 0.1 * n * 0.25; exit !(f0 > 0 && d * d < 1e-24) }'
  check "$tie: the view lacks the penalty" grep -q 'upper objective .* rho 0.2' "log/penalty.$tie"
}
for tie in "${!size[@]}"; do pool penalty "$tie"; done

# coverage: off
while IFS=@ read -r options words; do
  # shellcheck disable=SC2086 # options and their values
  pool refused 0 64 "$words" "${one[@]}" $options
done <<'END'
-blp_lambda_tie calss@-blp_lambda_tie|calss|own feature class weight scalar
-blp_lambda_tie@-blp_lambda_tie needs a value
-blp_lambda_tye class@unknown option -blp_lambda_tye;|-blp_lambda_tie
-blp_upper_l2 -1@-blp_upper_l2 -1|not negative
-blp_upper_l2 inf@-blp_upper_l2 inf|finite
-blp_upper_l2 nan@-blp_upper_l2 nan|finite
-blp_upper_l2 much@-blp_upper_l2 much|a number
END
# coverage: on
pool refused 3 64 "-blp_lambda_tie|calss" "${one[@]}" -blp_lambda_tie calss
wait
pool refused 2 64 "-blp_lambda_tie class|weight/checkpoint/step-|run with weight" solve "${data[@]}" -quiet -lls_max_it 4 -uls_max_it 6 -blp_lambda_tie class \
  -output_dir weight -resume
finish
