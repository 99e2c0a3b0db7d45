#!/usr/bin/env bash
# Problem dataclean as a user meets it: the same numbers on any number of ranks, learnt weights beside none and the right
# ones, a model, what is refused.
# shellcheck source=common.sh
# shellcheck disable=SC2016,SC2317 # awk within checks; functions that pool runs
. "$(dirname "$0")/common.sh"

samples 90 3 >train.svm
samples 60 4 >val.svm
samples 60 5 >test.svm
problem=(-blp_type dataclean -blp_train train.svm -blp_val val.svm -blp_dataclean_corrupt 0.5 -quiet)
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
pool same plain
pool same seed -blp_dataclean_seed 4
pool same beta -blp_dataclean_beta 0.3
pool same tied -blp_lambda_tie scalar

# objective NAME OPTIONS...: f at the start
objective() {
  local name=$1
  shift
  launch 0 hypergrad "${problem[@]}" "${solver[@]}" "$@" | field objective >"f.$name"
}
pool objective all -blp_dataclean_start all
pool objective oracle -blp_dataclean_start oracle
pool objective clean -blp_dataclean_start all -blp_dataclean_corrupt 0

# learnt: weights that are learnt do better than equal ones, and tell right from wrong
learnt() {
  launch 2 solve "${problem[@]}" -blp_test test.svm -blp_view -lls_fpm_step optimal -lls_max_it 300 -hg_ksp_rtol 1e-6 \
    -uls_step 200 -uls_max_it 60 -output_dir run >log/run.out || fail "solve" log/run.out
  check "the view" grep -qE 'spoilt labels: [345][0-9] \(seed 0\)' log/run.out
  tail -n 1 run/history.csv | cut -d, -f2 >f.learnt
}
pool learnt

pool predicts model test.svm "${problem[@]}" -data_scale unit -lls_max_it 30 -lls_fpm_step optimal -uls_step 10 -uls_max_it 2

# job: jobs/experiments/dataclean.sh on made text; a run that is there is not run again
job() {
  local experiments=$here/../../jobs/experiments again
  export TWOFOLD=$twofold TWOFOLD_LAUNCH="${mpirun[*]} -n 2"
  unset SLURM_NTASKS PBS_NP LSB_DJOB_NUMPROC NSLOTS SLURM_SUBMIT_DIR PBS_O_WORKDIR LS_SUBCWD SGE_O_WORKDIR
  for again in no yes; do
    timeout -k 5 150 bash "$experiments/dataclean.sh" --quick -o out >"log/job.$again" 2>&1 || fail "dataclean.sh" "log/job.$again"
  done
  check "runs that are there" test "$(grep -c 'is there already' log/job.yes)" = 3
  awk -F, '{ accuracy[$1] = $5; n++ }
    END { exit !(n == 4 && accuracy["unweighted"] > 0.25 && accuracy["learnt"] > accuracy["unweighted"] + 0.02 &&
      accuracy["oracle"] > accuracy["unweighted"] + 0.02) }' out/dataclean.csv || fail "the table" out/dataclean.csv
  check "the Markdown table" test "$(wc -l <out/dataclean.md)" = 5
}
pool job

# coverage: off
while IFS=@ read -r options words; do
  # shellcheck disable=SC2086 # options and their values
  pool refused 2 64 "$words" hypergrad -lls_max_it 1 -quiet -blp_type dataclean $options
done <<'END'
-blp_train train.svm -blp_val val.svm -blp_dataclean_corrupt 1.5@-blp_dataclean_corrupt 1.5|[0, 1]
-blp_train train.svm -blp_val val.svm -blp_dataclean_corrupt nan@-blp_dataclean_corrupt nan|[0, 1]
-blp_train train.svm -blp_val val.svm -blp_dataclean_beta -1@-blp_dataclean_beta -1|positive
-blp_train train.svm -blp_val val.svm -blp_dataclean_start oracle -blp_lambda_tie scalar@oracle|tied lambda
-blp_train train.svm -blp_val val.svm -blp_lambda_tie class@-blp_lambda_tie class|no classes
-blp_data train.svm -blp_folds 3@folds have different training samples|-blp_split
END
# coverage: on
wait
for name in seed beta tied; do
  check "$name: as without" test "$(cat "norm.$name")" != "$(cat norm.plain)"
done
check "f: oracle $(cat f.oracle), learnt $(cat f.learnt), all $(cat f.all)" \
  awk -v o="$(cat f.oracle)" -v l="$(cat f.learnt)" -v a="$(cat f.all)" 'BEGIN { exit !(o > 0 && o < a && l > 0 && l < a) }'
check "f: clean $(cat f.clean), all $(cat f.all)" \
  awk -v c="$(cat f.clean)" -v a="$(cat f.all)" 'BEGIN { exit !(c > 0 && c < a) }'
finish
