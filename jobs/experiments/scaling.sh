#!/usr/bin/env bash
# Strong and weak scaling of the steps that solvers are made of: runs of `twofold bench` over rank counts and grids, the
# messages between ranks counted, tables, pictures, and what a model measured along with them predicts for many ranks.
set -euo pipefail

usage() {
  cat >&2 <<'END'
usage: jobs/experiments/scaling.sh [OPTION...]
  --strong, --weak, --both    one problem on all rank counts, one that grows with them, or both (the default)
  --ranks "1 2 4 8 16"        rank counts
  --grids "row column square auto"   blocks of features, of samples, of both, or what moves least (-data_grid)
  --data text|DIR             the problem of strong scaling: made-up text (the default), or a folder that -blp_data takes, a
                              random third of which is trained on; weak scaling is of made-up text
  --scheduler local|slurm     the runs one after another here (the default), or a job for each rank count by sbatch
  --node RANKS                ranks of a full node, which the model is measured on, as on 1 rank, if they are among the rank
                              counts (default: this machine's cores; with slurm SITE_RANKS_A_NODE)
  --time HH:MM:SS             limit of each job (00:30:00)
  --network "US GB_S RANKS"   assumed of a cluster: a message's latency and a node's rate between nodes, ranks of a node
                              (default "2 25 64")
  --gather-messages ring|log  assumed: messages a gather takes, size - 1 (the default, as Open MPI does here) or log2 size
  --predict "NAME:N,P,C,NNZ..."   problems to predict for: samples, features, classes, entries
  --runs R                    times each step is measured (11)
  --least                     tables and the model take the least of a step's times instead of the median: for a machine that
                              others use, too
  --quick                     small problems, ranks 1 2 4, few steps: within a minute
  -o DIR                      results (default runs/scaling, with --quick runs/scaling-quick): a folder a run, scaling.csv,
                              scaling.md, prediction.csv, prediction.md, pictures as SVG and PNG; a run that is there is not
                              made again
  --dry-run                   print the runs, or with slurm the job scripts, and do nothing
  --no-gather, --gather-only  only the runs; only tables and pictures of the runs there are
On rank counts above the cores, messages are counted and times are not taken. With a scheduler, its site's ways are set in
jobs/site.sh, or in the environment; --time is a job's limit.
Environment: TWOFOLD, the program (build/release/twofold); TWOFOLD_LAUNCH, what starts it ("mpirun"), to which -n RANKS is added
Exit code: 0 done; 64 wrong usage; 66 no program or data; 69 no gnuplot, pictures missing; otherwise that of the run that failed
END
  exit 64
}
# ------------------------------------------------------------------ where we are: a batch system runs a copy of this
experiment=scaling
submitted=${SLURM_SUBMIT_DIR:-${PBS_O_WORKDIR:-${LS_SUBCWD:-${SGE_O_WORKDIR:-$PWD}}}}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
[ -e "$root/jobs/experiments/common.sh" ] || root=$submitted
if [ ! -e "$root/jobs/experiments/common.sh" ]; then
  echo "$experiment: submit this job from the project's folder: there is no jobs/experiments in $root" >&2
  exit 66
fi
# shellcheck source=jobs/experiments/common.sh
. "$root/jobs/experiments/common.sh"
# shellcheck source=jobs/site.sh
. "$root/jobs/site.sh"

# ------------------------------------------------------------------ arguments
kinds="strong weak" ranks='' grids='' data=text scheduler=local time=00:30:00 node='' network="2 25 64" rounds=ring
problems="20news:6282,101631,20,610687 rcv1:804414,47236,103,60915113 45Mx1M:45e6,1e6,20,4.5e9"
statistic=median times='' quick='' out='' dry='' gather=yes compute=yes given=("$@")
while [ $# -gt 0 ]; do
  case $1 in
  --strong) kinds=strong ;;
  --weak) kinds=weak ;;
  --both) kinds="strong weak" ;;
  --quick) quick=-quick ;;
  --dry-run) dry=yes ;;
  --no-gather) gather='' ;;
  --least) statistic=least ;;
  --gather-only) compute='' ;;
  --ranks | --grids | --data | --scheduler | --time | --node | --network | --gather-messages | --predict | --runs | -o)
    [ $# -ge 2 ] || usage
    case $1 in
    --ranks) ranks=$2 ;; --grids) grids=$2 ;; --data) data=$2 ;; --scheduler) scheduler=$2 ;; --time) time=$2 ;; --node) node=$2 ;;
    -o) out=$2 ;;
    --network) network=$2 ;; --gather-messages) rounds=$2 ;; --predict) problems=$2 ;; --runs) times=$2 ;;
    esac
    shift
    ;;
  *) usage ;;
  esac
  shift
done
ranks=${ranks:-$([ -n "$quick" ] && echo 1 2 4 || echo 1 2 4 8 16)}
grids=${grids:-$([ -n "$quick" ] && echo row column square || echo row column square auto)}
times=${times:-$([ -n "$quick" ] && echo 3 || echo 11)}
[[ $ranks =~ ^($number ?)+$ && "${node:-1}$times" =~ ^$number$ && $network =~ ^$real\ $real\ $number$ ]] || usage
[[ $time =~ ^[0-9]+:[0-5][0-9]:[0-5][0-9]$ && $scheduler =~ ^(local|slurm)$ && $rounds =~ ^(ring|log)$ ]] || usage
for grid in $grids; do [[ $grid =~ ^(row|column|square|auto)$ ]] || usage; done
for problem in $problems; do [[ $problem =~ ^[A-Za-z0-9_.]+:$real,$real,$real,$real$ ]] || usage; done

find_results "scaling$quick"
[ -z "$compute" ] || find_program
if [ "$data" != text ]; then
  [ -e "$data" ] || { say "there is no $data"; exit 66; }
  data=$(realpath "$data")
fi
find_launch
cores=$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc) # which would take them for the number of cores
[ -z "$allocated" ] || cores=$allocated
if [ -z "$node" ]; then
  node=$cores
  if [ "$scheduler" = slurm ]; then node=$SITE_RANKS_A_NODE; fi
fi

# ------------------------------------------------------------------ the problems
text() { echo "-blp_data synthetic_text -blp_synthetic_n $1 -blp_synthetic_p $2 -blp_synthetic_nval ${3:-10}"; }
problem_of() { # KIND RANKS
  case $1$quick in
  strong*) if [ "$data" != text ]; then echo "-blp_data $data -blp_split third"; elif [ -n "$quick" ]; then text 600 6000 100; else text 6282 101631 6282; fi ;;
  weak) text $(($2 * 3000)) $(($2 * 50000)) $(($2 * 3000)) ;;
  weak-quick) text $(($2 * 300)) $(($2 * 3000)) 100 ;;
  esac
}
# What the model is measured by: SAMPLES:FEATURES, more and more entries of X, whose shorter side leaves one cache after another
# (160 bytes times SAMPLES). The first has next to none, and a w beyond the caches.
calibrations="20:1000000 3000:50000 6000:100000 12000:200000 40000:200000 160000:200000"
[ -z "$quick" ] || calibrations="20:6000 600:6000"

grid_of() { # NAME RANKS: Pr,Pc
  local r rows=1
  case $1 in
  row) echo "1,$2" ;;
  column) echo "$2,1" ;;
  square) for ((r = 1; r * r <= $2; r++)); do [ $(($2 % r)) -ne 0 ] || rows=$r; done; echo "$rows,$(($2 / rows))" ;;
  auto) echo auto ;;
  esac
}
# The grids for RANKS that are not the same as one before.
grids_for() {
  local grid shape known=' '
  for grid in $grids; do
    shape=$(grid_of "$grid" "$1")
    [ "$1" -ne 1 ] || shape=1,1
    [[ $known != *" $shape "* ]] || continue
    known+="$shape "
    echo "$grid"
  done
}

# ------------------------------------------------------------------ a run
# bench RANKS DIR OPTIONS...: DIR/summary.json, complete or not at all
bench() {
  local count=$1 dir=$2
  shift 2
  if [ -e "$dir/summary.json" ]; then
    say "there already: $dir"
    return
  fi
  if [ -n "$dry" ]; then
    echo "${launch[*]} -n $count $twofold bench $* -output_dir $dir"
    return
  fi
  rm -rf "$dir" # of a run that was killed
  mkdir -p "$(dirname "$dir")"
  [ -n "${quiet:-}" ] || say "${launch[*]} -n $count $twofold bench $* -output_dir $dir"
  "${launch[@]}" -n "$count" "$twofold" bench "$@" -output_dir "$dir" -quiet >"$dir.log" 2>&1 || {
    local code=$?
    tail -n 20 "$dir.log" >&2
    exit $code
  }
}

# What all ranks send in a whole run, as Open MPI counts it: bytes and messages, in $sends. Without a count this fails.
run_counted() { # RANKS DIR OPTIONS...
  local count=$1 dir=$2 few=(-bench_runs 1 -bench_triad_mb 0.001 -bench_reference false -bench_messages false)
  shift 2
  OMPI_MCA_pml_monitoring_enable=2 OMPI_MCA_pml_monitoring_enable_output=3 OMPI_MCA_pml_monitoring_filename=$dir-sent \
    bench "$count" "$dir" "${few[@]}" "$@"
  compgen -G "$dir-sent*" >/dev/null || return 1
  sends=$(cat "$dir"-sent* | awk '$1 == "E" || $1 == "I" { b += $4; m += $6 } END { printf "%.0f %.0f", b, m }')
  rm -f "$dir"-sent*
}
# A run that makes two more of a step each time sends that much more than the one before: in its warm-up and in its run, and
# with steps of the lower level, where as many that are not timed go before each.
count_steps() { # RANKS DIR STEPS OPTIONS...: writes DIR/sent.json
  local count=$1 dir=$2 steps=$3 step base lower cg each
  shift 3
  run_counted "$count" "$dir/base" -bench_kernels "${steps// /,}" -bench_lower_steps 1 -bench_cg_steps 1 "$@" || return 1
  base=$sends
  echo "{" >"$dir/sent.json.part"
  for step in $steps; do
    lower=3 cg=1 each=4
    [ "$step" != step_cg ] || lower=1 cg=3 each=2
    run_counted "$count" "$dir/$step" -bench_kernels "${steps// /,}" -bench_lower_steps $lower -bench_cg_steps $cg "$@" || return 1
    awk -v n=$((2 * each * count)) -v a="$base" -v b="$sends" -v step="$step" 'BEGIN {
      split(a, x, " "); split(b, y, " ")
      printf "  \"%s\": {\n    \"bytes_a_rank\": %.10g,\n    \"messages_a_rank\": %.10g\n  },\n", step, (y[1] - x[1]) / n, (y[2] - x[2]) / n
    }' >>"$dir/sent.json.part"
  done
  printf '  "ranks": %d\n}\n' "$count" >>"$dir/sent.json.part"
  cp "$dir/base/summary.json" "$dir/summary.json"
  mv "$dir/sent.json.part" "$dir/sent.json"
}
count() { # RANKS DIR OPTIONS...: DIR/sent.json and DIR/summary.json
  local count=$1 dir=$2 steps="step_gd step_cg" quiet=yes
  shift 2
  if [ -e "$dir/sent.json" ]; then
    say "there already: $dir"
    return
  fi
  if [ -n "$dry" ]; then
    echo "${launch[*]} -n $count $twofold bench $* (messages counted)"
    return
  fi
  rm -rf "$dir"
  mkdir -p "$dir"
  [ -z "$quick" ] || steps=step_gd
  say "messages of $count ranks: $*"
  count_steps "$count" "$dir" "$steps" "$@" || say "this MPI does not count messages: Open MPI's component pml/monitoring does"
}

# Many steps at a time, as solvers make them: the first ones behind another kind of step take longer.
timed=(-bench_runs "$times" -bench_reference false -bench_lower_steps 10)
[ -z "$quick" ] || timed=(-bench_runs "$times" -bench_reference false -bench_lower_steps 2 -bench_triad_mb 1 -bench_cg_steps 2)
run_kind() { # KIND RANKS
  local grid dir shape options
  read -r -a options <<<"$(problem_of "$1" "$2")"
  for grid in $(grids_for "$2"); do
    dir=$out/$1-$2-$grid
    shape=$(grid_of "$grid" "$2")
    [ "$2" -gt "$cores" ] || bench "$2" "$dir/time" "${timed[@]}" "${options[@]}" -data_grid "$shape"
    [ "$2" -eq 1 ] || count "$2" "$dir/sent" "${options[@]}" -data_grid "$shape"
  done
}
calibrate() { # RANKS
  local size options steps
  for size in $calibrations; do
    steps=3
    [ "${size%:*}" -lt 20000 ] || steps=1
    read -r -a options <<<"$(text "${size%:*}" "${size#*:}")"
    bench "$1" "$out/calibrate-$1-${size%:*}/time" -bench_runs $((times < 9 ? times : 9)) -bench_reference false -bench_triad_mb 1 \
      -bench_lower_steps "$steps" -bench_kernels step_gd -data_grid "1,$1" "${options[@]}"
  done
}
run_ranks() { # RANKS
  local kind
  for kind in $kinds; do run_kind "$kind" "$1"; done
  if [ "$1" -le "$cores" ] && { [ "$1" -eq 1 ] || [ "$1" -eq "$node" ]; }; then calibrate "$1"; fi
}
all_ranks() { tr ' ' '\n' <<<"$ranks" | sort -nu; }

# ------------------------------------------------------------------ jobs
# This script's own arguments but for those that say how it is run.
passed_on() {
  set -- "${given[@]}"
  while [ $# -gt 0 ]; do
    case $1 in
    --scheduler | --time | --ranks | --node | --data | -o) shift ;;
    --dry-run | --no-gather | --gather-only) ;;
    *) printf ' %q' "$1" ;;
    esac
    shift
  done
}
job_script() { # NAME RANKS ARGS
  cat <<END
#!/usr/bin/env bash
#SBATCH --job-name=$1
#SBATCH --ntasks=$2
#SBATCH --ntasks-per-node=$(($2 < SITE_RANKS_A_NODE ? $2 : SITE_RANKS_A_NODE))
#SBATCH --time=$time
#SBATCH --output=$out/jobs/%x-%j.out
END
  [ -z "$SITE_PARTITION" ] || echo "#SBATCH --partition=$SITE_PARTITION"
  [ -z "$SITE_ACCOUNT" ] || echo "#SBATCH --account=$SITE_ACCOUNT"
  printf 'set -euo pipefail\n'
  [ -z "$SITE_SETUP" ] || echo "$SITE_SETUP"
  printf 'cd %q\nexport TWOFOLD=%q TWOFOLD_LAUNCH=%q\n' "$root" "$twofold" "${SITE_LAUNCH:-srun --mpi=pmix}"
  printf 'exec bash jobs/experiments/scaling.sh%s --data %q -o %q --node %d %s\n' "$(passed_on)" "$data" "$out" "$node" "$3"
}
# submit NAME RANKS ARGS [DEPENDENCY]: prints the job's number
submit() {
  local script=$out/jobs/$1.sbatch
  if [ -n "$dry" ]; then
    job_script "$1" "$2" "$3"
    echo
    return
  fi
  mkdir -p "$out/jobs"
  job_script "$1" "$2" "$3" >"$script"
  # shellcheck disable=SC2086 # one word or none
  sbatch --parsable ${4:-} "$script"
}
submit_all() {
  local count ids='' id
  for count in $(all_ranks); do
    id=$(submit "scaling-$count" "$count" "--ranks $count --no-gather")
    if [ -n "$dry" ]; then printf '%s\n\n' "$id"; else say "job $id: $count ranks"; fi
    ids+=:${id%%;*}
  done
  [ -n "$gather" ] || return 0
  id=$(submit scaling-gather 1 "--ranks '$ranks' --gather-only" "--dependency=afterany$ids")
  if [ -n "$dry" ]; then echo "$id"; else say "job $id: tables and pictures, when the others have ended"; fi
}

if [ "$scheduler" = slurm ]; then
  [ -n "$dry" ] || command -v sbatch >/dev/null || { say "there is no sbatch here"; exit 66; }
  submit_all
  exit 0
fi
if [ -n "$compute" ]; then
  for count in $(all_ranks); do run_ranks "$count"; done
fi
[ -n "$gather" ] && [ -z "$dry" ] || exit 0

# ------------------------------------------------------------------ what came of it
shopt -s nullglob
files=("$out"/*/time/summary.json "$out"/*/sent/summary.json "$out"/*/sent/sent.json)
[ ${#files[@]} -gt 0 ] || { say "there are no runs in $out"; exit 66; }
most=16
for count in $ranks; do [ "$count" -le "$most" ] || most=$count; done
awk -v out="$out" -v network="$network" -v gather_rounds="$rounds" -v problems="$problems" -v most="$most" -v statistic="$statistic" \
  -f "$root/jobs/experiments/scaling_model.awk" -f "$root/jobs/experiments/scaling.awk" "${files[@]}"
say "$out/scaling.csv, scaling.md, prediction.csv, prediction.md"
need gnuplot
gnuplot -e "dir='$out'" "$root/jobs/experiments/scaling.gp"
say "pictures of what there is: $out/{strong,weak,volume,prediction}.{svg,png}"
