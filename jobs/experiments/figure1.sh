#!/usr/bin/env bash
#SBATCH --job-name=figure1
#SBATCH --ntasks=4
#SBATCH --time=00:30:00
#SBATCH --output=figure1-%j.out
# Figure 1 of the paper: the error of hypergradients against the number of steps, on four synthetic problems, as a
# `twofold study` each; then the figure by gnuplot and what it shows as a table.
set -euo pipefail

usage() {
  cat >&2 <<'END'
usage: jobs/experiments/figure1.sh [--quick] [-n RANKS] [-g GROUPS] [-o DIR] [PANEL...]
  --quick    small problems, few lambdas and steps: within a minute on 2 ranks
  -n RANKS   MPI ranks (default 2; in a batch job all that it has)
  -g GROUPS  groups of ranks that share the lambdas out among them (default: one a rank)
  -o DIR     results (default runs/figure1, with --quick runs/figure1-quick): a run directory a panel, figure1.csv,
             figure1.svg, figure1.png, and figure1.txt, what the figure must show; a panel that is there is not run again
  PANEL      logistic, krr, biasedreg, hyperrep (default: all)
As a batch job: sbatch jobs/experiments/figure1.sh, or the same line in a script for another scheduler.
Environment: TWOFOLD, the program (build/release/twofold); TWOFOLD_LAUNCH, what starts it, as "srun --mpi=pmix"
Exit code: 0 done; 64 wrong usage; 66 no program; 69 no gnuplot, figures missing; otherwise that of the run that failed
END
  exit 64
}
# ------------------------------------------------------------------ where we are: a batch system runs a copy of this
experiment=figure1
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
all=(logistic krr biasedreg hyperrep)
quick='' lambdas=20 ranks='' groups='' out='' panels=()
while [ $# -gt 0 ]; do
  case $1 in
  --quick) quick=-quick lambdas=5 ;;
  -n | -g | -o)
    [ $# -ge 2 ] || usage
    case $1 in -n) ranks=$2 ;; -g) groups=$2 ;; -o) out=$2 ;; esac
    shift
    ;;
  logistic | krr | biasedreg | hyperrep) panels+=("$1") ;;
  *) usage ;;
  esac
  shift
done
[[ "${ranks:-1}${groups:-1}" =~ ^[1-9][0-9]*$ ]] || usage
[ ${#panels[@]} -gt 0 ] || panels=("${all[@]}")

find_results "figure1$quick"
find_program
find_launch
launch_on 2
groups=${groups:-$ranks}

# ------------------------------------------------------------------ the panels
# What `twofold study` is told of each: n training and as many validation samples of p features, a box of lambda, steps of
# the lower level. The boxes follow from the condition number kappa = L / mu, by formula, which is to be within 10 .. 1000:
#   logistic, krr  the entries that set mu (all; beta) lie in [b/100, b], b the number at which kappa = 10: L - mu = 9 b.
#                  L - mu is 259.3 for logistic and 25.5 .. 26.5 for krr (quick: 50.4; 20.9) at gamma = 1/p, the middle of
#                  krr's box [0.5/p, 1.5/p]
#   biasedreg      kappa does not depend on lambda: it is 100, L - mu = 99 beta (1037.4; quick 201.6), and lambda, to which
#                  w is drawn, has the variance of the w that made the data: [-sqrt 3, sqrt 3]
#   hyperrep       the unit box: kappa is about 100 there, and about 6 in boxes around 0
samples() { echo "-blp_data synthetic -blp_synthetic_n $1 -blp_synthetic_nval $1 -blp_synthetic_p $2"; }
box() { echo "-study_lambda_min $1 -study_lambda_max $2"; }
problem() { # PANEL: its formulas, its lower level's map
  local dim=10
  [ -z "$quick" ] || dim=6
  case $1 in
  logistic) echo "-blp_type logistic -lls_fpm_type gd" ;;
  krr) echo "-blp_type krr -blp_krr_parameters raw -lls_fpm_type heavyball" ;;
  biasedreg) echo "-blp_type biasedreg -lls_fpm_type heavyball" ;;
  hyperrep) echo "-blp_type hyperrep -blp_hyperrep_dim $dim -lls_fpm_type heavyball" ;;
  esac
}
sizes() { # PANEL
  case $1$quick in
  logistic) echo "$(samples 500 100) $(box 0.288 28.8) -study_at 0:300:5" ;;
  krr) echo "$(samples 100 20) $(box 0.0294,0.025 2.94,0.075) -study_at 0:200:4" ;;
  biasedreg) echo "-blp_biasedreg_beta 10.5 $(samples 500 100) $(box -1.73 1.73) -study_at 0:200:4" ;;
  hyperrep) echo "$(samples 100 50) $(box 0 1) -study_at 0:300:5" ;;
  logistic-quick) echo "$(samples 100 20) $(box 0.056 5.6) -study_at 0:300:6" ;;
  krr-quick) echo "$(samples 60 10) $(box 0.0232,0.05 2.32,0.15) -study_at 0:200:4" ;;
  biasedreg-quick) echo "-blp_biasedreg_beta 2.04 $(samples 100 20) $(box -1.73 1.73) -study_at 0:200:4" ;;
  hyperrep-quick) echo "$(samples 60 30) $(box 0 1) -study_at 0:200:4" ;;
  esac
}
how=(-lls_fpm_step optimal -study_methods "itd,fp,cg,fp:10,cg:10" -study_samples "$lambdas" -study_seed 1
  -study_parts -hg_certificate bound -study_groups "$groups" -error_if_not_converged -quiet)

run() { # PANEL
  local dir=$out/$1 options
  if [ -e "$dir/summary.json" ] && ! grep -q '"stopped"' "$dir/summary.json"; then
    say "there already: $dir"
    return
  fi
  rm -f "$dir/study.csv" "$dir/means.csv" "$dir/summary.json" # of a run that was killed before its summary, or stopped
  read -r -a options <<<"$(problem "$1") $(sizes "$1")"
  say "${launch[*]} $twofold study ${options[*]} ${how[*]} -output_dir $dir"
  "${launch[@]}" "$twofold" study "${options[@]}" "${how[@]}" -output_dir "$dir"
}

mkdir -p "$out"
for panel in "${panels[@]}"; do run "$panel"; done

# ------------------------------------------------------------------ what came of it
there=() means=() rows=()
for panel in "${all[@]}"; do # also those of earlier runs
  [ -e "$out/$panel/summary.json" ] || continue
  there+=("$panel")
  means+=("$out/$panel/means.csv")
  rows+=("$out/$panel/study.csv")
done
awk 'FNR == 1 { n = split(FILENAME, part, "/"); if (NR == 1) print "panel," $0; next } { print part[n - 1] "," $0 }' \
  "${means[@]}" >"$out/figure1.csv"
awk -F, -f "$root/jobs/experiments/figure1.awk" "${means[@]}" "${rows[@]}" | tee "$out/figure1.txt" ||
  say "not all of this is as it must be"

need gnuplot
gnuplot -e "dir='$out'; panels='${there[*]}'" "$root/jobs/experiments/figure1.gp"
say "$out/figure1.svg, figure1.png, figure1.csv, figure1.txt"
