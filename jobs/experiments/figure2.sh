#!/usr/bin/env bash
#SBATCH --job-name=figure2
#SBATCH --ntasks=4
#SBATCH --time=02:00:00
#SBATCH --output=figure2-%A_%a.out
# Figure 2 of the paper: equilibrium models trained by the hypergradients of ITD, of the fixed-point method and of CG on the
# normal equations, with A projected onto the matrices of norm at most 0.99 and without, from several starts and with several
# learning rates. Each run is one `twofold solve`.
set -euo pipefail

usage() {
  cat >&2 <<'END'
usage: jobs/experiments/figure2.sh [OPTION...] [PART...]
  PART                KIND/METHOD: projected/itd, projected/fp, projected/cg, free/itd, free/fp, free/cg (default: all)
  --seeds "1 2..."    random starts (default "1 2 3 4 5")
  --step S            learning rate of these runs (0.2; --quick 0.5)
  --upper N           upper steps of these runs (1000)
  --sweep "S1 S2..."  other learning rates, from the first start (default "0.02 0.05 0.1 0.5 1 2")
  --sweep-upper N     upper steps with each of them, after which learning rates are compared (200)
  --every N           test accuracy and local contraction every N upper steps (20)
  --quick             few made-up samples and small states: within a minute
  -n RANKS            MPI ranks (default 2; in a batch job all that it has)
  -o DIR              results (default runs/figure2, with --quick runs/figure2-quick): a folder a run, tables and pictures; what
                      is there is not run again, and what was stopped goes on from its checkpoint
  --list              print the runs, numbered, and do nothing
  --task N            only the N-th of the list, and no tables: what one element of a job array does
  --gather-only       only the tables and pictures, of what is there, also of runs that have not ended
MNIST: the first 5,000 training and all test images (jobs/get-data.sh mnist finds or fetches it).
As a job array: sbatch --array=1-66 jobs/experiments/figure2.sh, likewise with PBS, LSF and Grid Engine; then --gather-only.
Environment: TWOFOLD, the program (build/release/twofold); TWOFOLD_LAUNCH, what starts it, as "srun --mpi=pmix"
Exit code: 0 done; 64 wrong usage; 66 no program or data; 69 done, but no gnuplot for the pictures; otherwise that of the run
that failed
END
  exit 64
}
# ------------------------------------------------------------------ where we are: a batch system runs a copy of this
experiment=figure2
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
all=(projected/fp projected/cg projected/itd free/fp free/cg free/itd)
seeds='' step='' upper='' sweep='-' sweep_upper='' every='' quick='' ranks='' out='' list='' task='' gather='' parts=()
while [ $# -gt 0 ]; do
  case $1 in
  --quick) quick=-quick ;;
  --list) list=yes ;;
  --gather-only) gather=only ;;
  --seeds | --step | --upper | --sweep | --sweep-upper | --every | --task | -n | -o)
    [ $# -ge 2 ] || usage
    case $1 in
    --seeds) seeds=$2 ;; --step) step=$2 ;; --upper) upper=$2 ;; --sweep) sweep=$2 ;; --sweep-upper) sweep_upper=$2 ;;
    --every) every=$2 ;; --task) task=$2 ;; -n) ranks=$2 ;; -o) out=$2 ;;
    esac
    shift
    ;;
  *)
    [[ " ${all[*]} " == *" $1 "* ]] || usage
    parts+=("$1")
    ;;
  esac
  shift
done
[ ${#parts[@]} -gt 0 ] || parts=("${all[@]}")
seeds=${seeds:-$([ -n "$quick" ] && echo 1 2 || echo 1 2 3 4 5)}
step=${step:-$([ -n "$quick" ] && echo 0.5 || echo 0.2)}
[ "$sweep" != - ] || sweep=$([ -n "$quick" ] && echo 0.1 2 || echo 0.02 0.05 0.1 0.5 1 2)
upper=${upper:-$([ -n "$quick" ] && echo 24 || echo 1000)}
sweep_upper=${sweep_upper:-$([ -n "$quick" ] && echo 16 || echo 200)}
every=${every:-$([ -n "$quick" ] && echo 4 || echo 20)}
find_task
[[ $seeds =~ ^($number ?)+$ && $step =~ ^$real$ && $sweep =~ ^($real ?)*$ ]] || usage
[[ "$upper $sweep_upper $every ${ranks:-1}" =~ ^$number\ $number\ $number\ $number$ ]] || usage
[ "$sweep_upper" -le "$upper" ] || usage

# The most telling come first: one start, then learning rates, then the other starts.
runs=()
for seed in ${seeds%% *}; do
  for part in "${parts[@]}"; do runs+=("$part/step-$step/seed-$seed"); done
  for s in $sweep; do
    [ "$s" = "$step" ] || for part in "${parts[@]}"; do runs+=("$part/step-$s/seed-$seed"); done
  done
done
for seed in ${seeds#"${seeds%% *}"}; do
  for part in "${parts[@]}"; do runs+=("$part/step-$step/seed-$seed"); done
done
choose_runs

find_results "figure2$quick"
[ -n "$gather" ] || find_program
find_launch
launch_on 2

# ------------------------------------------------------------------ the setting
# t = k = 20 (quick: 8), states from 0, the adjoint from 0; Nesterov momentum 0.9.
t=$([ -n "$quick" ] && echo 8 || echo 20)
method() { # METHOD
  case $1 in
  itd) echo "-hg_type itd" ;;
  fp) echo "-hg_type aid -hg_ksp_type fixedpoint -hg_ksp_rtol 0 -hg_ksp_max_it $t" ;;
  cg) echo "-hg_type aid -hg_ksp_type cgnr -hg_ksp_rtol 0 -hg_ksp_max_it $t" ;;
  esac
}
set_of() { # KIND
  [ "$1" = free ] || echo "-lset_type spectral -lset_radius 0.99"
}
if [ -n "$quick" ]; then
  data=(-blp_data synthetic -blp_synthetic_n 120 -blp_synthetic_ntest 80 -blp_synthetic_p 10 -blp_equilibrium_h 12)
elif [ -z "$gather" ]; then
  folder=$("$root/jobs/get-data.sh" mnist)
  data=(-blp_train "$folder/train-images-idx3-ubyte.gz" -blp_train_first 5000 -blp_test "$folder/t10k-images-idx3-ubyte.gz"
    -blp_equilibrium_h 200)
fi

# ------------------------------------------------------------------ the runs
run() { # KIND/METHOD/step-S/seed-N
  local dir=$out/$1 kind=${1%%/*} rest=${1#*/} size steps=$upper options
  size=${1#*/step-}
  size=${size%%/*}
  [ "$size" = "$step" ] || steps=$sweep_upper
  read -r -a options <<<"$(method "${rest%%/*}") $(set_of "$kind")"
  solve "$dir" "$steps" -blp_type equilibrium "${data[@]}" -blp_equilibrium_seed "${1##*seed-}" -lls_max_it "$t" \
    -blp_equilibrium_it "$t" "${options[@]}" -uls_type descent -uls_step "$size" -uls_momentum 0.9 -uls_momentum_type nesterov \
    -uls_eval_every "$every" -uls_diagnose_every "$every" -checkpoint_every 25 -quiet
}
if [ -z "$gather" ]; then
  mkdir -p "$out"
  for name in "${runs[@]}"; do run "$name"; done
fi
if [ -n "$task" ]; then exit 0; fi

# ------------------------------------------------------------------ what came of it
# The histories, a row an upper step, with the diagnostics beside: the file that all the rest is made of.
rows() {
  local dir name reason first=yes
  for dir in "$out"/{projected,free}/{itd,fp,cg}/step-*/seed-*; do
    if [ ! -s "$dir/history.csv" ] || [ ! -s "$dir/diagnostics.csv" ]; then continue; fi
    name=${dir#"$out/"}
    reason=$(told "$dir" reason)
    awk -F, -v OFS=, -v name="$name" -v reason="${reason:-STOPPED}" -v first="$first" '
      function of(column) { return column in at ? $at[column] : "" }
      BEGIN { split(name, part, "/"); sub("step-", "", part[3]); sub("seed-", "", part[4]) }
      FNR == NR { if (FNR > 1) local[$1] = $2 OFS $3 OFS $4; next }
      FNR == 1 {
        for (i = 1; i <= NF; i++) at[$i] = i
        if (first) print "kind,method,learning_rate,seed,reason,upper_step,objective,hypergradient_norm,test_loss,test_accuracy,lower_s,adjoint_s," \
          "adjoint_steps,adjoint_products,local_q,local_q_bound,norm_A"
        next
      }
      {
        print part[1], part[2], part[3], part[4], reason, $1, of("objective"), of("hypergradient_norm"), of("test_loss"),
          of("test_accuracy"), of("lower_s"), of("adjoint_s"), of("adjoint_steps"), of("adjoint_products"),
          ($1 in local) ? local[$1] : ",,"
      }' "$dir/diagnostics.csv" "$dir/history.csv"
    first=''
  done
}
[ -d "$out" ] || { say "there is no $out"; exit 66; }
rows >"$out/steps.csv"
if [ ! -s "$out/steps.csv" ]; then
  say "no run has begun in $out"
  exit 66
fi
awk -F, -v out="$out" -v main="$step" -v compare="$sweep_upper" -f "$root/jobs/experiments/figure2.awk" "$out/steps.csv" |
  tee "$out/figure2.md"
say "$out/figure2.csv, curves.csv, rates.csv, figure2.md"
if [ "$(wc -l <"$out/curves.csv")" -le 1 ]; then
  say "no run has the learning rate $step, whose curves the picture shows: --step names another one"
  exit 66
fi
need gnuplot
gnuplot -e "dir='$out'; main='$step'" "$root/jobs/experiments/figure2.gp"
say "$out/figure2.svg, figure2.png"
