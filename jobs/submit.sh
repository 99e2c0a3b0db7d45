#!/usr/bin/env bash
# Submits a run to the scheduler that is installed, by a job script of this folder.
set -euo pipefail

usage() {
  cat >&2 <<'USAGE'
usage: jobs/submit.sh [OPTION...] COMMAND [-OPTION [VALUE]]...
  COMMAND...            what stands behind `twofold`: solve -options_file my.opts -output_dir runs/my
  --kind KIND           single (the default); with Slurm also requeue and chain, which go on by themselves until the run is done
  --nodes N             nodes (1)
  --ranks-a-node R      ranks on each (SITE_RANKS_A_NODE of jobs/site.sh)
  --time HH:MM:SS       limit (01:00:00)
  --scheduler NAME      slurm, pbs, lsf or sge (default: the one that is installed)
  --pe NAME             Grid Engine's parallel environment (mpi)
  --dry-run             print the line, or for PBS and LSF the script, that would be submitted, and do nothing
Partition, account and other things of the site: jobs/site.sh, or SITE_... in the environment.
Exit code: 0 submitted; 64 wrong usage; 69 no scheduler here; otherwise that of the scheduler's command
USAGE
  exit 64
}
say() { echo "submit: $*" >&2; }

jobs=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=jobs/site.sh
. "$jobs/site.sh"

# ------------------------------------------------------------------ arguments
kind=single nodes=1 ranks='' time=01:00:00 scheduler='' pe=mpi dry=''
while [ $# -gt 0 ]; do
  case $1 in
  --dry-run) dry=yes ;;
  --kind | --nodes | --ranks-a-node | --time | --scheduler | --pe)
    [ $# -ge 2 ] || usage
    case $1 in
    --kind) kind=$2 ;; --nodes) nodes=$2 ;; --ranks-a-node) ranks=$2 ;; --time) time=$2 ;; --scheduler) scheduler=$2 ;;
    --pe) pe=$2 ;;
    esac
    shift
    ;;
  -*) usage ;;
  *) break ;;
  esac
  shift
done
[ $# -gt 0 ] || usage
ranks=${ranks:-$SITE_RANKS_A_NODE}
number='[1-9][0-9]*'
[[ "$nodes $ranks" =~ ^$number\ $number$ && $time =~ ^[0-9]+:[0-5][0-9]:[0-5][0-9]$ ]] || usage
[[ $kind =~ ^(single|requeue|chain)$ && ${scheduler:-slurm} =~ ^(slurm|pbs|lsf|sge)$ ]] || usage

# Grid Engine has a qsub as PBS has, but an own qconf.
if [ -z "$scheduler" ]; then
  if command -v sbatch >/dev/null; then scheduler=slurm
  elif command -v bsub >/dev/null; then scheduler=lsf
  elif command -v qconf >/dev/null; then scheduler=sge
  elif command -v qsub >/dev/null; then scheduler=pbs
  else
    say "there is no sbatch, bsub or qsub here: --scheduler NAME --dry-run shows what they would get; mpirun starts a run without"
    exit 69
  fi
fi
if [ "$kind" != single ] && [ "$scheduler" != slurm ]; then
  say "--kind $kind is for Slurm; with $scheduler, submit the same line again, and the run goes on from its checkpoint"
  exit 64
fi
IFS=: read -r hours minutes seconds <<<"$time"
seconds=$((10#$hours * 3600 + 10#$minutes * 60 + 10#$seconds))

# ------------------------------------------------------------------ submit
# An empty setting is no argument.
with() { [ -z "$2" ] || printf '%s\n' "$1$2"; }
do_it() {
  if [ -n "$dry" ]; then
    printf '%q ' "$@"
    echo
  else
    exec "$@"
  fi
}
# The template with the run in it, for a scheduler that gives a script no arguments.
filled() { # TEMPLATE ARGS...
  local template=$1 words
  shift
  words=$(printf ' %q' "$@")
  WORDS=${words# } SECONDS_=$seconds awk '
    /^run=\(/ { print "run=(" ENVIRON["WORDS"] ")"; next }
    /^walltime=/ { print "walltime=" ENVIRON["SECONDS_"] " # s"; next }
    { print }' "$template"
}
export TWOFOLD_JOBS=$jobs
case $scheduler in
slurm)
  mapfile -t asked < <(with --partition= "$SITE_PARTITION"; with --account= "$SITE_ACCOUNT")
  do_it sbatch --nodes="$nodes" --ntasks-per-node="$ranks" --cpus-per-task="$SITE_THREADS" --time="$time" \
    --signal="B:USR1@$SITE_GRACE" "${asked[@]}" "$jobs/slurm/$kind.sbatch" "$@"
  ;;
sge)
  mapfile -t asked < <([ -z "$SITE_PARTITION" ] || printf '%s\n' -q "$SITE_PARTITION"; [ -z "$SITE_ACCOUNT" ] || printf '%s\n' -P "$SITE_ACCOUNT")
  do_it qsub -V -pe "$pe" "$((nodes * ranks))" -l "h_rt=$time" "${asked[@]}" "$jobs/sge/single.sge" "$@"
  ;;
pbs | lsf)
  if [ "$scheduler" = pbs ]; then
    mapfile -t asked < <([ -z "$SITE_PARTITION" ] || printf '%s\n' -q "$SITE_PARTITION"; [ -z "$SITE_ACCOUNT" ] || printf '%s\n' -A "$SITE_ACCOUNT")
    line=(qsub -V -l "select=$nodes:ncpus=$((ranks * SITE_THREADS)):mpiprocs=$ranks" -l "walltime=$time" "${asked[@]}")
    script=$(filled "$jobs/pbs/single.pbs" "$@")
  else
    mapfile -t asked < <([ -z "$SITE_PARTITION" ] || printf '%s\n' -q "$SITE_PARTITION"; [ -z "$SITE_ACCOUNT" ] || printf '%s\n' -P "$SITE_ACCOUNT")
    line=(bsub -n "$((nodes * ranks))" -R "span[ptile=$ranks]" -W "$(((seconds + 59) / 60))" -wa USR2 -wt "$(((SITE_GRACE + 59) / 60))" "${asked[@]}")
    script=$(filled "$jobs/lsf/single.lsf" "$@")
  fi
  if [ -n "$dry" ]; then
    printf '# %s <<THIS\n%s\n' "$(printf '%q ' "${line[@]}")" "$script"
  else
    "${line[@]}" <<<"$script"
  fi
  ;;
esac
