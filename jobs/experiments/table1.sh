#!/usr/bin/env bash
#SBATCH --job-name=table1
#SBATCH --ntasks=4
#SBATCH --time=04:00:00
#SBATCH --output=table1-%A_%a.out
# Table 1 of the paper, and Table 2 beside it: the objective and the test accuracy that each hypergradient brings the upper
# level to, at w_t and at w(lambda), on each of three data sets. A cell is a list of `twofold solve`: some upper steps with each
# step size of a grid, and the rest with the best of them. Then the tables, and pictures by gnuplot.
set -euo pipefail

usage() {
  cat >&2 <<'END'
usage: jobs/experiments/table1.sh [--data NAME] [OPTION...] [CELL...]
  --data NAME         20news (default), parkinson or fashion-mnist
  CELL                METHOD-T: itd, fp, cg (k = T) and with their k behind fp10, cg10 (fp5, cg5), T steps of the lower level
                        20news         T = 10, 25, 50, with 25 and 50 also k = 10
                        parkinson      T = 100, 150, also k = 10
                        fashion-mnist  T = 5, 10, with 10 also k = 5
                      (default: all 13, 10 or 8)
  --splits "1 2 3"    random thirds of the samples, by their seeds (default 1, parkinson 1 to 10; fashion-mnist: only 1)
  --weights "count tfidf"   features of 20news (default count)
  --grid "S1 S2..."   upper step sizes
  --probe N           upper steps made with each of them; the one with the lowest objective then goes on (50)
  --upper N           upper steps in all (500, parkinson 1000, fashion-mnist 4000)
  --quick             made-up samples, 10 upper steps, 2 step sizes: within a minute
  -n RANKS            MPI ranks (default 2, parkinson 1; in a batch job all that it has)
  -o DIR              results (default runs/table1, runs/table1-parkinson, runs/table1-fashion-mnist, with --quick
                      ...-quick): a folder a cell, table1.csv, table1.md, pictures; what is there is not run again, and what
                      was stopped goes on from its checkpoint
  --table 2           table2.md in place of table1.md, of the same runs
  --list              print the cells, numbered, and do nothing
  --task N            only the N-th of the list, and no tables: what one element of a job array does
  --gather-only       only tables and pictures, of the cells that are there
As a job array: sbatch --array=1-13 jobs/experiments/table1.sh, likewise with PBS, LSF and Grid Engine; then --gather-only.
Environment: TWOFOLD, the program (build/release/twofold); TWOFOLD_LAUNCH, what starts it, as "srun --mpi=pmix"
Exit code: 0 done; 64 wrong usage; 66 no program or data; 69 a cell whose run diverged with every step size, or no gnuplot,
pictures missing; otherwise that of the run that failed
END
  exit 64
}
# ------------------------------------------------------------------ where we are: a batch system runs a copy of this
experiment=table1
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
data=20news splits='' weights='' grid='' probe='' upper='' quick='' ranks='' out='' list='' task='' gather='' table=1 cells=()
while [ $# -gt 0 ]; do
  case $1 in
  --quick) quick=-quick ;;
  --list) list=yes ;;
  --gather-only) gather=only ;;
  --data | --splits | --weights | --grid | --probe | --upper | --task | --table | -n | -o)
    [ $# -ge 2 ] || usage
    case $1 in
    --data) data=$2 ;; --splits) splits=$2 ;; --weights) weights=$2 ;; --grid) grid=$2 ;; --probe) probe=$2 ;;
    --upper) upper=$2 ;; --task) task=$2 ;; --table) table=$2 ;; -n) ranks=$2 ;; -o) out=$2 ;;
    esac
    shift
    ;;
  -*) usage ;;
  *) cells+=("$1") ;;
  esac
  shift
done

# What is the data set's own: its cells, defaults in full and with --quick, and how its features are called.
case $data in
20news)
  all=(itd-10 fp-10 cg-10 itd-25 fp-25 cg-25 fp10-25 cg10-25 itd-50 fp-50 cg-50 fp10-50 cg10-50)
  kinds='count tfidf' name='' few=1 own=(2 500 "30 100 200 400 1000 2000 5000 10000 20000" "30 100")
  ;;
parkinson)
  all=(itd-100 fp-100 cg-100 fp10-100 cg10-100 itd-150 fp-150 cg-150 fp10-150 cg10-150)
  kinds=standard name=-parkinson few='1 2 3 4 5 6 7 8 9 10' own=(1 1000 "0.01 0.03 0.1 0.3 1 3 10" "0.1 1")
  ;;
fashion-mnist)
  all=(itd-5 fp-5 cg-5 itd-10 fp-10 cg-10 fp5-10 cg5-10)
  kinds=pixels name=-fashion-mnist few=1 own=(2 4000 "3e-8 1e-7 3e-7 1e-6 3e-6" "1e-5 1e-4")
  ;;
*) usage ;;
esac
for cell in "${cells[@]}"; do [[ " ${all[*]} " == *" $cell "* ]] || usage; done
[ ${#cells[@]} -gt 0 ] || cells=("${all[@]}")
splits=${splits:-$([ -n "$quick" ] && echo 1 || echo "$few")}
weights=${weights:-${kinds%% *}}
grid=${grid:-$([ -n "$quick" ] && echo "${own[3]}" || echo "${own[2]}")}
probe=${probe:-$([ -n "$quick" ] && echo 4 || echo 50)}
upper=${upper:-$([ -n "$quick" ] && echo 10 || echo "${own[1]}")}
find_task
[[ $splits =~ ^($number ?)+$ && $weights =~ ^((${kinds// /|}) ?)+$ && $grid =~ ^($real ?)+$ && $table =~ ^[12]$ ]] || usage
[[ "$probe $upper ${ranks:-1}" =~ ^$number\ $number\ $number$ ]] || usage
[ "$probe" -le "$upper" ] || usage
[ -z "$quick" ] || [ "$weights" != tfidf ] || usage # made-up text has counts
[ "$data" != fashion-mnist ] || [ "$splits" = 1 ] || usage # there is nothing to split

runs=()
for weight in $weights; do
  for split in $splits; do
    for cell in "${cells[@]}"; do runs+=("$weight-$split/$cell"); done
  done
done
choose_runs

find_results "table1$name$quick"
[ -n "$gather" ] || find_program
find_launch
launch_on "${own[0]}"

# ------------------------------------------------------------------ the setting
# The fixed-point method is on the map of the lower level, CG on gradient descent with step 1; both from v = 0. The tolerance of
# w(lambda) is on the gradient, next to |w|.
#   20news         t steps of heavy ball, whose state is (w, w_prev), from where the last one ended. lambda starts at 0.
#   parkinson      t steps of heavy ball with the constants that are optimal at lambda, from 0. gamma starts at 1/p, beta at 1.
#   fashion-mnist  t steps of gradient descent with the step that is optimal at lambda, from 0. lambda, the images, starts at 0.
files=''
found() { [ -n "$quick$gather" ] || files=$("$root/jobs/get-data.sh" "$1"); }
case $data in
20news)
  found 20news
  ball() { echo "-$1_fpm_type heavyball -$1_fpm_step $([ -n "$quick" ] && echo 20 || echo 100) -$1_fpm_momentum 0.9"; }
  own=(-blp_type softmax -blp_lambda 0 -lls_warm_start -uls_eval_every 10 -checkpoint_every 25)
  made=(-blp_data synthetic_text -blp_synthetic_n 200 -blp_synthetic_nval 200 -blp_synthetic_ntest 200 -blp_synthetic_p 800)
  read_in() { options=(-blp_data "$files" -blp_split third -blp_seed "$2" -text_weight "$1"); }
  ;;
parkinson)
  found parkinsons
  ball() { echo "-$1_fpm_type heavyball -$1_fpm_step optimal"; }
  own=(-blp_type krr -uls_eval_every 10 -checkpoint_every 100)
  made=(-blp_data synthetic -blp_synthetic_kind sign -blp_synthetic_n 40 -blp_synthetic_nval 40 -blp_synthetic_ntest 40
    -blp_synthetic_p 5)
  read_in() {
    options=(-blp_data "$files/parkinsons.data" -data_csv_drop name -data_scale standard -blp_split third
      -blp_seed "$2")
  }
  ;;
fashion-mnist)
  found fashion-mnist
  ball() { echo "-$1_fpm_type gd -$1_fpm_step optimal"; }
  own=(-blp_type distill -blp_distill_images 1 -blp_distill_beta 1 -blp_distill_start zero -uls_eval_every 100
    -checkpoint_every 100)
  made=(-blp_data synthetic_text -blp_synthetic_n 100 -blp_synthetic_nval 200 -blp_synthetic_ntest 200 -blp_synthetic_p 300
    -blp_synthetic_classes 10)
  read_in() { # the training images are those of the upper level
    options=(-blp_train "$files/train-images-idx3-ubyte.gz" -blp_val "$files/train-images-idx3-ubyte.gz"
      -blp_test "$files/t10k-images-idx3-ubyte.gz")
  }
  ;;
esac
exact=(-uls_eval_exact -uls_eval_lls_rtol 1e-9)
adjoint() { # METHOD T
  local k=${1//[a-z]/}
  case $1 in
  itd) echo "-hg_type itd" ;;
  fp*) echo "-hg_type aid -hg_ksp_type fixedpoint $(ball hg) -hg_ksp_rtol 0 -hg_ksp_max_it ${k:-$2}" ;;
  cg*) echo "-hg_type aid -hg_ksp_rtol 0 -hg_ksp_max_it ${k:-$2}" ;;
  esac
}

# ------------------------------------------------------------------ one cell
below() { # DIR OTHER: its objective is not above the other's
  awk -v a="$(told "$1" objective)" -v b="$(told "$2" objective)" 'BEGIN { exit !(a != "" && b != "" && a + 0 <= b + 0) }'
}
best_first() { # FOLDER: the step sizes that got below where they began
  local step dir
  for step in $grid; do
    dir=$1/step-$step
    if converged "$dir"; then echo "$(told "$dir" objective) $(sed -n 2p "$dir/history.csv" | cut -d, -f2) $step"; fi
  done | awk '$1 < $2 { print $1, $3 }' | sort -g | cut -d' ' -f2
}
run() { # WEIGHT-SPLIT/METHOD-T
  local folder=$out/$1 weight=${1%%-*} cell=${1##*/} split options level step best=''
  split=${1#*-}
  split=${split%%/*}
  if [ -n "$quick" ]; then options=("${made[@]}" -blp_seed "$split"); else read_in "$weight" "$split"; fi
  read -r -a level <<<"-lls_max_it ${cell#*-} $(ball lls) $(adjoint "${cell%-*}" "${cell#*-}")"
  options+=("${own[@]}" "${level[@]}" -uls_type descent -quiet)
  mkdir -p "$folder"
  for step in $grid; do
    solve "$folder/step-$step" "$probe" "${options[@]}" -uls_step "$step"
  done
  for step in $(best_first "$folder"); do
    if [ ! -e "$folder/final-$step" ]; then # from where the grid left it
      rm -rf "$folder/copy"
      cp -r "$folder/step-$step" "$folder/copy"
      rm "$folder/copy/summary.json" # it has no w(lambda)
      mv "$folder/copy" "$folder/final-$step"
    fi
    solve "$folder/final-$step" "$upper" "${options[@]}" -uls_step "$step" "${exact[@]}"
    if ! converged "$folder/final-$step"; then
      say "$1: step size $step diverged later on"
    elif below "$folder/final-$step" "$folder/step-$step"; then
      best=$step
      break
    else # the map may lose its contraction, or the hypergradient its worth
      say "$1: step size $step came to $(told "$folder/final-$step" objective), above where the grid left it"
      if [ -z "$best" ] || below "$folder/final-$step" "$folder/final-$best"; then best=$step; fi
    fi
  done
  if [ -z "$best" ]; then
    say "$1: every step size diverged"
    rm -f "$folder/chosen"
    failed=69
    return 0
  fi
  echo "$best" >"$folder/chosen.new"
  mv "$folder/chosen.new" "$folder/chosen"
  rm -rf "$folder"/step-*/checkpoint "$folder"/step-*/solution.h5 # of 20 newsgroups 50 MB each
}
failed=0
if [ -z "$gather" ]; then
  mkdir -p "$out"
  for name in "${runs[@]}"; do run "$name"; done
fi
if [ -n "$task" ]; then exit "$failed"; fi

# ------------------------------------------------------------------ what came of it
rows() { # of table1.csv: one for each cell that is there, also of earlier runs
  local chosen folder dir step name tried
  echo "weight,split,cell,upper_step,least_tried,most_tried,steps,objective,test_loss,test_accuracy,exact_objective,$(
    )exact_test_loss,exact_test_accuracy,exact_change,exact_reason,lower_steps,adjoint_steps,solve_s,exact_s,ranks,peak_bytes"
  for chosen in "$out"/*-*/*-*/chosen; do
    [ -e "$chosen" ] || continue
    folder=${chosen%/chosen}
    step=$(cat "$chosen")
    dir=$folder/final-$step
    name=${folder#"$out/"}
    tried=$(for d in "$folder"/step-*; do echo "${d##*/step-}"; done | sort -g)
    awk -F, -v OFS=, -v name="${name/-/,}" -v step="$step" -v tried="${tried//$'\n'/,}" -v ranks="$(told "$dir" ranks)" \
      -v bytes="$(told "$dir" peak_memory_per_rank_bytes)" '
      NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
      { # the clock begins anew where a run went on; w(lambda) is solved for once it has been read for the last time
        if ($at["elapsed_s"] + 0 < part) before += part
        part = $at["elapsed_s"] + 0
        exact = $at["exact_s"]
      }
      END {
        sub("/", ",", name)
        n = split(tried, t, ",")
        print name, step, t[1], t[n], $at["step"], $at["objective"], $at["test_loss"], $at["test_accuracy"],
          $at["exact_objective"], $at["exact_test_loss"], $at["exact_test_accuracy"], $at["exact_change"],
          $at["exact_reason"], $at["total_lower_steps"], $at["total_adjoint_steps"], before + part, exact, ranks, bytes
      }' "$dir/history.csv"
  done
}
[ -d "$out" ] || { say "there is no $out"; exit 66; }
rows >"$out/table1.csv"
if [ "$(wc -l <"$out/table1.csv")" = 1 ]; then
  say "no cell is done in $out"
  exit "$([ "$failed" != 0 ] && echo "$failed" || echo 66)"
fi
awk -F, -v data="$data" -v table="$table" -f "$root/jobs/experiments/table1.awk" "$out/table1.csv" | tee "$out/table$table.md"
say "$out/table1.csv, table$table.md"

# ------------------------------------------------------------------ pictures
curves() { # WHAT FOLDER...
  local what=$1 histories=()
  shift
  for folder in "$@"; do [ ! -e "$folder/history.csv" ] || histories+=("$folder/history.csv"); done
  awk -F, -v what="$what" -f "$root/jobs/experiments/table1_curves.awk" "${histories[@]}" >"$out/$what.csv"
}
done_with() { # step or final: the folders of the cells that are done
  local chosen
  for chosen in "$out"/*-*/*-*/chosen; do
    if [ "$1" = final ]; then echo "${chosen%/chosen}/final-$(cat "$chosen")"; else printf '%s\n' "${chosen%/chosen}"/step-*; fi
  done
}
mapfile -t finals < <(done_with final)
mapfile -t tries < <(done_with step)
curves curves "${finals[@]}"
curves sensitivity "${tries[@]}"
need gnuplot
there=$(cut -d, -f1 "$out/table1.csv" | sed 1d | sort -u | tr '\n' ' ')
gnuplot -e "dir='$out'; kinds='${there% }'" "$root/jobs/experiments/table1.gp"
say "$out/curves, norms, sensitivity, each for ${there% } as .svg and .png"
exit "$failed"
