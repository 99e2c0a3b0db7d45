#!/usr/bin/env bash
# The job scripts of Slurm on a cluster of four nodes in small (cluster.sh): jobs on two nodes by srun and by mpirun, an array with
# its results gathered, jobs that are told to end and go on by themselves to the same numbers, a node that is lost, and the
# scripts of PBS as sbatch reads them.
# shellcheck source=tests/cli/common.sh
# shellcheck disable=SC2317 # functions that pool runs
. "$(dirname "$0")/../cli/common.sh"

[ "$(id -u)" = 0 ] || skip "hosts in small need root"
for program in slurmctld slurmd sbatch munged ip nsenter; do
  PATH=$PATH:/usr/sbin:/sbin command -v $program >/dev/null || skip "there is no $program (jobs/setup.sh --tests installs it on Debian)"
done
export PATH=$PATH:/usr/sbin:/sbin CLUSTER_DIR=$work/cluster CLUSTER_NAME=tf$$ CLUSTER_NET=10.$((RANDOM % 200 + 20)).$((RANDOM % 250))
unshare --net --mount --uts --ipc true 2>log/unshare || skip "namespaces are not allowed here: $(cat log/unshare)"
chmod 755 "$work" # munge wants its socket where all may go
cluster() { bash "$here/../batch/cluster.sh" "$@"; }
ctl() { cluster on ctl "$@"; }
trap 'cluster down 2>/dev/null; clean' EXIT
{ cluster up 4 && cluster slurm; } >log/up 2>&1 || skip "Slurm does not start here: $(tail -n 3 log/up)"

jobs=$(realpath "$here/../../jobs")
export TWOFOLD=$twofold TWOFOLD_JOBS=$jobs SITE_THREADS=1

# ------------------------------------------------------------------ jobs
submit() { ctl sbatch --parsable "$@"; } # OPTION... SCRIPT ARGS...
state() { ctl scontrol -o show job "$1" 2>/dev/null | head -n 1 | grep -oP 'JobState=\K\S+'; }
# ends JOB STATE...: within two minutes; what it is in the end
ends() {
  local job=$1 now=''
  shift
  for ((i = 0; i < 240; i++)); do
    now=$(state "$job")
    [[ " $* " != *" $now "* ]] || break
    sleep 0.5
  done
  echo "$now"
}
over() { ends "$1" COMPLETED FAILED TIMEOUT CANCELLED NODE_FAIL OUT_OF_MEMORY; }
# at DIR STEPS: the run in DIR has made that many steps
at() {
  for ((i = 0; i < 240; i++)); do
    [ "$(wc -l 2>/dev/null <"$1/history.csv" || echo 0)" -le "$2" ] || return 0
    sleep 0.2
  done
  return 1
}
numbers() { cut -d, -f1-10,14 "$1/history.csv"; }
ended_well() { # WHAT JOB OUTPUT
  local now
  now=$(over "$2")
  echo >>log/checks
  [ "$now" = COMPLETED ] || fail "$1: $now" "$3"
}

samples 60 1 20 >train.svm
samples 45 2 20 >val.svm
run=(solve -blp_train train.svm -blp_val val.svm -lls_max_it 40 -lls_warm_start -uls_step 5 -uls_momentum 0.5 -quiet
  -checkpoint_every 5it)
two=(--nodes=2 --ntasks-per-node=2 --time=10)

# ------------------------------------------------------------------ scripts are scripts
for script in "$jobs"/slurm/*.sbatch; do
  check "sbatch --test-only $(basename "$script")" ctl sbatch --test-only --ntasks-per-node=2 "$script" solve 2>>log/only
done
check "more nodes than there are" test "$(ctl sbatch --test-only --nodes=9 "$jobs/slurm/single.sbatch" solve >/dev/null 2>&1 && echo taken)" = ""

# ------------------------------------------------------------------ two nodes, by srun and by mpirun
one() { # LAUNCHER
  local job
  job=$(SITE_LAUNCH=${1#srun} submit "${two[@]}" -o "log/one-$1" "$jobs/slurm/single.sbatch" "${run[@]}" -uls_max_it 40 -output_dir "one-$1")
  ended_well "a job by $1" "$job" "log/one-$1"
  check "$1: not four ranks" grep -q '"ranks": 4,' "one-$1/summary.json"
}
one srun &
one mpirun &
wait
check "srun and mpirun: other numbers" cmp -s <(numbers one-srun) <(numbers one-mpirun)
check "the program by srun" grep -q ' srun --mpi=pmix .* solve ' log/one-srun
check "the program by mpirun" grep -q ' mpirun .* solve ' log/one-mpirun

# ------------------------------------------------------------------ told to end, back to the queue, on to the same numbers
stopped() { # KIND LAUNCHER: two steps at least before it is told
  local name=$1-$2 job
  job=$(SITE_LAUNCH=${2#srun} submit "${two[@]}" -o "log/$name" "$jobs/slurm/$1.sbatch" "${run[@]}" -uls_max_it 40 -output_dir "$name")
  at "$name" 2 || fail "$name: does not begin" "log/$name"
  ctl scancel --batch --signal=USR1 "$job"
  if [ "$1" = chain ]; then
    ended_well "$name" "$job" "log/$name"
    job=$(sed -n 's/.*not finished: job \([0-9]*\) goes on$/\1/p' "log/$name")
    ended_well "$name: the next job" "${job:-0}" "twofold-$job.out"
  else
    ended_well "$name" "$job" "log/$name"
    check "$name: not in the queue again" grep -q 'not finished: back to the queue' "log/$name"
    check "$name: not started twice" grep -q 'start 1 of job' "log/$name"
  fi
  check "$name: not gone on with" grep -q '"resumed_at": [1-9]' "$name/summary.json"
  check "$name: other numbers" cmp -s <(numbers "$name") <(numbers one-srun)
  check "$name: the marker is still there" test ! -e "$name/checkpoint/REQUEUE"
}
stopped requeue srun &
stopped requeue mpirun &
wait
stopped chain srun &

# ------------------------------------------------------------------ an array, and its results
printf '%s\n' '-uls_step 1' '-uls_step 2' '-uls_step 4' >sweep.txt
job=$(submit --array=1-3 --ntasks=1 --exclude=h1,h2 -o 'log/array-%a' "$jobs/slurm/array.sbatch" sweep.txt sweep "${run[@]}" -uls_max_it 3)
last=$(submit --dependency="afterok:$job" --kill-on-invalid-dep=yes -o log/gather --wrap "bash $jobs/gather.sh sweep >sweep.csv")
ended_well "what gathers an array" "$last" log/gather
check "a row for each element" test "$(wc -l <sweep.csv)" = 4
check "their order" test "$(cut -d, -f1 sweep.csv | sed 1d | xargs)" = "sweep/1 sweep/2 sweep/3"
check "their objectives" test "$(sed 1d sweep.csv | cut -d, -f4 | grep -c '^[0-9]')" = 3
check "their steps" test "$(grep -h '^-uls_step' sweep/*/options.opts | cut -d' ' -f2 | xargs)" = "1 2 4"
wait

# ------------------------------------------------------------------ PBS as sbatch reads it
sed "s|^run=.*|run=(${run[*]} -uls_max_it 3 -output_dir pbs)|" "$jobs/pbs/single.pbs" >single.pbs
sed -i 's/^#PBS -l select=.*/#PBS -l select=1:ncpus=2:mpiprocs=2/' single.pbs
job=$(SITE_LAUNCH='srun --mpi=pmix' submit -o log/pbs single.pbs)
ended_well "a script of PBS" "$job" log/pbs
check "its ranks" grep -q '"ranks": 2,' pbs/summary.json

# ------------------------------------------------------------------ a node is lost
job=$(submit "${two[@]}" -o log/lost "$jobs/slurm/requeue.sbatch" "${run[@]}" -uls_max_it 60 -output_dir lost)
at lost 12 || fail "lost: does not begin" log/lost
lost=$(ctl scontrol show hostnames "$(ctl squeue -h -j "$job" -o %N)" | tail -n 1)
cluster cut "$lost"
now=$(ends "$job" PENDING COMPLETED FAILED NODE_FAIL)
check "a job whose node is lost is $now" test "$now" = PENDING
ended_well "gone on with elsewhere" "$job" log/lost
check "gone on with where the node was lost" test "$(ctl scontrol show job "$job" | grep -oP '^ *NodeList=\K.*' | grep -c "$lost")" = 0
check "lost: not gone on with" grep -q '"resumed_at": [1-9]' lost/summary.json
check "lost: steps" grep -q '"steps": 60,' lost/summary.json
finish
