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

# job: jobs/experiments/dataclean.sh on made text: tables, what the weights say, what is there is not run again, elements of a
# job array, a run that was stopped
job() {
  local experiments=$here/../../jobs/experiments code element seed run args have=yes
  export TWOFOLD=$twofold TWOFOLD_LAUNCH="${mpirun[*]} -n 2"
  unset SLURM_NTASKS PBS_NP LSB_DJOB_NUMPROC NSLOTS SLURM_SUBMIT_DIR PBS_O_WORKDIR LS_SUBCWD SGE_O_WORKDIR
  unset SLURM_ARRAY_TASK_ID PBS_ARRAY_INDEX LSB_JOBINDEX SGE_TASK_ID
  clean() { # NAME ARGS...: its exit code into $code
    local name=$1
    shift
    timeout -k 5 150 bash "$experiments/dataclean.sh" "$@" >"log/job.$name" 2>"log/job.$name.err"
    code=$?
  }
  command -v gnuplot >/dev/null && command -v h5dump >/dev/null || have=no
  clean first --quick --seeds "1 2" -o out
  [ "$code" = "$([ "$have" = yes ] && echo 0 || echo 69)" ] || fail "dataclean.sh: exit code $code" log/job.first.err
  awk -F, 'NR > 1 { accuracy[$1, $2] = $8; n++; if (NF != 14 || $4 != ($2 == "learnt" ? 15 : 0)) bad = 1 }
    END {
      for (s = 1; s <= 2; s++)
        if (accuracy[s, "learnt"] < accuracy[s, "unweighted"] + 0.1 || accuracy[s, "oracle"] < accuracy[s, "unweighted"] + 0.1 ||
          accuracy[s, "unweighted"] < 0.25) bad = 1
      exit n != 6 || bad }' out/dataclean.csv || fail "the table" out/dataclean.csv
  check "the Markdown table" test "$(grep -cE '^\| (unweighted|learnt|oracle) \|.*\[' out/dataclean.md)" = 3
  check "the learning curves" test "$(wc -l <out/curve.csv)" = 33
  check "their ends" awk -F, '$1 == 2 && $2 == 15 { end = $5 } $2 == "learnt" { told[$1] = $8 }
    END { exit !(end > 0 && (end - told[2]) ^ 2 < 1e-20) }' out/curve.csv out/dataclean.csv
  if [ "$have" = yes ]; then
    check "the picture" test -s out/dataclean.png
    check "dataclean.svg is no picture" python3 -c \
      'import sys, xml.dom.minidom as d; sys.exit(len(d.parse("out/dataclean.svg").getElementsByTagName("path")) < 20)'
    # from the numbers in the files as they are: 400 doubles in each data set
    for seed in 1 2; do
      for run in learnt oracle; do
        h5dump -d /lambda -b LE -o "log/$run.bin" "out/$seed/$run/solution.h5" >log/h5dump
        od -An -v -tf8 -w8 --endian=little "log/$run.bin" >"log/$run.txt"
      done
      paste log/learnt.txt log/oracle.txt
    done >log/both
    awk 'NR == FNR { wrong += $2 < 0; said += $1 < 0; both += $1 < 0 && $2 < 0; n++
        if (n == 400) { truth[++s] = wrong "," both / said "," both / wrong; wrong = said = both = n = 0 }
        next }
      FNR == 1 { FS = "," } FNR > 1 { split($0, f, ","); if (f[2] == "learnt") {
        split(truth[f[1]], t, ",")
        if (f[9] != t[1] || (f[10] - t[2]) ^ 2 > 1e-9 || (f[11] - t[3]) ^ 2 > 1e-9 || t[2] < 0.6 || t[3] < 0.6) bad = 1
        seen++ } }
      END { exit bad || seen != 2 }' log/both out/dataclean.csv || fail "precision and recall" out/dataclean.csv
    check "the histogram" awk -F, '{ right += $3; wrong += $4; low += NR == 2 && $4 > 2 * $3 }
      END { exit NR != 21 || right + wrong != 800 || !low }' out/weights.csv
    check "wrong labels" awk -F, 'FILENAME ~ /weights/ { n += $4 } $2 == "learnt" { n -= $9 } END { exit n != 0 }' \
      out/weights.csv out/dataclean.csv
  fi

  # what is there is not run again; a run that was stopped goes on to the same numbers
  cp out/dataclean.csv before.csv
  rm out/1/learnt/summary.json
  clean again --quick --seeds "1 2" -o out
  check "runs that are there" test "$(grep -c 'there already' log/job.again.err)" = 5
  check "it went on" grep -q -- ' -resume' log/job.again.err
  check "to the same numbers" cmp -s <(cut -d, -f1-11 before.csv) <(cut -d, -f1-11 out/dataclean.csv)

  # as a job array
  check "the list" test "$(bash "$experiments/dataclean.sh" --list --seeds "4 7" oracle | awk '{ print $2 }' | paste -sd' ')" = \
    "4/oracle 7/oracle"
  mkdir spool
  cp "$experiments/dataclean.sh" spool/slurm_script
  for element in 2 3; do
    echo >>log/checks
    (
      unset TWOFOLD_LAUNCH
      export SLURM_ARRAY_TASK_ID=$element SLURM_NTASKS=2 SLURM_SUBMIT_DIR=$here/../..
      cd spool && bash slurm_script --quick -o "$work/array"
    ) >log/array 2>log/array.err || fail "element $element" log/array.err
  done
  check "its runs" test "$(cd array && echo */*)" = "1/oracle 1/unweighted"
  check "no table yet" test ! -e array/dataclean.csv
  clean gather --gather-only -o array
  check "gathered" test "$(wc -l <array/dataclean.csv)" = 3
  check "the same as in one go" cmp -s <(cut -d, -f1-4 array/dataclean.csv | sort) \
    <(grep -E '^(seed|1,(oracle|unweighted))' out/dataclean.csv | cut -d, -f1-4 | sort)

  for args in --quack "-n 0" "--seeds x" "--step -1" "--upper 0" "--task 10" sloppy; do
    # shellcheck disable=SC2086 # one word an argument
    clean usage $args
    check "usage: $args" test "$code" = 64
  done
  TWOFOLD=missing clean missing --quick -o none
  check "no program" test "$code" = 66
  clean empty --gather-only -o none
  check "no runs" test "$code" = 66
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
-blp_train train.svm -blp_val val.svm -blp_lambda_tie class@-blp_lambda_tie class|an entry a training sample|take own or scalar
-blp_train train.svm -blp_val val.svm -blp_lambda_tie feature@-blp_lambda_tie feature|take own or scalar
-blp_train train.svm -blp_val val.svm -blp_lambda_tie weight@-blp_lambda_tie weight|take own or scalar
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
