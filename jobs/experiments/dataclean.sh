#!/usr/bin/env bash
#SBATCH --job-name=dataclean
#SBATCH --ntasks=4
#SBATCH --time=01:00:00
#SBATCH --output=dataclean-%A_%a.out
# Hyper-cleaning: half of the training labels are wrong, and a weight a sample is learnt. Test accuracy with learnt weights,
# with none, and with the right ones, as a `twofold solve` each; how well the weights tell wrong labels from right ones.
set -euo pipefail

usage() {
  cat >&2 <<'END'
usage: jobs/experiments/dataclean.sh [OPTION...] [RUN...]
  RUN               learnt, unweighted, oracle (default: all)
  --seeds "1 2 3"   which labels are wrong, by the seeds of -blp_dataclean_seed (default "1 2 3")
  --corrupt F       fraction of wrong labels (0.5)
  --beta B          of the penalty beta / (2 c p) |w|^2 (10)
  --step S          size of the upper steps (20000: the gradient of one weight falls as 1 / n, and this is 4 n)
  --upper N         upper steps (40)
  --quick           a small made-up text, 15 upper steps: within a minute
  -n RANKS          MPI ranks (default 2; in a batch job all that it has)
  -o DIR            results (default runs/dataclean, with --quick runs/dataclean-quick): a run directory a run, tables and a
                    picture; what is there is not run again, and what was stopped goes on from its checkpoint
  --list            print the runs, numbered, and do nothing
  --task N          only the N-th of the list, and no tables: what one element of a job array does
  --gather-only     only the tables and the picture, of the runs that are there
MNIST: 5,000 training samples, 5,000 validation samples, 10,000 test samples (jobs/get-data.sh mnist finds or fetches it).
As a job array: sbatch --array=1-9 jobs/experiments/dataclean.sh, likewise with PBS, LSF and Grid Engine; then --gather-only.
Environment: TWOFOLD, the program (build/release/twofold); TWOFOLD_LAUNCH, what starts it, as "srun --mpi=pmix"
Exit code: 0 done; 64 wrong usage; 66 no program or no data; 69 done, but no h5dump (weights) or no gnuplot (picture); otherwise
that of the run that failed
END
  exit 64
}
# ------------------------------------------------------------------ where we are: a batch system runs a copy of this
experiment=dataclean
submitted=${SLURM_SUBMIT_DIR:-${PBS_O_WORKDIR:-${LS_SUBCWD:-${SGE_O_WORKDIR:-$PWD}}}}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
[ -e "$root/jobs/experiments/common.sh" ] || root=$submitted
if [ ! -e "$root/jobs/experiments/common.sh" ]; then
  echo "$experiment: submit this job from the project's folder: there is no jobs/experiments in $root" >&2
  exit 66
fi
# shellcheck source=jobs/experiments/common.sh
. "$root/jobs/experiments/common.sh"

# ------------------------------------------------------------------ arguments
all=(learnt unweighted oracle)
seeds='1 2 3' corrupt=0.5 beta='' step='' upper='' quick='' ranks='' out='' list='' task='' gather='' kinds=()
while [ $# -gt 0 ]; do
  case $1 in
  --quick) quick=-quick ;;
  --list) list=yes ;;
  --gather-only) gather=only ;;
  --seeds | --corrupt | --beta | --step | --upper | --task | -n | -o)
    [ $# -ge 2 ] || usage
    case $1 in
    --seeds) seeds=$2 ;; --corrupt) corrupt=$2 ;; --beta) beta=$2 ;; --step) step=$2 ;; --upper) upper=$2 ;;
    --task) task=$2 ;; -n) ranks=$2 ;; -o) out=$2 ;;
    esac
    shift
    ;;
  learnt | unweighted | oracle) kinds+=("$1") ;;
  *) usage ;;
  esac
  shift
done
[ ${#kinds[@]} -gt 0 ] || kinds=("${all[@]}")
beta=${beta:-$([ -n "$quick" ] && echo 1 || echo 10)}
step=${step:-$([ -n "$quick" ] && echo 2000 || echo 20000)}
upper=${upper:-$([ -n "$quick" ] && echo 15 || echo 40)}
find_task
[[ "$corrupt $beta $step" =~ ^$real\ $real\ $real$ && $seeds =~ ^([0-9]+ ?)+$ ]] || usage
[[ "$upper ${ranks:-1}" =~ ^$number\ $number$ ]] || usage

runs=()
for seed in $seeds; do
  for kind in "${kinds[@]}"; do runs+=("$seed/$kind"); done
done
choose_runs

find_results "dataclean$quick"
[ -n "$gather" ] || find_program
find_launch
launch_on 2

# ------------------------------------------------------------------ the setting
# The same problem from other weights; where they are not learnt there is no upper step. The lower level is solved to a
# tolerance, so that what is compared is w(lambda): ||grad l|| <= 1e-6 ||w||.
if [ -n "$quick" ]; then
  data=(-blp_data synthetic_text -blp_synthetic_n 400 -blp_synthetic_nval 200 -blp_synthetic_ntest 1000 -blp_synthetic_p 500
    -blp_synthetic_classes 4 -blp_synthetic_length 40 -blp_synthetic_topic 0.2)
elif [ -z "$gather" ]; then
  folder=$("$root/jobs/get-data.sh" mnist | tail -n 1)
  data=(-blp_data "$folder/train-images-idx3-ubyte.gz" -blp_split "0.083334,0.083334"
    -blp_test "$folder/t10k-images-idx3-ubyte.gz")
fi
how=(-blp_type dataclean -blp_dataclean_corrupt "$corrupt" -blp_dataclean_beta "$beta" -lls_type newton -lls_rtol 1e-6
  -lls_max_it 50 -lls_warm_start -hg_ksp_max_it 200 -hg_ksp_rtol 1e-3 -hg_warm_start -uls_step "$step" -uls_eval_every 1
  -checkpoint_every 10 -blp_view -quiet)

run() { # SEED/KIND
  local own steps=0
  case ${1#*/} in
  learnt) own=zero steps=$upper ;;
  unweighted) own=all ;;
  oracle) own=oracle ;;
  esac
  solve "$out/$1" "$steps" "${data[@]}" "${how[@]}" -blp_dataclean_seed "${1%/*}" -blp_dataclean_start "$own"
}
if [ -z "$gather" ]; then
  for name in "${runs[@]}"; do run "$name"; done
fi
[ -z "$task" ] || exit 0

# ------------------------------------------------------------------ what came of it
value() { # FILE SET KEY: of summary.json; without SET its own
  awk -v set="$2" -v key="\"$3\":" '
    set != "" && $1 == "\"" set "\":" { inside = 1 }
    $1 == key && (set == "" || inside) { sub(/,$/, "", $2); print $2; exit }
    /}/ { inside = 0 }' "$1"
}
lambdas() { # SOLUTION: a number a line
  h5dump -d /lambda -y -w 1 -m '%.9g' "$1" | sed -n 's/^ *\([-+.0-9][-+.0-9e]*\),\{0,1\} *$/\1/p'
}
weights() { # SEED: lambda of the samples, and 1 where the label is wrong, 0 where it is right, as the oracle has it
  local learnt=$out/$1/learnt/solution.h5 oracle=$out/$1/oracle/solution.h5
  if command -v h5dump >/dev/null && [ -s "$learnt" ] && [ -s "$oracle" ]; then
    paste -d' ' <(lambdas "$learnt") <(lambdas "$oracle" | awk '{ print $1 < 0 }')
  fi
}
rows() {
  local dir file seed kind found
  echo "seed,run,upper_step,steps,val_loss,val_accuracy,test_loss,test_accuracy,wrong_labels,precision,recall,solve_s,ranks,$(
    )peak_bytes"
  for dir in "$out"/*/; do # also those of earlier runs
    seed=$(basename "$dir")
    for kind in "${all[@]}"; do
      file=$dir$kind/summary.json
      [ -e "$file" ] || continue
      found=,,
      if [ "$kind" = learnt ]; then # a weight below 1/2 says wrong
        found=$(weights "$seed" | awk '{ wrong += $2; said += $1 < 0; both += $1 < 0 && $2 }
          END { printf "%s,%s,%s", wrong, (said ? both / said : ""), (wrong ? both / wrong : "") }')
      fi
      echo "$seed,$kind,$(sed -n 's/^-uls_step \([^ ]*\).*/\1/p' "$dir$kind/options.opts"),$(value "$file" '' steps),$(
        value "$file" val loss),$(value "$file" val accuracy),$(value "$file" test loss),$(value "$file" test accuracy),$(
        )$found,$(value "$file" '' solve_s),$(value "$file" '' ranks),$(value "$file" '' peak_memory_per_rank_bytes)"
    done
  done
}
curves() { # a row an upper step of each run that learns
  local file seed
  echo "seed,step,objective,val_accuracy,test_accuracy"
  for file in "$out"/*/learnt/history.csv; do
    [ -e "$file" ] || continue
    seed=${file%/learnt/history.csv}
    awk -F, -v OFS=, -v seed="${seed##*/}" 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
      { print seed, $at["step"], $at["objective"], $at["val_accuracy"], $at["test_accuracy"] }' "$file"
  done
}
histogram() { # of all seeds: in 20 bins of the weight
  local dir
  echo "from,to,right,wrong"
  for dir in "$out"/*/; do weights "$(basename "$dir")"; done | awk '
    { bin = int(20 / (1 + exp(-$1))); if (bin > 19) bin = 19; count[bin, $2]++ }
    END { for (bin = 0; bin < 20; bin++) print bin / 20 "," (bin + 1) / 20 "," count[bin, 0] + 0 "," count[bin, 1] + 0 }'
}
[ -d "$out" ] || { say "there is no $out" && exit 66; }
rows >"$out/dataclean.csv"
if [ "$(wc -l <"$out/dataclean.csv")" = 1 ]; then
  say "no run is done in $out"
  exit 66
fi
curves >"$out/curve.csv"
histogram >"$out/weights.csv"
awk -F, -f "$root/jobs/experiments/dataclean.awk" "$out/dataclean.csv" "$out/curve.csv" | tee "$out/dataclean.md"
say "$out/dataclean.csv, dataclean.md, curve.csv, weights.csv"
need h5dump gnuplot
if [ "$(wc -l <"$out/curve.csv")" -gt 1 ]; then
  gnuplot -e "dir='$out'" "$root/jobs/experiments/dataclean.gp"
  say "$out/dataclean.svg, dataclean.png"
fi
