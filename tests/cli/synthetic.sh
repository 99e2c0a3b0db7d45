#!/usr/bin/env bash
# Synthetic samples and the problems made for them, from the command line: the same numbers on any number of ranks,
# runs and models on real data, what is refused.
# shellcheck source=common.sh
# shellcheck disable=SC2016,SC2317 # $ of awk, functions that pool runs
. "$(dirname "$0")/common.sh"

sizes=(-blp_data synthetic -blp_synthetic_n 41 -blp_synthetic_nval 30 -blp_synthetic_ntest 20 -blp_synthetic_p 7)
logistic=(-blp_type logistic "${sizes[@]}" -blp_synthetic_noise 0.5 -blp_seed 3 -blp_lambda 2)
regression=(-blp_type biasedreg "${sizes[@]}" -blp_biasedreg_beta 3 -blp_lambda 0.1)
text=(-blp_data synthetic_text -blp_synthetic_n 60 -blp_synthetic_nval 40 -blp_synthetic_ntest 20 -blp_synthetic_p 300
  -blp_synthetic_classes 4 -blp_synthetic_length 30 -blp_synthetic_zipf 0.9 -blp_synthetic_topic 0.2 -blp_seed 3 -blp_lambda -2)
solver=(-lls_fpm_step optimal -lls_max_it 500 -lls_rtol 1e-12 -hg_ksp_rtol 1e-12)
value() { awk -v key="$1" '{ k = $0; sub(/  .*/, "", k) } k == key { print $NF }' "$2"; } # the last word of a line
close() { awk -v a="$1" -v b="$2" -v tol="$3" 'BEGIN { exit !(a != "" && (a - b) ^ 2 <= (tol * b) ^ 2) }'; }

# ------------------------------------------------------------------ any number of ranks
one() { # NAME RANKS OPTIONS...
  local name=$1 ranks=$2
  shift 2
  launch "$ranks" hypergrad "$@" "${solver[@]}" -hg_view_gradient "binary:$name$ranks.bin" >"$name$ranks" 2>log/err."$name$ranks" ||
    fail "$name on $ranks ranks: exit code $?" log/err."$name$ranks"
  launch "$ranks" solve "$@" "${solver[@]}" -uls_step 0.02 -uls_max_it 3 -output_dir "$name.run$ranks" -quiet \
    >log/out."$name$ranks" 2>&1 || fail "$name: solve on $ranks ranks: exit code $?" log/out."$name$ranks"
}
alike() { # NAME RANKS: as on one rank
  check "$1: f on $2 ranks" close "$(value 'objective f' "$1$2")" "$(value 'objective f' "$1"0)" 1e-11
  check "$1: the gradient on $2 ranks" \
    awk -v d="$("$helpers/vecdiff" "$1$2.bin" "$1"0.bin)" 'BEGIN { exit !(d != "" && d < 1e-9) }'
  check "$1: solve on $2 ranks" close "$(tail -n 1 "$1.run$2/history.csv" | cut -d, -f2)" \
    "$(tail -n 1 "$1.run0/history.csv" | cut -d, -f2)" 1e-9
  check "$1: solve on $2 ranks does not move" test "$(cut -d, -f2 "$1.run$2/history.csv" | sort -u | wc -l)" = 5
}
for ranks in 0 2 3; do
  pool one biasedreg $ranks "${regression[@]}"
  pool one logistic $ranks "${logistic[@]}"
  pool one text $ranks "${text[@]}"
  pool one folds $ranks "${logistic[@]:0:4}" -blp_synthetic_n 40 -blp_synthetic_p 6 -blp_folds 4 -blp_stratified -blp_lambda 2
done
wait
for ranks in 2 3; do
  alike biasedreg $ranks
  alike logistic $ranks
  alike text $ranks
  alike folds $ranks
done

# ------------------------------------------------------------------ real data, and a model of them
samples 80 1 | awk '$1 != 1' >train.svm # labels 0 and 2
samples 60 2 | awk '$1 != 1' >val.svm
real() {
  launch 2 solve -blp_type logistic -blp_train train.svm -blp_val val.svm -blp_test val.svm "${solver[@]}" \
    -uls_step 0.05 -uls_max_it 8 -output_dir real -quiet >log/out.real 2>&1 || fail "real data: exit code $?" log/out.real
  check "f does not fall" awk -F, 'NR == 2 { first = $2 } END { exit !($2 < 0.99 * first) }' real/history.csv
  launch 3 predict -predict_model real/solution.h5 -data_input val.svm -predict_output p.csv -predict_probabilities \
    >predicted 2>log/err.predict || fail "predict: exit code $?" log/err.predict
  check "predict: accuracy" close "$(awk '$1 == "accuracy" { print $2 }' predicted)" \
    "$(tail -n 1 real/history.csv | cut -d, -f6)" 1e-6
  check "predict: labels of the data" test "$(cut -d, -f1 p.csv | sort -u | tr '\n' ' ')" = "0 2 label "
  check "predict: probabilities" awk -F, 'NR > 1 && (($2 + $3 - 1) ^ 2 > 1e-16 || ($2 > $3) != ($1 == 0)) { exit 1 }' p.csv
}
pool real

# a run that names no lambda starts from 1, over folds too; solve does so above
starts() {
  local made=(-blp_type logistic -blp_data synthetic -blp_synthetic_n 24 -blp_synthetic_p 5 -lls_max_it 9) folds own named
  for folds in 0 3; do
    own=$(launch 0 hypergrad "${made[@]}" -blp_folds "$folds" -quiet | sed -n 's/^hypergradient norm *//p')
    named=$(launch 0 hypergrad "${made[@]}" -blp_folds "$folds" -quiet -blp_lambda 1 | sed -n 's/^hypergradient norm *//p')
    check "start over $folds folds: $own, not $named" test -n "$own" -a "$own" = "$named"
  done
  launch 0 contraction -blp_type logistic "${sizes[@]}" -quiet >told 2>&1 || fail "contraction from the start" told
}
pool starts

# targets: y = x_1 - 2 x_2, in CSV; no accuracy anywhere
table() { awk -v n="$1" -v x="$2" 'function r() { x = (x * 16807) % 2147483647; return x / 2147483647 }
  BEGIN { print "a,b,y"; for (i = 0; i < n; i++) { u = r(); v = r(); printf "%.6f,%.6f,%.6f\n", u, v, u - 2 * v } }'; }
table 40 3 >t.csv
table 30 4 >v.csv
targets() {
  launch 2 solve -blp_type biasedreg -blp_train t.csv -blp_val v.csv -blp_test v.csv "${solver[@]}" -uls_step 1 -uls_max_it 60 \
    -uls_eval_every 20 -output_dir targets >log/out.targets 2>&1 || fail "targets: exit code $?" log/out.targets
  check "solve tells no loss" grep -q 'test loss [0-9]' log/out.targets
  check "solve tells an accuracy" not grep -qE 'nan|%|accuracy' log/out.targets
  check "summary.json tells an accuracy" grep -q '"accuracy": null' targets/summary.json
  check "history.csv tells an accuracy" awk -F, 'NR > 1 && ($4 != "" || $6 != "") { bad = 1 } END { exit bad || NR < 2 }' targets/history.csv
  launch 3 predict -predict_model targets/solution.h5 -data_input v.csv -predict_output targets/p.csv \
    >targets/predicted 2>log/err.targets || fail "predict of targets: exit code $?" log/err.targets
  check "predict: loss" close "$(awk '$1 == "mean" { print $3 }' targets/predicted)" \
    "$(tail -n 1 targets/history.csv | cut -d, -f5)" 1e-9
  check "predict: numbers" bash -c "paste -d, v.csv targets/p.csv | awk -F, 'NR == 1 { exit \$4 != \"prediction\" }
    NR > 1 && (\$3 - \$4) ^ 2 > 1e-4 { exit 1 }'"
  launch 2 predict -predict_model targets/solution.h5 -data_input v.csv -predict_output targets/p.h5 >log/out.targets5 2>&1 ||
    fail "predict of targets to HDF5: exit code $?" log/out.targets5
  check "predict: HDF5" test -s targets/p.h5
  refused 0 64 "-predict_probabilities|numbers, not classes" predict -predict_model targets/solution.h5 -data_input v.csv \
    -predict_output targets/q.csv -predict_probabilities
  refused 0 65 "names.csv are names|numbers" predict -predict_model targets/solution.h5 -data_input names.csv
}
not() { ! "$@"; }
printf 'a,b,y\n1,2,yes\n3,4,no\n' >names.csv
pool targets

# A path of descent that would leave lambda > 0 is kept in it; so is one of Tao's.
pool accepted 2 solve "${logistic[@]}" "${solver[@]}" -lls_max_it 20 -uls_step 1e3 -uls_max_it 3 -output_dir kept -quiet
pool accepted 0 solve "${logistic[@]}" "${solver[@]}" -uls_type tao -uls_max_it 3 -output_dir tao -quiet

# ------------------------------------------------------------------ what is refused
samples 30 1 >three.svm
bad() { pool refused 0 "$@"; }
for ranks in 0 3; do
  pool refused $ranks 64 "lambda_0 = 0|must be positive|-lset_type box" hypergrad "${logistic[@]:0:16}" -blp_lambda 0
  pool refused $ranks 65 "two classes|have 3|-blp_type softmax" \
    hypergrad -blp_type logistic -blp_train three.svm -blp_val three.svm -blp_lambda 1
done
bad 64 "-blp_synthetic_kind regression|problem logistic needs classes|sign" \
  hypergrad "${logistic[@]}" -blp_synthetic_kind regression
bad 64 "0 samples|-blp_synthetic_n|at least one" hypergrad "${logistic[@]}" -blp_synthetic_nval 0
bad 64 "0 features|-blp_synthetic_p" hypergrad "${logistic[@]}" -blp_synthetic_p 0
bad 64 "-blp_synthetic_noise -1" hypergrad "${logistic[@]}" -blp_synthetic_noise -1
bad 64 "-blp_biasedreg_beta -1|positive" hypergrad "${regression[@]}" -blp_biasedreg_beta -1
bad 65 "names.csv are names|-data_label" hypergrad -blp_type biasedreg -blp_train names.csv -blp_val names.csv
bad 64 "-blp_stratified|targets, not classes" hypergrad -blp_type biasedreg -blp_data t.csv -blp_stratified
bad 64 "-blp_stratified|targets, not classes" hypergrad "${regression[@]:0:10}" -blp_folds 3 -blp_stratified
bad 64 "-blp_synthetic_kind" hypergrad "${logistic[@]}" -blp_synthetic_kind signs
bad 64 "-blp_synthetic_p is not used|-blp_data synthetic" \
  hypergrad -blp_type logistic -blp_train train.svm -blp_val val.svm -blp_lambda 1 -blp_synthetic_p 3
bad 64 "-blp_split is not used" hypergrad "${logistic[@]}" -blp_split third
bad 64 "-blp_synthetic_zipf is not used|-blp_data synthetic_text" hypergrad "${logistic[@]}" -blp_synthetic_zipf 1
bad 64 "-blp_synthetic_noise is not used|-blp_data synthetic" hypergrad "${text[@]}" -blp_synthetic_noise 1
bad 64 "0 classes|-blp_synthetic_classes" hypergrad "${text[@]}" -blp_synthetic_classes 0
bad 64 "-blp_synthetic_length 0.1" hypergrad "${text[@]}" -blp_synthetic_length 0.1
bad 64 "synthetic_text has classes|problem biasedreg needs targets" hypergrad -blp_type biasedreg "${text[@]}"
bad 64 "-blp_synthetic_nval is not used|-blp_folds" hypergrad "${logistic[@]}" -blp_folds 3
bad 64 "exclude each other" hypergrad "${logistic[@]}" -blp_val val.svm
bad 64 "-blp_lambda_tie class" hypergrad "${logistic[@]}" -blp_lambda_tie class
finish
