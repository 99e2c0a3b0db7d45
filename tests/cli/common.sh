#!/usr/bin/env bash
# What the scripts beside this one share. Each is run as
#
#   bash NAME.sh TWOFOLD HELPERS
#
# with the program, the folder of the helper programs, and mpirun with its options in TWOFOLD_MPIRUN. Checks run
# two at a time in a folder of their own; failures are printed when they happen, and `finish` ends the script.

set -u
# shellcheck disable=SC2034 # for the scripts
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
twofold=$(realpath "$1")
# shellcheck disable=SC2034
helpers=$(realpath "$2")
read -r -a mpirun <<<"${TWOFOLD_MPIRUN:-mpirun --oversubscribe --bind-to none}"
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 OMPI_MCA_mpi_yield_when_idle=1
export OMPI_MCA_odls_base_sigkill_timeout=0 # or mpirun waits for a second behind every run that fails
limit=60 # s for one run

work=$(mktemp -d)
clean() {
  local jobs
  jobs=$(jobs -rp)
  # shellcheck disable=SC2086 # one word a job
  [ -z "$jobs" ] || kill $jobs 2>/dev/null
  wait
  rm -rf "$work"
}
trap clean EXIT
trap 'exit 1' INT TERM
cd "$work" || exit 1
mkdir log
: >log/failures
: >log/checks
number=0

# launch RANKS ARGS...: runs the program; 0 ranks: without mpirun, where it needs no daemon but a folder of its own
launch() {
  local ranks=$1 own=$work/log/tmp.$BASHPID
  shift
  if [ "$ranks" = 0 ]; then
    mkdir -p "$own"
    OMPI_MCA_ess_singleton_isolated=1 OMPI_MCA_orte_tmpdir_base=$own OMPI_MCA_pml=ob1 OMPI_MCA_btl=self \
      timeout -k 5 "$limit" "$twofold" "$@"
  else
    timeout -k 5 "$limit" "${mpirun[@]}" -n "$ranks" "$twofold" "$@"
  fi
}

# fail WHAT [FILE...]: counts a failure and shows the files
fail() {
  echo "$1" >>log/failures
  {
    echo "FAILED: $1"
    shift
    for file in "$@"; do sed 's/^/    /' "$file" | head -n 20; done
  } >&2
}

# check WHAT COMMAND...: the command must succeed
check() {
  local what=$1
  shift
  echo >>log/checks
  "$@" || fail "$what"
}

# pool COMMAND...: runs it in the background, two at a time
pool() {
  while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n; done
  number=$((number + 1))
  "$@" &
}

# integer: bytes of an integer of the program, as in the binary files it writes
integer() {
  if launch 0 -version | grep -q ', 64-bit indices)$'; then echo 8; else echo 4; fi
}

# refused RANKS CODE WORDS ARGS...: the run must end with this exit code and one message of ours, which has all
# of WORDS (parts are separated by |), before anything mpirun says
refused() {
  local ranks=$1 code=$2 words=$3 out=log/out.$BASHPID err=log/err.$BASHPID got word
  shift 3
  echo >>log/checks
  launch "$ranks" "$@" >"$out" 2>"$err"
  got=$?
  if [ "$got" != "$code" ]; then
    fail "exit code $got, not $code: $ranks ranks, $*" "$err"
    return
  fi
  [ "$(grep -c '^twofold: error' "$err")" = 1 ] || fail "not one message: $ranks ranks, $*" "$err"
  grep -q '^twofold: raised by\|PETSC ERROR\|Segmentation' "$err" && fail "raw error: $*" "$err"
  case $(head -n 1 "$err") in
  'twofold: error: '*) ;;
  *) fail "the message does not come first: $ranks ranks, $*" "$err" ;;
  esac
  while IFS= read -r -d '|' word; do
    grep '^twofold: error' "$err" | grep -qF -e "$word" || fail "no '$word' in the message: $*" "$err"
  done <<<"$words|"
  rm -f "$out" "$err"
}

# accepted RANKS ARGS...: the run must end well
accepted() {
  local ranks=$1 out=log/out.$BASHPID err=log/err.$BASHPID got
  shift
  echo >>log/checks
  launch "$ranks" "$@" >"$out" 2>"$err"
  got=$?
  [ "$got" = 0 ] || fail "exit code $got: $ranks ranks, $*" "$err"
  grep -q '^twofold: error' "$err" && fail "a message though it ended well: $*" "$err"
  rm -f "$out" "$err"
}

# predicts DIR FILE OPTIONS...: a run in DIR with the samples of FILE as test samples; its model, on 1, 2 and 3 ranks,
# gives them the loss and the accuracy that the run told, and the same predictions
predicts() {
  local dir=$1 file=$2 ranks key alias told said
  shift 2
  launch 2 solve "$@" -blp_test "$file" -output_dir "$dir" >log/"$dir" 2>&1 || fail "solve $dir" log/"$dir"
  for ranks in 0 2 3; do
    launch "$ranks" predict -predict_model "$dir/solution.h5" -data_input "$file" -predict_output "$dir.$ranks.csv" \
      >log/"$dir.$ranks" 2>&1 || fail "predict $dir on $ranks ranks" log/"$dir.$ranks"
    for key in loss accuracy; do
      alias=
      [ "$key" = accuracy ] || alias=cross-entropy # of classes
      told=$(sed -n '/"test"/,/}/s/.*"'$key'": \([-+.e0-9]*\|null\),*$/\1/p' "$dir/summary.json")
      said=$(sed -nE "s/^.*($key${alias:+|$alias}) +([-+.e0-9]*).*/\2/p" log/"$dir.$ranks")
      check "$dir: $key $said on $ranks ranks, $told in the run" awk -v a="$said" -v b="$told" \
        'BEGIN { exit !(b == "null" ? a == "" : a > 0 && (a - b) ^ 2 <= (1e-12 * b) ^ 2) }'
    done
    check "$dir: the predictions of $ranks ranks are others" cmp -s "$dir.$ranks.csv" "$dir.0.csv"
  done
}

# samples N SEED [FEATURES]: SVMLight samples of three classes, the same on every machine
samples() {
  awk -v n="$1" -v x="$2" -v p="${3:-8}" '
    function random() { x = (x * 16807) % 2147483647; return x / 2147483647 }
    BEGIN {
      for (i = 0; i < n; i++) {
        printf "%d", i % 3
        for (j = 1; j <= p; j++)
          if (random() < 0.6 || j == p) printf " %d:%.6f", j, random() + (j % 3 == i % 3)
        printf "\n"
      }
    }'
}

# skip WHY: ends the script as not run
skip() {
  echo "$(basename "$0" .sh): skipped: $1"
  exit 77
}

# finish: waits for the checks, then ends the script with one line
finish() {
  wait
  local failures checks
  failures=$(wc -l <log/failures)
  checks=$(wc -l <log/checks)
  echo "$(basename "$0" .sh): $checks checks, $failures failures"
  [ "$failures" = 0 ] && [ "$checks" -gt 0 ]
  exit
}
