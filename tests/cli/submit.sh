#!/usr/bin/env bash
# jobs/submit.sh and jobs/gather.sh: what each scheduler is given, which one is chosen, job scripts outside of a cluster.
# shellcheck source=common.sh
# shellcheck disable=SC2016 # text as it must be found
. "$(dirname "$0")/common.sh"
jobs=$(realpath "$here/../../jobs")
export TWOFOLD=$twofold

submit() { # NAME ARGS...: its exit code in $code
  local name=$1
  shift
  bash "$jobs/submit.sh" "$@" >"log/$name" 2>"log/$name.err"
  code=$?
}
has() { # NAME WORDS
  echo >>log/checks
  grep -qF -e "$2" "log/$1" || fail "$1: no '$2'" "log/$1"
}
run=(solve -options_file 'my opts' -output_dir runs/my)
size=(--nodes 3 --ranks-a-node 8 --time 02:30:00)

# ------------------------------------------------------------------ what each is given
export SITE_PARTITION=batch SITE_ACCOUNT=me SITE_GRACE=240
submit slurm --dry-run --scheduler slurm "${size[@]}" "${run[@]}"
check "exit code" test "$code" = 0
for word in sbatch ' --nodes=3 --ntasks-per-node=8 ' --time=02:30:00 --signal=B:USR1@240 ' --partition=batch --account=me ' \
  'slurm/single.sbatch solve -options_file my\ opts -output_dir runs/my'; do has slurm "$word"; done
submit chain --dry-run --scheduler slurm --kind chain "${run[@]}"
has chain slurm/chain.sbatch
submit sge --dry-run --scheduler sge --pe ompi "${size[@]}" "${run[@]}"
for word in 'qsub -V -pe ompi 24 ' 'h_rt=02:30:00' '-q batch -P me' 'sge/single.sge solve -options_file my\ opts'; do has sge "$word"; done
submit pbs --dry-run --scheduler pbs "${size[@]}" "${run[@]}"
for word in 'qsub -V -l select=3:ncpus=8:mpiprocs=8 -l walltime=02:30:00 -q batch -A me' \
  'run=(solve -options_file my\ opts -output_dir runs/my)' 'walltime=9000 # s'; do has pbs "$word"; done
submit lsf --dry-run --scheduler lsf "${size[@]}" "${run[@]}"
for word in 'bsub -n 24 -R span\[ptile=8\] -W 150 -wa USR2 -wt 4 -q batch -P me' \
  'run=(solve -options_file my\ opts -output_dir runs/my)'; do has lsf "$word"; done
for kind in pbs lsf; do check "what $kind is given is no script" bash -n <(sed 1d "log/$kind"); done
unset SITE_PARTITION SITE_ACCOUNT SITE_GRACE
submit bare --dry-run --scheduler slurm "${run[@]}"
check "a partition that nobody named" test "$(grep -c 'partition\|account' log/bare)" = 0

# ------------------------------------------------------------------ which one
mkdir bin
for tool in bash cat dirname awk; do ln -s "$(command -v $tool)" bin/; done
only() { # SCHEDULER'S COMMANDS...: what is submitted where these are
  mkdir -p with
  rm -f with/*
  local command
  for command in "$@"; do
    printf '#!/bin/sh\necho "%s" "$@"\ncat\n' "$command" >with/"$command"
    chmod +x with/"$command"
  done
  PATH=$work/bin:$work/with submit which "${run[@]}" </dev/null
}
only sbatch
has which 'sbatch --nodes=1'
only bsub
has which 'bsub -n 16'
has which 'run=(solve -options_file my\ opts' # the script, by its input
only qsub
has which 'qsub -V -l select=1'
only qsub qconf
has which 'qsub -V -pe mpi 16'
only
check "no scheduler: exit code $code" test "$code" = 69

# ------------------------------------------------------------------ refused
for args in "" "--kind twice solve" "--nodes 0 solve" "--time 10 solve" "--scheduler fork solve" "--nodes"; do
  # shellcheck disable=SC2086 # one word an argument
  submit usage $args
  check "usage: $args" test "$code" = 64 -a "$(grep -c '^usage:' log/usage.err)" = 1
done
submit kind --dry-run --scheduler pbs --kind requeue "${run[@]}"
check "requeue is Slurm's" test "$code" = 64

# ------------------------------------------------------------------ a job script where there is no scheduler, and what gathers
samples 30 1 >train.svm
samples 20 2 >val.svm
short=(solve -blp_train train.svm -blp_val val.svm -lls_max_it 5 -uls_step 5 -quiet)
export TWOFOLD_JOBS=$jobs SITE_LAUNCH="${mpirun[*]} -n 2"
unset "${!SLURM_@}" "${!PBS_@}" "${!LSB_@}" "${!SGE_@}"
bash "$jobs/sge/single.sge" "${short[@]}" -uls_max_it 3 -output_dir all/one >log/job 2>&1 || fail "a job script" log/job
bash "$jobs/sge/single.sge" "${short[@]}" -uls_max_it 5 -output_dir all/one >log/again 2>&1 || fail "once more" log/again
check "not gone on with" grep -q '"resumed_at": 3,' all/one/summary.json
check "ranks" grep -q '"ranks": 2,' all/one/summary.json
SITE_SETUP='echo modules are loaded' bash "$jobs/sge/single.sge" "${short[@]}" -uls_max_it 2 -output_dir all/two >log/setup 2>&1
has setup 'modules are loaded'
bash "$jobs/gather.sh" all >all.csv
check "rows of runs" test "$(cut -d, -f1,3 all.csv | sed 1d | xargs)" = "all/one,5 all/two,2"
check "an objective" test "$(sed -n 2p all.csv | cut -d, -f4)" = "$(sed -n 's/^ *"objective": \(.*\),$/\1/p' all/one/summary.json | head -n 1)"
mkdir empty
bash "$jobs/gather.sh" empty >log/empty 2>&1
check "nothing to gather" test $? = 66
bash "$jobs/gather.sh" >log/none 2>&1
check "gather: usage" test $? = 64
bash "$jobs/slurm/array.sbatch" >log/array 2>&1
check "an array without a file" test $? = 64
TWOFOLD=missing bash "$jobs/sge/single.sge" solve >log/missing 2>&1
check "no program" test $? = 66
finish
