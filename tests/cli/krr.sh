#!/usr/bin/env bash
# Kernel ridge regression as a user meets it: the same numbers on any number of ranks, labels that are classes and
# targets, folds, a run, what is refused.
# shellcheck source=common.sh
# shellcheck disable=SC2317,SC2016 # functions that pool runs; words of awk
. "$(dirname "$0")/common.sh"

# 60 samples with labels 0 and 1 that depend on the first two of four features
awk 'BEGIN {
  x = 1
  for (i = 0; i < 60; i++) {
    line = ""; s = 0
    for (k = 0; k < 4; k++) {
      x = (x * 16807) % 2147483647
      v = 10 * x / 2147483647
      line = line "," v
      if (k < 2) s += (v - 5) ^ 2
    }
    print (s < 17) line
  }
}' >bowl.csv
labels=(-blp_type krr -blp_data bowl.csv -data_label 1 -data_scale standard -quiet)
made=(-blp_type krr -blp_data synthetic -blp_synthetic_n 23 -blp_synthetic_nval 17 -blp_synthetic_p 3 -quiet)
short=(-lls_max_it 25 -lls_fpm_step optimal -blp_lambda -1)

field() { awk -v name="$1" '$1 == name { print $3 }'; } # of the program's output: objective, hypergradient

# same NAME OPTIONS...: the same hypergradient on 1, 2, 3 and 7 ranks
same() {
  local name=$1 ranks norm first=
  shift
  for ranks in 0 2 3 7; do
    norm=$(launch "$ranks" hypergrad "${short[@]}" "$@" | field hypergradient)
    first=${first:-$norm}
    check "$name: norm $norm on $ranks ranks, $first on one" \
      awk -v a="$norm" -v b="$first" 'BEGIN { exit !(a > 0 && (a - b) ^ 2 <= (1e-11 * b) ^ 2) }'
  done
}
pool same labels "${labels[@]}" -hg_ksp_rtol 0 -hg_ksp_max_it 15
pool same itd "${made[@]}" -hg_type itd -lls_fpm_type heavyball
pool same folds "${labels[@]}" -blp_folds 3 -hg_ksp_rtol 1e-10
pool same raw "${made[@]}" -blp_krr_parameters raw -blp_lambda 0.3 -hg_ksp_rtol 0 -hg_ksp_max_it 6 # later ones magnify rounding

# raw and exp at matching points have the same objective; constants are told, and the error is bounded
told() {
  local out raw
  out=$(launch 2 hypergrad "${made[@]}" -lls_max_it 400 -lls_rtol 1e-13 -lls_fpm_step optimal -blp_lambda 0 \
    -hg_certificate bound -blp_view) || fail "hypergrad"
  raw=$(launch 1 hypergrad "${made[@]}" -lls_max_it 400 -lls_rtol 1e-13 -lls_fpm_step optimal -blp_lambda 1 \
    -blp_krr_parameters raw) || fail "hypergrad, raw"
  check "raw and exp: $(field objective <<<"$out"), $(field objective <<<"$raw")" awk \
    -v a="$(field objective <<<"$out")" -v b="$(field objective <<<"$raw")" \
    'BEGIN { exit !(a > 0 && (a - b) ^ 2 <= (1e-12 * b) ^ 2) }'
  check "the view: $out" grep -q 'lambda: logarithms of beta and gamma' <<<"$out"
  check "no certificate: $out" grep -qE '^error certificate .*proved' <<<"$out"
  check "mu is not beta: $out" grep -q ' and mu 1, proved' <<<"$out"
}
pool told

# a run learns which features count: it is right on most test samples, more than without learning
learns() {
  launch 2 solve "${labels[@]}" -lls_max_it 300 -lls_rtol 1e-8 -lls_fpm_type heavyball -lls_fpm_step optimal \
    -hg_ksp_rtol 1e-8 -uls_max_it 60 -uls_step 0.3 -blp_lambda -1 -output_dir run >log/run 2>&1 || fail "solve" log/run
  check "no test accuracy" grep -q '"accuracy": [01]' run/summary.json
  check "no accuracy in the history" awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "test_accuracy") c = i }
    $c > 0 { some = 1 } END { exit !some }' run/history.csv
  awk -F, 'NR == 2 { first = $2 } NR > 1 { last = $2 } END { exit !(last > 0 && last < 0.8 * first) }' run/history.csv ||
    fail "the objective does not fall" run/history.csv
}
pool learns

# real targets have no accuracy: none is told
regression() {
  launch 2 solve "${made[@]}" "${short[@]}" -blp_synthetic_ntest 9 -uls_max_it 3 -uls_step 0.01 -output_dir made \
    >log/made 2>&1 || fail "solve" log/made
  check "a nan is told" test "$(grep -ci nan log/made made/history.csv made/summary.json | grep -cv ':0$')" = 0
  check "no test loss" grep -q '"loss": [0-9]' made/summary.json
}
pool regression

# the model of a run, which has its training samples, predicts others
sed -n '1,30p' bowl.csv >train.csv
sed -n '31,45p' bowl.csv >val.csv
sed -n '46,60p' bowl.csv >test.csv
files=(-blp_type krr -blp_train train.csv -blp_val val.csv -data_label 1 -quiet -lls_max_it 30 -lls_fpm_step optimal
  -uls_step 1e-3 -uls_max_it 2)
pool predicts exp test.csv "${files[@]}" -data_scale standard
pool predicts raw test.csv "${files[@]}" -blp_krr_parameters raw
pool predicts tied test.csv "${files[@]}" -blp_lambda_tie scalar -blp_lambda -1
wait

# coverage: off
pool refused 2 64 "-blp_krr_parameters raw: entry 0 of lambda, beta, is 0|use -blp_krr_parameters exp" \
  hypergrad "${made[@]}" -blp_krr_parameters raw -blp_lambda 0
pool refused 0 64 "entry 0 of lambda, beta, is -1" hypergrad "${made[@]}" -blp_krr_parameters raw -blp_lambda -1
pool refused 0 64 "-blp_krr_parameters|cubic|raw" hypergrad "${made[@]}" -blp_krr_parameters cubic
# coverage: on
wait
finish
