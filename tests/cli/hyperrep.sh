#!/usr/bin/env bash
# Problem hyperrep as a user meets it: synthetic data, a start of its own, runs, what is refused.
# shellcheck source=common.sh
# shellcheck disable=SC2317 # functions that pool runs
. "$(dirname "$0")/common.sh"

problem=(-blp_type hyperrep -blp_data synthetic -blp_synthetic_n 41 -blp_synthetic_nval 30 -blp_synthetic_ntest 20
  -blp_synthetic_p 7 -quiet)
solver=(-lls_fpm_step optimal -lls_max_it 500 -lls_rtol 1e-12 -hg_ksp_rtol 1e-12)

field() { awk -v name="$1" '$1 == name { print $3 }'; } # of the program's output: objective, hypergradient
close() { awk -v a="$1" -v b="$2" -v tol="$3" 'BEGIN { exit !(a > 0 && (a - b) ^ 2 <= (tol * b) ^ 2) }'; }

# same NAME OPTIONS...: the same hypergradient on 1, 2 and 7 ranks
same() {
  local name=$1 ranks norm first=
  shift
  for ranks in 0 2 7; do
    norm=$(launch "$ranks" hypergrad "${problem[@]}" "${solver[@]}" "$@" | field hypergradient)
    first=${first:-$norm}
    check "$name: norm $norm on $ranks ranks, $first on one" close "$norm" "$first" 1e-10
  done
  echo "$first" >"norm.$name"
}
pool same plain -blp_hyperrep_dim 3
pool same seed -blp_hyperrep_dim 3 -blp_hyperrep_seed 4
pool same beta -blp_hyperrep_dim 3 -blp_hyperrep_beta 7

# folds: another problem, which starts from the same kind of H
folds() {
  local f
  f=$(launch 2 hypergrad -blp_type hyperrep -blp_data synthetic -blp_synthetic_n 40 -blp_synthetic_p 6 -blp_folds 4 \
    -blp_hyperrep_dim 2 -quiet "${solver[@]}" | field hypergradient)
  check "folds: hypergradient $f" awk -v f="$f" 'BEGIN { exit !(f > 0) }'
}
pool folds

# constant: H of rank one, and 0, where nothing moves
constant() {
  local norm
  norm=$(launch 0 hypergrad "${problem[@]}" "${solver[@]}" -blp_lambda 0 | field hypergradient)
  check "H = 0: norm $norm" awk -v a="$norm" 'BEGIN { exit !(a != "" && a == 0) }'
}
pool constant

# a start of columns that fall off is as ill conditioned as it is told; without it is not
kappas() {
  local decay kappa last=1
  for decay in 1 0.3 0.1; do
    kappa=$(launch 0 contraction "${problem[@]}" -blp_synthetic_n 200 -blp_synthetic_p 20 -blp_hyperrep_dim 5 \
      -blp_hyperrep_decay "$decay" -lls_fpm_step optimal | awk '$1 == "kappa" { print $2; exit }')
    check "decay $decay: kappa $kappa after $last" awk -v k="$kappa" -v last="$last" 'BEGIN { exit !(k > 2 * last) }'
    last=$kappa
  done
  check "the last kappa is $last" awk -v k="$last" 'BEGIN { exit !(k > 50 && k < 1000) }'
}
pool kappas

# run: f falls; losses are told, and no accuracy
run() {
  launch 2 solve "${problem[@]:0:12}" "${solver[@]}" -blp_hyperrep_dim 3 -uls_step 1e-4 -uls_max_it 20 -output_dir run \
    >log/run.out || fail "solve" log/run.out
  check "no test loss in the last lines" grep -q 'test loss' log/run.out
  check "an accuracy, or nan, is told" test "$(grep -ciE '%|accuracy|nan' log/run.out)" = 0
  echo >>log/checks
  awk -F, 'NR == 2 { first = $2 } { last = $2 } $4 != "" && NR > 1 { bad = 1 } /nan/ { bad = 1 }
    END { exit !(first > 0 && last < 0.9 * first && !bad) }' run/history.csv || fail "history" run/history.csv
}
pool run

# model: H is a part of it
models() {
  samples 40 3 5 >train.svm
  samples 30 4 5 >val.svm
  samples 20 5 5 >test.svm
  local files=(-blp_type hyperrep -blp_train train.svm -blp_val val.svm -quiet -lls_max_it 30 -lls_fpm_step optimal
    -uls_step 1e-4 -uls_max_it 2)
  predicts model test.svm "${files[@]}" -blp_hyperrep_dim 3 -data_scale standard
  predicts tied test.svm "${files[@]}" -blp_hyperrep_dim 2 -blp_lambda_tie class
}
pool models

# coverage: off
while IFS=@ read -r options words; do
  # shellcheck disable=SC2086 # options and their values
  pool refused 0 64 "$words" hypergrad "${problem[@]}" -lls_max_it 1 $options
done <<'END'
-blp_hyperrep_dim 0@-blp_hyperrep_dim 0|at least 1
-blp_hyperrep_beta 0@-blp_hyperrep_beta 0|positive
-blp_hyperrep_beta nan@-blp_hyperrep_beta nan|positive
-blp_hyperrep_decay 0@-blp_hyperrep_decay 0|positive
-blp_hyperrep_gamma 1@unknown option -blp_hyperrep_gamma
END
# coverage: on
wait
for name in seed beta; do
  check "$name: as without" test "$(cat "norm.$name")" != "$(cat norm.plain)"
done
finish
