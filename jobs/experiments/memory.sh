#!/usr/bin/env bash
#SBATCH --job-name=memory
#SBATCH --ntasks=2
#SBATCH --time=01:00:00
#SBATCH --output=memory-%A_%a.out
# Memory of a hypergradient against the steps t of the lower level: iterative differentiation, which keeps the iterates, beside
# approximate implicit differentiation, which does not; then many steps within a limit, by the tape revolve. A
# `twofold hypergrad` each, at lambda = 0 in the setting of Table 1.
set -euo pipefail

usage() {
  cat >&2 <<'END'
usage: jobs/experiments/memory.sh [OPTION...] [RUN...]
  RUN              METHOD-T-RANKS: itd, aid (CG, k = 10), revolve
                   (default: itd and aid with each of --steps, revolve and aid with each of --long)
  --steps "T.."    steps of the lower level (default "10 25 50 100 200")
  --long "T.."     those of revolve (default "100 1000")
  --ram SIZE       what revolve may keep on a rank, -tape_max_ram (default 200MB)
  --ranks "R.."    numbers of ranks (default "1 2")
  --quick          a small made-up text, few steps: within a minute
  -o DIR           results (default runs/memory, with --quick runs/memory-quick): a folder a run, memory.csv, memory.md,
                   pictures; what is there is not run again
  --list           print the runs, numbered, and do nothing
  --task N         only the N-th of the list, and no tables: what one element of a job array does
  --gather-only    only the tables and the picture, of the runs that are there
As a job array: sbatch --array=1-26 jobs/experiments/memory.sh, likewise with PBS, LSF and Grid Engine; then --gather-only. A job
needs as many ranks as the largest of --ranks, and memory for t iterates.
Environment: TWOFOLD, the program (build/release/twofold); TWOFOLD_LAUNCH, what starts it ("mpirun"), to which -n RANKS is added
Exit code: 0 done; 64 wrong usage; 66 no program or data; 69 done, but no gnuplot for the picture; 70 revolve gave another
hypergradient than all iterates; otherwise that of the run that failed
END
  exit 64
}
# ------------------------------------------------------------------ where we are: a batch system runs a copy of this
experiment=memory
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
steps='' long='' ram='' counts='1 2' quick='' out='' list='' task='' gather='' runs=()
while [ $# -gt 0 ]; do
  case $1 in
  --quick) quick=-quick ;;
  --list) list=yes ;;
  --gather-only) gather=only ;;
  --steps | --long | --ram | --ranks | --task | -o)
    [ $# -ge 2 ] || usage
    case $1 in --steps) steps=$2 ;; --long) long=$2 ;; --ram) ram=$2 ;; --ranks) counts=$2 ;; --task) task=$2 ;; -o) out=$2 ;; esac
    shift
    ;;
  *)
    [[ $1 =~ ^(itd|aid|revolve)-[1-9][0-9]*-[1-9][0-9]*$ ]] || usage
    runs+=("$1")
    ;;
  esac
  shift
done
steps=${steps:-$([ -n "$quick" ] && echo 10 30 || echo 10 25 50 100 200)}
long=${long:-$([ -n "$quick" ] && echo 30 60 || echo 100 1000)}
ram=${ram:-$([ -n "$quick" ] && echo 30MB || echo 200MB)}
find_task
[[ $steps =~ ^($number ?)+$ && $long =~ ^($number ?)+$ && $counts =~ ^($number ?)+$ ]] || usage
[[ $ram =~ ^$number([kMGT]?B)?$ ]] || usage

if [ ${#runs[@]} -eq 0 ]; then
  for count in $counts; do
    for t in $steps; do runs+=("itd-$t-$count" "aid-$t-$count"); done
    for t in $long; do
      runs+=("revolve-$t-$count")
      [[ " ${runs[*]} " == *" aid-$t-$count "* ]] || runs+=("aid-$t-$count")
    done
  done
fi
choose_runs

find_results "memory$quick"
[ -n "$gather" ] || find_program
find_launch

# ------------------------------------------------------------------ the runs
# As in Table 1: t steps of heavy ball from w = 0, of which a tape keeps one w each, revolve two.
if [ -n "$quick" ]; then
  problem=(-blp_data synthetic_text -blp_synthetic_n 200 -blp_synthetic_nval 200 -blp_synthetic_p 20000
    -blp_synthetic_classes 20)
elif [ -z "$gather" ]; then
  problem=(-blp_data "$("$root/jobs/get-data.sh" 20news)" -blp_split third -blp_seed 1 -text_weight count)
fi
ball=(-lls_fpm_type heavyball -lls_fpm_step "$([ -n "$quick" ] && echo 20 || echo 100)" -lls_fpm_momentum 0.9)
run() { # METHOD-T-RANKS
  local dir=$out/$1 method t count
  IFS=- read -r method t count <<<"$1"
  if [ -e "$dir/told" ]; then
    say "there already: $dir"
    return
  fi
  rm -rf "$dir"
  mkdir -p "$dir"
  set -- -blp_type softmax "${problem[@]}" -blp_lambda 0 "${ball[@]}" -lls_max_it "$t" -hg_view_gradient "binary:$dir/gradient.bin" \
    -quiet -memory_view
  case $method in
  itd) set -- "$@" -hg_type itd -tape_view ;;
  aid) set -- "$@" -hg_type aid -hg_ksp_rtol 0 -hg_ksp_max_it 10 ;;
  revolve) set -- "$@" -hg_type itd -tape_view -tape_type revolve -tape_max_ram "$ram" ;;
  esac
  say "${launch[*]} -n $count $twofold hypergrad $*"
  "${launch[@]}" -n "$count" "$twofold" hypergrad "$@" >"$dir/out"
  mv "$dir/out" "$dir/told"
}
if [ -z "$gather" ]; then
  for name in "${runs[@]}"; do run "$name"; done
fi
[ -z "$task" ] || exit 0

# ------------------------------------------------------------------ what came of it
numbers() { # of a vector in PETSc's binary form, behind 8 bytes, or 12 where indices have 64 bits
  od -An -v -tf8 -w8 --endian=big -j $((8 + $(stat -c %s "$1") % 8)) "$1"
}
difference() { # RUN OF-RUN: of hypergradients, relative in the norm; empty where there is no such run
  [ "$1" != "$2" ] && [ -e "$out/$2/told" ] || return 0
  paste <(numbers "$out/$1/gradient.bin") <(numbers "$out/$2/gradient.bin") |
    awk '{ d += ($1 - $2) ^ 2; s += $2 ^ 2 } END { printf "%.3g", sqrt(d / s) }'
}
rows() { # also those of earlier runs
  local told name method t count
  echo "method,t,ranks,peak_bytes,tape_bytes,limit,states_kept,steps_again,lower_s,adjoint_s,objective,hypergradient_norm,$(
    )from_itd,from_aid"
  for told in "$out"/*-*-*/told; do
    [ -e "$told" ] || continue
    name=$(basename "${told%/told}")
    IFS=- read -r method t count <<<"$name"
    awk -v OFS=, -v start="$method,$t,$count" -v from="$(difference "$name" "itd-$t-$count"),$(difference "$name" "aid-$t-$count")" '
      /^Maximum .* process memory:/ { peak = sprintf("%.0f", $(NF - 2)) }
      /bytes in RAM, / { tape = $1 }
      /at most .* bytes in RAM:/ { limit = $3; kept = $7 }
      /steps made again/ { again = $5 }
      /^objective/ { f = $NF }
      /^hypergradient norm/ { norm = $NF }
      /^lower level .* s$/ { lower = $(NF - 1) }
      /^(reverse sweep|adjoint) .* s$/ { adjoint = $(NF - 1) }
      END { print start, peak, tape, limit, kept, again, lower, adjoint, f, norm, from }' "$told"
  done | sort -t, -k1,1 -k3,3n -k2,2n
}
[ -d "$out" ] || { say "there is no $out" && exit 66; }
rows >"$out/memory.csv"
if [ "$(wc -l <"$out/memory.csv")" = 1 ]; then
  say "no run is done in $out"
  exit 66
fi
awk -F, -f "$root/jobs/experiments/memory.awk" "$out/memory.csv" | tee "$out/memory.md"
say "$out/memory.csv, memory.md"
if ! awk -F, '$1 == "revolve" && $13 != "" && $13 != 0 { exit 1 }' "$out/memory.csv"; then
  say "a hypergradient by revolve is not that by all iterates"
  exit 70
fi
need gnuplot
gnuplot -e "dir='$out'" "$root/jobs/experiments/memory.gp"
say "$out/memory.svg, memory.png"
