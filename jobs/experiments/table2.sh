#!/usr/bin/env bash
#SBATCH --job-name=table2
#SBATCH --ntasks=4
#SBATCH --time=04:00:00
#SBATCH --output=table2-%A_%a.out
# Table 2 of the paper: objective and test accuracy at w(lambda), the lower level's own solution, at the lambdas that the runs of
# Table 1 come to. Arguments, runs and folders are those of table1.sh (-h tells them); table2.md takes the place of table1.md.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ -e "$here/table1.sh" ] || # a batch system runs a copy of this
  here=${SLURM_SUBMIT_DIR:-${PBS_O_WORKDIR:-${LS_SUBCWD:-${SGE_O_WORKDIR:-$PWD}}}}/jobs/experiments
if [ ! -e "$here/table1.sh" ]; then
  echo "table2: submit this job from the project's folder: there is no ${here%/*}/experiments/table1.sh" >&2
  exit 66
fi
exec bash "$here/table1.sh" --table 2 "$@"
