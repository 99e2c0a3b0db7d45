#!/usr/bin/env bash
# Runs that are told to stop, by a signal or by their time: exit code 75, a checkpoint and a marker, and numbers that are
# those of a run that nobody stopped. Signals are sent once the output shows where a run is.
# shellcheck source=common.sh
# shellcheck disable=SC2317 # functions that pool runs
. "$(dirname "$0")/common.sh"

samples 60 1 20 >train.svm
samples 3000 1 200 >slow.svm # a step takes about a millisecond
samples 45 2 20 >val.svm
files=(-blp_train train.svm -blp_val val.svm)
data=(-blp_val val.svm -lls_warm_start -uls_step 5 -uls_momentum 0.5)
# where the time goes, each with a sign that it has got there behind the first row
# shellcheck disable=SC2034 # by their names
lower=(-blp_train slow.svm -lls_max_it 250 -lls_monitor)
# shellcheck disable=SC2034
adjoint=(-blp_train slow.svm -lls_max_it 5 -hg_warm_start -hg_fpm_step 0.01 -hg_ksp_type richardson -hg_ksp_rtol 0 -hg_ksp_max_it 250
  -hg_ksp_monitor)
# shellcheck disable=SC2034
reverse=(-blp_train slow.svm -hg_type itd -lls_max_it 200 -lls_monitor)
sign() { # PART
  case $1 in
  lower) echo ' 2. lower level' ;;
  adjoint) echo ' 2. KSP Residual' ;;
  reverse) echo '200 lower level' ;;
  esac
}
where() {
  case $1 in
  lower) echo 'in the lower level' ;;
  adjoint) echo 'in the adjoint solve' ;;
  reverse) echo 'in the reverse sweep' ;;
  esac
}

numbers() { cut -d, -f1-10,14-17 "$1/history.csv"; }
results() { cut -d, -f1-6,14 "$1/history.csv"; } # without the work
marked() { test -e "$1/checkpoint/REQUEUE"; }
ranks_of() { # DIR: process ids of its ranks
  local p
  for p in $(pgrep -f -- "-output_dir $work/$1( |\$)"); do
    if [ "$(cat "/proc/$p/comm" 2>/dev/null)" = twofold ]; then echo "$p"; fi
  done
}
mpirun_of() { # DIR: of mpirun, whatever its name
  local p
  for p in $(pgrep -f -- "-output_dir $work/$1( |\$)"); do
    case $(cat "/proc/$p/comm" 2>/dev/null) in mpi* | orterun | prterun) echo "$p" ;; esac
  done
}
run() { # RANKS DIR OPTIONS...: to the end
  local ranks=$1 dir=$2
  shift 2
  launch "$ranks" solve "${data[@]}" "$@" -output_dir "$work/$dir" >log/out."$dir" 2>log/err."$dir" || fail "$dir: exit code $?" log/err."$dir"
}
begin() { # RANKS DIR OPTIONS...: in the background, its process is $pid
  local ranks=$1 dir=$2
  shift 2
  launch "$ranks" solve "${data[@]}" "$@" -output_dir "$work/$dir" >log/out."$dir" 2>log/err."$dir" &
  pid=$!
}
await() { # DIR REGEX: until a line behind the first row has it
  while kill -0 "$pid" 2>/dev/null; do
    if sed -n '/^step 0/,$p' "log/out.$1" 2>/dev/null | grep -q "$2"; then return; fi
    sleep 0.02
  done
  fail "$1 ended before it could be stopped" "log/err.$1"
}
started() { # DIR
  while kill -0 "$pid" 2>/dev/null && ! grep -q '^memory per rank' "log/out.$1" 2>/dev/null; do sleep 0.02; done
}
some() { shuf -n 1; }

# ------------------------------------------------------------------ signals
# stopped PART RANKS SIGNAL [mpirun]: a random rank gets it, or mpirun
stopped() {
  local part=$1 ranks=$2 signal=$3 name=$1.$2.$3 to code where
  local -n options=$part
  run "$ranks" "$name.whole" "${options[@]}" -uls_max_it 2
  begin "$ranks" "$name" "${options[@]}" -uls_max_it 2
  started "$name" # who gets it is looked up before it is time
  if [ "${4:-}" ]; then to=$(mpirun_of "$name"); else to=$(ranks_of "$name" | some); fi
  await "$name" "$(sign "$part")"
  kill -s "$signal" "$to"
  wait "$pid"
  code=$?
  where=$(where "$part")
  if [ "${4:-}" ]; then where='.*'; fi # it comes late behind so much output
  where="twofold: stopped by SIG$signal after 1 upper steps, $where; the same command with -resume goes on"
  check "$name: exit code $code" test "$code" = 75
  check "$name: no such line: $where" grep -qx "$where" "log/err.$name"
  check "$name: it is told more than once" test "$(grep -c '^twofold' "log/err.$name")" = 1
  check "$name: no marker" marked "$name"
  check "$name: not in the summary" grep -q "\"by\": \"SIG$signal\"" "$name/summary.json"
  check "$name: the stopped step has a row" test "$(wc -l <"$name/history.csv")" = 2
  run "$ranks" "$name" "${options[@]}" -uls_max_it 2 -resume
  check "$name: not resumed at step 1" grep -q '"resumed_at": 1,' "$name/summary.json"
  check "$name: other numbers" cmp -s <(numbers "$name") <(numbers "$name.whole")
  check "$name: the marker is left" test ! -e "$name/checkpoint/REQUEUE"
}
pool stopped lower 3 TERM
pool stopped lower 2 USR1 mpirun
pool stopped adjoint 2 USR2
pool stopped adjoint 0 XCPU
pool stopped reverse 2 INT

# in the first step: what is gone on with is the start
first() {
  local options=("${lower[@]}" -lls_max_it 600 -uls_max_it 1 -lset_type l2ball -lset_radius 0.5 -blp_lambda 3)
  begin 2 first "${options[@]}"
  started first
  kill -USR1 "$(ranks_of first | some)"
  wait "$pid"
  check "first: exit code $?" test $? = 75
  check "first: not stopped at the start" grep -q 'after 0 upper steps' log/err.first
  run 2 first "${options[@]}" -resume
  run 2 first.whole "${options[@]}"
  check "first: other numbers" cmp -s <(numbers first) <(numbers first.whole)
}
pool first

# a second signal, while the first one cannot be agreed on
second() {
  local all code
  begin 2 second "${lower[@]}" -uls_max_it 1000
  await second "$(sign lower)"
  mapfile -t all < <(ranks_of second)
  kill -STOP "${all[1]}"
  kill -USR1 "${all[0]}"
  sleep 1.2 # within a second it would be the same one
  kill -USR1 "${all[0]}"
  wait "$pid"
  code=$?
  check "second: exit code $code" test "$code" = 138
  check "second: a marker" test ! -e second/checkpoint/REQUEUE
}
pool second

# the same one twice at once
twice() {
  local one
  begin 2 twice "${lower[@]}" -uls_max_it 1000
  started twice
  one=$(ranks_of twice | some)
  await twice "$(sign lower)"
  kill -USR1 "$one"
  kill -USR1 "$one" 2>/dev/null
  wait "$pid"
  check "twice: exit code $?" test $? = 75
}
pool twice

# ------------------------------------------------------------------ time
limited() { # RANKS NAME SECONDS OPTIONS...: ends in time, and goes on
  local ranks=$1 name=$2 seconds=$3 from took code reached
  shift 3
  from=$(date +%s%N)
  begin "$ranks" "$name" -blp_train train.svm -lls_max_it 500 -uls_max_it 100000 -quiet "$@"
  wait "$pid"
  code=$?
  took=$((($(date +%s%N) - from) / 1000000))
  check "$name: exit code $code" test "$code" = 75
  check "$name: ended only after $took ms" test "$took" -lt $((seconds * 1000 + 4000)) # with mpirun's own
  check "$name: no marker" marked "$name"
  check "$name: a signal" test "$(grep -c '"signal"' "$name/summary.json")" = 0
  reached=$(sed -n 's/^ *"steps": \([0-9]*\),$/\1/p' "$name/summary.json")
  check "$name: no step" test "$reached" -gt 0
  run "$ranks" "$name" -blp_train train.svm -lls_max_it 500 -uls_max_it "$reached" -quiet -resume
  run "$ranks" "$name.whole" -blp_train train.svm -lls_max_it 500 -uls_max_it "$reached" -quiet
  check "$name: other numbers" cmp -s <(numbers "$name") <(numbers "$name.whole")
}
pool limited 2 own 2 -max_walltime 2s
slurm() { # before it goes on
  SLURM_JOB_END_TIME=$(($(date +%s) + 2)) launch 0 solve "${data[@]}" -blp_train train.svm -lls_max_it 500 -uls_max_it 100000 -quiet -output_dir slurm >/dev/null 2>log/err.slurm
  check "slurm: exit code $?" test $? = 75
  check "slurm: not by the job's end" grep -q '"by": "SLURM_JOB_END_TIME"' slurm/summary.json
  SLURM_JOB_END_TIME=$(($(date +%s) + 1)) run 0 wins -blp_train train.svm -lls_max_it 20000 -uls_max_it 8 -quiet -max_walltime 1h30m
  SLURM_JOB_END_TIME=1 run 0 over -blp_train train.svm -lls_max_it 5 -uls_max_it 4 -quiet
}
pool slurm
wait
for wrong in 5x 0 -3 1h30 h nan 1e99; do
  pool refused 0 64 "-max_walltime $wrong: write a time" solve "${data[@]}" -blp_train train.svm -lls_max_it 5 -max_walltime "$wrong"
done
wait

# ------------------------------------------------------------------ a full disk: a limit on the size of files
run 0 full -blp_train train.svm -lls_max_it 5 -uls_max_it 3 -quiet
(ulimit -f 8 && refused 0 74 "checkpoint/step-00000004.h5 cannot be written|is the disk full?|-resume goes on from step 3" \
  solve "${data[@]}" -blp_train train.svm -lls_max_it 5 -uls_max_it 5 -checkpoint_every 1 -quiet -output_dir "$work/full" -resume)
check "full: half a file is left" test ! -e full/checkpoint/step-00000004.h5.tmp
run 0 full -blp_train train.svm -lls_max_it 5 -uls_max_it 5 -quiet -resume
run 0 full.whole -blp_train train.svm -lls_max_it 5 -uls_max_it 5 -quiet
check "full: other numbers" cmp -s <(results full) <(results full.whole)

# ------------------------------------------------------------------ study: the lambdas that were done
study() {
  local code n
  launch 2 study "${files[@]}" -study_methods cg -study_at 2000 -study_samples 5000 -study_groups 2 -output_dir "$work/study" \
    >log/out.study 2>log/err.study &
  pid=$!
  while kill -0 "$pid" 2>/dev/null && ! grep -q '^lambda' log/out.study; do sleep 0.02; done
  kill -TERM "$(ranks_of study | some)"
  wait "$pid"
  code=$?
  n=$(sed -n 's/^ *"samples": \([0-9]*\),$/\1/p' study/summary.json)
  check "study: exit code $code" test "$code" = 75
  check "study: $n lambdas" test "$n" -gt 1 -a "$n" -lt 5000
  check "study: other rows" test "$(wc -l <study/study.csv)" = $((n + 1))
  check "study: not told" grep -q "^twofold: stopped by SIGTERM after $n of 5000 lambdas" log/err.study
}
study
launch 0 study "${files[@]}" -study_methods cg -study_at 3000 -study_samples 5000 -quiet -max_walltime 1 >log/out.study 2>log/err.study
check "study: exit code $?" test $? = 75
finish
