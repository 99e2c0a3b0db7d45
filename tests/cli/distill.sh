#!/usr/bin/env bash
# Problem distill as a user meets it: the same numbers on any number of ranks, starts, a run on samples that are training
# and validation samples in one, folds, a model, what is refused.
# shellcheck source=common.sh
# shellcheck disable=SC2016,SC2317 # awk within checks; functions that pool runs
. "$(dirname "$0")/common.sh"

samples 60 3 >train.svm
samples 45 4 >val.svm
samples 40 5 >test.svm
problem=(-blp_type distill -blp_train train.svm -blp_val val.svm -quiet)
solver=(-lls_fpm_step optimal -lls_max_it 2000 -lls_rtol 1e-12 -hg_ksp_rtol 1e-12)

field() { awk -v name="$1" '$1 == name { print $3 }'; } # of the program's output: objective, hypergradient

# same NAME OPTIONS...: the same hypergradient on 1, 2 and 7 ranks
same() {
  local name=$1 ranks norm first=
  shift
  for ranks in 0 2 7; do
    norm=$(launch "$ranks" hypergrad "${problem[@]}" "${solver[@]}" "$@" | field hypergradient)
    first=${first:-$norm}
    check "$name: norm $norm on $ranks ranks, $first on one" \
      awk -v a="$norm" -v b="$first" 'BEGIN { exit !(a > 0 && (a - b) ^ 2 <= (1e-10 * b) ^ 2) }'
  done
  echo "$first" >"norm.$name"
}
pool same zero
pool same beta -blp_distill_beta 3
pool same mean -blp_distill_start mean -blp_distill_images 2
pool same tied -blp_lambda_tie class
pool same sample -blp_distill_start sample -blp_distill_images 2

# run: the images of 3 classes do well on samples that they are none of; f falls
run() {
  launch 2 solve -blp_type distill -blp_train train.svm -blp_val train.svm -blp_test test.svm -quiet -blp_view \
    -lls_fpm_step optimal -lls_max_it 50 -hg_ksp_max_it 50 -uls_step 0.1 -uls_max_it 60 -output_dir run >log/run.out ||
    fail "solve" log/run.out
  check "the view" grep -q 'train: 3 images, which are lambda; start zero' log/run.out
  awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "test_accuracy") c = i } NR == 2 { first = $2 }
    { last = $2; if ($c != "") accuracy = $c } /nan/ { bad = 1 }
    END { exit !(first > 1.09 && first < 1.1 && last < 0.5 * first && accuracy > 0.8 && !bad) }' run/history.csv ||
    fail "history" run/history.csv
  echo >>log/checks
}
pool run

# folds: images that do well on each of them
folds() {
  local f
  f=$(launch 2 hypergrad -blp_type distill -blp_data train.svm -blp_folds 3 -blp_stratified -quiet "${solver[@]}" |
    field hypergradient)
  check "folds: hypergradient $f" awk -v f="$f" 'BEGIN { exit !(f > 0) }'
}
pool folds

pool predicts model test.svm "${problem[@]}" -blp_distill_images 2 -blp_distill_start mean -data_scale unit -lls_max_it 30 \
  -lls_fpm_step optimal -uls_step 0.1 -uls_max_it 2

# coverage: off
while IFS=@ read -r options words; do
  # shellcheck disable=SC2086 # options and their values
  pool refused 2 64 "$words" hypergrad "${problem[@]}" -lls_max_it 1 $options
done <<'END'
-blp_distill_images 0@-blp_distill_images 0|at least 1
-blp_distill_beta 0@-blp_distill_beta 0|positive
-blp_distill_beta inf@-blp_distill_beta inf|positive
-blp_distill_images 21 -blp_distill_start sample@class 0 has 20 training samples for 21 images|-blp_distill_start zero
-blp_distill_start sample -blp_lambda_tie class@-blp_distill_start sample: a tied lambda
-blp_lambda_tie scalar@-blp_lambda_tie scalar|all images|take own or class
-blp_lambda_tie feature@-blp_lambda_tie feature|all images|take own or class
-blp_distill_start ones@-blp_distill_start|ones
END
# coverage: on
wait
check "beta: as without" test "$(cat norm.beta)" != "$(cat norm.zero)"
check "tied: as without" test "$(cat norm.tied)" != "$(cat norm.zero)"
check "mean and sample: the same" test "$(cat norm.mean)" != "$(cat norm.sample)"
finish
