#!/usr/bin/env bash
#SBATCH --job-name=dataclean
#SBATCH --ntasks=4
#SBATCH --time=01:00:00
#SBATCH --output=dataclean-%j.out
# Hyper-cleaning: half of the training labels are wrong, and a weight a sample is learnt. Test accuracy with learnt weights,
# with none, and with the right ones, as a `twofold solve` each; then a table.
set -euo pipefail

usage() {
  cat >&2 <<'END'
usage: jobs/experiments/dataclean.sh [--quick] [-n RANKS] [-o DIR] [RUN...]
  --quick   made text in place of MNIST, few steps: within a minute on 2 ranks
  -n RANKS  MPI ranks (default 2; in a batch job all that it has)
  -o DIR    results (default runs/dataclean, with --quick runs/dataclean-quick): a run directory a run, dataclean.csv and
            dataclean.md; a run that is there is not run again
  RUN       learnt, unweighted, oracle (default: all)
MNIST: 5,000 training samples, 5,000 validation samples, 10,000 test samples (jobs/get-data.sh mnist finds or fetches it).
As a batch job: sbatch jobs/experiments/dataclean.sh, or the same line in a script for another scheduler.
Environment: TWOFOLD, the program (build/release/twofold); TWOFOLD_LAUNCH, what starts it, as "srun --mpi=pmix"
Exit code: 0 done; 64 wrong usage; 66 no program or no data; otherwise that of the run that failed
END
  exit 64
}
say() { echo "dataclean: $*" >&2; }

# ------------------------------------------------------------------ arguments
all=(learnt unweighted oracle)
quick='' ranks='' out='' runs=()
while [ $# -gt 0 ]; do
  case $1 in
  --quick) quick=-quick ;;
  -n | -o)
    [ $# -ge 2 ] || usage
    case $1 in -n) ranks=$2 ;; -o) out=$2 ;; esac
    shift
    ;;
  learnt | unweighted | oracle) runs+=("$1") ;;
  *) usage ;;
  esac
  shift
done
[[ "${ranks:-1}" =~ ^[1-9][0-9]*$ ]] || usage
[ ${#runs[@]} -gt 0 ] || runs=("${all[@]}")

# ------------------------------------------------------------------ where we are: a batch system runs a copy of this
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
submitted=${SLURM_SUBMIT_DIR:-${PBS_O_WORKDIR:-${LS_SUBCWD:-${SGE_O_WORKDIR:-$PWD}}}}
root=$(cd "$here/../.." && pwd)
[ -e "$root/jobs/experiments/dataclean.sh" ] || root=$submitted
if [ ! -e "$root/jobs/experiments/dataclean.sh" ]; then
  say "submit this job from the project's folder: there is no jobs/experiments in $root"
  exit 66
fi
out=${out:-runs/dataclean$quick}
[[ $out = /* ]] || out=$submitted/$out
twofold=${TWOFOLD:-$root/build/release/twofold}
if [ ! -x "$twofold" ]; then
  say "there is no program $twofold: cmake --preset release && cmake --build build/release, or set TWOFOLD"
  exit 66
fi

# ------------------------------------------------------------------ how it is started
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
allocated=${SLURM_NTASKS:-${PBS_NP:-${LSB_DJOB_NUMPROC:-${NSLOTS:-}}}}
ranks=${ranks:-${allocated:-2}}
if [ -n "${TWOFOLD_LAUNCH:-}" ]; then
  read -r -a launch <<<"$TWOFOLD_LAUNCH"
else
  launch=(mpirun -n "$ranks")
  if [ -z "$allocated" ]; then # also with fewer cores than ranks
    export OMPI_MCA_rmaps_base_oversubscribe=1 PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe
  fi
  [ "$(id -u)" -ne 0 ] || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi

# ------------------------------------------------------------------ the runs
# The same problem from other weights; where they are not learnt there is no upper step. The lower level is solved to a
# tolerance, so that what is compared is w(lambda).
if [ -n "$quick" ]; then
  data=(-blp_data synthetic_text -blp_synthetic_n 400 -blp_synthetic_nval 200 -blp_synthetic_ntest 1000 -blp_synthetic_p 500
    -blp_synthetic_classes 4 -blp_synthetic_length 40 -blp_synthetic_topic 0.2)
  steps=40 step=2000
else
  folder=$("$root/jobs/get-data.sh" mnist | tail -n 1)
  data=(-blp_data "$folder/train-images-idx3-ubyte.gz" -blp_split "0.083334,0.083334"
    -blp_test "$folder/t10k-images-idx3-ubyte.gz")
  steps=200 step=20000
fi
how=(-blp_type dataclean -blp_dataclean_corrupt 0.5 -lls_fpm_type nesterov -lls_fpm_step optimal -lls_max_it 2000
  -lls_rtol 1e-5 -lls_warm_start -hg_ksp_max_it 100 -hg_ksp_rtol 1e-3 -uls_step "$step" -blp_view -quiet)

run() { # RUN
  local dir=$out/$1 own
  if [ -e "$dir/summary.json" ]; then
    say "$1 is there already: $dir"
    return
  fi
  case $1 in
  learnt) own=(-blp_dataclean_start zero -uls_max_it "$steps") ;;
  unweighted) own=(-blp_dataclean_start all -uls_max_it 0) ;;
  oracle) own=(-blp_dataclean_start oracle -uls_max_it 0) ;;
  esac
  say "${launch[*]} $twofold solve ${data[*]} ${how[*]} ${own[*]} -output_dir $dir"
  "${launch[@]}" "$twofold" solve "${data[@]}" "${how[@]}" "${own[@]}" -output_dir "$dir"
}

mkdir -p "$out"
for name in "${runs[@]}"; do run "$name"; done

# ------------------------------------------------------------------ what came of it
value() { # FILE SET KEY: of summary.json; without SET its own
  awk -v set="$2" -v key="\"$3\":" '
    set != "" && $1 == "\"" set "\":" { inside = 1 }
    $1 == key && (set == "" || inside) { sub(/,$/, "", $2); print $2; exit }
    /}/ { inside = 0 }' "$1"
}
export LC_ALL=C
{
  echo "run,val_loss,val_accuracy,test_loss,test_accuracy,seconds"
  for name in "${all[@]}"; do # also those of earlier runs
    file=$out/$name/summary.json
    [ -e "$file" ] || continue
    echo "$name,$(value "$file" val loss),$(value "$file" val accuracy),$(value "$file" test loss),$(value "$file" test \
      accuracy),$(value "$file" '' solve_s)"
  done
} >"$out/dataclean.csv"
awk -F, 'NR == 1 { print "| weights | validation loss | test loss | test accuracy |\n|---|---|---|---|"; next }
  { printf "| %s | %.4f | %.4f | %.2f %% |\n", $1, $2, $4, 100 * $5 }' "$out/dataclean.csv" | tee "$out/dataclean.md"
say "$out/dataclean.csv, dataclean.md"
