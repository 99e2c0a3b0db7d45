# shellcheck shell=bash
# What job scripts have in common, inside of a job: settings, what starts the program, signals passed on to it, and whether it
# is to go on in another job. A script has found `jobs`, this folder, and reads this from there.

# shellcheck source=jobs/site.sh
. "${jobs:?}/site.sh"
say() { echo "$(date '+%F %T') $*"; }

# job_begin: the folder that the job was submitted in, the environment; sets `launch` and `twofold`.
job_begin() {
  cd "${SLURM_SUBMIT_DIR:-${PBS_O_WORKDIR:-${LS_SUBCWD:-${SGE_O_WORKDIR:-$PWD}}}}" || exit 66
  [ -z "$SITE_SETUP" ] || eval "$SITE_SETUP"
  # BLAS would take as many threads as there are cores, in each rank
  export OMP_NUM_THREADS=$SITE_THREADS OPENBLAS_NUM_THREADS=$SITE_THREADS
  # A node that is lost ends the job after about a minute; by themselves, ranks would wait for it for many.
  export OMPI_MCA_oob_tcp_keepalive_time=${OMPI_MCA_oob_tcp_keepalive_time:-30} \
    OMPI_MCA_oob_tcp_keepalive_intvl=${OMPI_MCA_oob_tcp_keepalive_intvl:-5} \
    OMPI_MCA_oob_tcp_keepalive_probes=${OMPI_MCA_oob_tcp_keepalive_probes:-6}
  export SRUN_CPUS_PER_TASK=${SLURM_CPUS_PER_TASK:-1} # which srun does not take over from the job
  [ "$(id -u)" -ne 0 ] || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  if [ -n "$SITE_LAUNCH" ]; then
    read -r -a launch <<<"$SITE_LAUNCH"
  elif [ -n "${SLURM_JOB_ID:-}" ]; then
    # each rank on cores of its own; all ranks end when one does
    launch=(srun --mpi=pmix --kill-on-bad-exit=1 --cpu-bind=cores)
  else
    launch=(mpirun)
    # an Open MPI that was not built for the scheduler is told the hosts
    if [ -r "${PBS_NODEFILE:-}" ]; then launch+=(--hostfile "$PBS_NODEFILE"); fi
    if [ -r "${LSB_DJOB_HOSTFILE:-}" ]; then launch+=(--hostfile "$LSB_DJOB_HOSTFILE"); fi
    launch+=(--bind-to core --map-by "slot:PE=$SITE_THREADS")
  fi
  twofold=${TWOFOLD:-${jobs%/*}/build/release/twofold}
  if [ ! -x "$twofold" ]; then
    say "there is no program $twofold: build it (README), or set TWOFOLD"
    exit 66
  fi
}

# job_folder ARGS...: what stands behind -output_dir
job_folder() {
  while [ $# -gt 1 ]; do
    if [ "$1" = -output_dir ]; then echo "$2"; fi
    shift
  done | tail -n 1
}

# job_unfinished DIR: the run in DIR stopped where it can go on, and wants to
job_unfinished() { [ -n "$1" ] && [ -e "$1/checkpoint/REQUEUE" ]; }

# job_run ARGS...: twofold ARGS on the ranks of the job, gone on with where DIR of -output_dir has a checkpoint. A signal to
# this shell is passed on to the ranks, which then write a checkpoint and end with 75. Returns the program's exit code.
job_run() {
  local dir code pid
  dir=$(job_folder "$@")
  if [ -n "$dir" ] && compgen -G "$dir/checkpoint/step-*.h5" >/dev/null; then set -- "$@" -resume; fi
  say "${launch[*]} $twofold $*"
  "${launch[@]}" "$twofold" "$@" &
  pid=$!
  # SIGUSR1 in place of SIGTERM, on which mpirun would leave the ranks a second; a shell runs its traps only while it waits
  trap 'say "told to end"; kill -USR1 $pid 2>/dev/null' USR1 USR2 TERM XCPU
  while :; do
    code=0
    wait "$pid" || code=$?
    kill -0 "$pid" 2>/dev/null || break
  done
  trap - USR1 USR2 TERM XCPU
  say "exit code $code"
  return "$code"
}
