# shellcheck shell=bash disable=SC2034,SC2154 # variables come from and go to the script that reads this
# What the experiments have in common: elements of job arrays, the program and what starts it, runs that go on where they were
# stopped, what is missing. A script that reads this has found `root`, the project's folder, and `submitted`, the folder that it
# was started or submitted in, and has a function usage; its arguments are in quick, list, gather, task, ranks and out.

experiment=${experiment:?} # the script's name: a batch system's copy has another
say() { echo "$experiment: $*" >&2; }

# patterns of arguments
number='[1-9][0-9]*' real='[0-9]*\.?[0-9]+(e[-+]?[0-9]+)?'

# ------------------------------------------------------------------ a list of runs
# task, where this is an element of a job array; LSF and Grid Engine name elements of other jobs, too.
find_task() {
  local element=${SLURM_ARRAY_TASK_ID:-${PBS_ARRAY_INDEX:-${LSB_JOBINDEX:-${SGE_TASK_ID:-}}}}
  if [ -z "$task$list$gather" ] && [ "$element" != 0 ] && [ "$element" != undefined ]; then task=$element; fi
  [[ ${task:-1} =~ ^$number$ ]] || usage
}
# runs: with --list they are printed, and that is all; a task is one of them.
choose_runs() {
  if [ -n "$list" ]; then
    printf '%s\n' "${runs[@]}" | cat -n
    exit 0
  fi
  [ -n "$task" ] || return 0
  if [ "$task" -gt ${#runs[@]} ]; then
    say "there is no run $task: the list (--list) has ${#runs[@]}"
    exit 64
  fi
  runs=("${runs[task - 1]}")
}

# ------------------------------------------------------------------ the program and what starts it
find_results() { # NAME: out, the folder of results, by itself NAME in runs
  out=${out:-runs/$1}
  [[ $out = /* ]] || out=$submitted/$out
}
find_program() {
  twofold=${TWOFOLD:-$root/build/release/twofold}
  if [ ! -x "$twofold" ]; then
    say "there is no program $twofold: cmake --preset release && cmake --build build/release, or set TWOFOLD"
    exit 66
  fi
}
find_launch() { # launch: what stands before the program; allocated: the ranks of a batch job
  allocated=${SLURM_NTASKS:-${PBS_NP:-${LSB_DJOB_NUMPROC:-${NSLOTS:-}}}}
  export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 LC_ALL=C
  if [ -z "$allocated" ]; then # also with fewer cores than ranks
    export OMPI_MCA_rmaps_base_oversubscribe=1 PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe
  fi
  [ "$(id -u)" -ne 0 ] || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  read -r -a launch <<<"${TWOFOLD_LAUNCH:-mpirun}"
}
launch_on() { # RANKS: unless -n or the batch job say another number
  ranks=${ranks:-${allocated:-$1}}
  [ -n "${TWOFOLD_LAUNCH:-}" ] || launch+=(-n "$ranks")
}

# ------------------------------------------------------------------ run directories
told() { # DIR KEY: of its summary; the first of that name is the run's own
  [ -e "$1/summary.json" ] || return 0
  sed -n "s/^ *\"$2\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}$/\1/p" "$1/summary.json" | head -n 1
}
converged() { [[ $(told "$1" reason) == CONVERGED_* ]]; } # DIR
ended() { # DIR STEPS: it made that many, or broke off for good
  local steps
  if [ "$(told "$1" reason)" = STOPPED ]; then return 1; fi # by a signal or its time
  steps=$(told "$1" steps)
  [ -n "$steps" ] && { [ "$steps" -ge "$2" ] || ! converged "$1"; }
}
solve() { # DIR STEPS OPTIONS...: a run of so many upper steps; what was stopped goes on
  local dir=$1 steps=$2 resume=()
  shift 2
  if ended "$dir" "$steps"; then
    say "there already: $dir"
    return
  fi
  if compgen -G "$dir/checkpoint/step-*.h5" >/dev/null; then resume=(-resume); else rm -rf "$dir"; fi
  mkdir -p "${dir%/*}"
  set -- -uls_max_it "$steps" "$@" -output_dir "$dir" "${resume[@]}"
  say "${launch[*]} $twofold solve $*"
  "${launch[@]}" "$twofold" solve "$@"
}

# ------------------------------------------------------------------ what is asked of the machine
# Ends with 69 where a program is missing that pictures are made by.
need() { # PROGRAM...
  local program missing=()
  for program in "$@"; do command -v "$program" >/dev/null || missing+=("$program"); done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "no ${missing[*]}, so no pictures: jobs/setup.sh --experiments installs it; then run this again, which takes what is there"
  exit 69
}
