#!/usr/bin/env bash
# Time of a hypergradient by itd, solve and reverse sweep, with each tape, beside that with all iterates in memory:
#
#   tests/bench/tape.sh [BUILD]      BUILD: build/release
#
# STEPS (1000), FEATURES (10000), CLASSES (10) and SAMPLES (1000) of text say how large; RANKS (2); RUNS (5), interleaved, of which
# the medians are printed. `revolve` gets memory for a tenth of the iterates, `disk` for KEEP (20); TAPE_DIR (TMPDIR or
# /tmp) is where disk writes. Nothing is judged.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
twofold=$PWD/${1:-build/release}/twofold
read -r -a mpirun <<<"${TWOFOLD_MPIRUN:-mpirun}"
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
ranks=${RANKS:-2} steps=${STEPS:-1000} features=${FEATURES:-10000} classes=${CLASSES:-10}
# shellcheck disable=SC2017 # whole features, whole iterates
iterate=$(((features + ranks - 1) / ranks * classes * 8)) # bytes on the rank with most
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# once NAME OPTIONS...: adds "total lower sweep" in seconds to the file of that name
once() {
  local name=$1
  shift
  "${mpirun[@]}" -n "$ranks" "$twofold" hypergrad -blp_data synthetic_text -blp_synthetic_n "${SAMPLES:-1000}" \
    -blp_synthetic_nval "${SAMPLES:-1000}" -blp_synthetic_p "$features" -blp_synthetic_classes "$classes" -hg_type itd \
    -lls_max_it "$steps" -hg_view_gradient "binary:$work/$name.bin" -tape_view "$@" >"$work/out"
  awk '/^lower level/ { a = $(NF - 1) } /^reverse sweep/ { b = $(NF - 1) } END { print a + b, a, b }' "$work/out" \
    >>"$work/$name"
  sed -n 's/^  \(.* steps made again\|.* bytes in RAM, .*\)$/\1/p' "$work/out" | paste -sd';' >"$work/$name.view"
  cmp -s "$work/$name.bin" "$work/memory.bin" || echo "$name: another hypergradient"
}

median() { cut -d' ' -f "$2" "$work/$1" | sort -g | awk '{ x[NR] = $1 } END { print x[int((NR + 1) / 2)] }'; }

for ((run = 0; run < ${RUNS:-5}; run++)); do
  once memory -tape_type memory
  # shellcheck disable=SC2017
  once revolve -tape_type revolve -tape_max_ram $((steps / 10 * iterate))
  once disk -tape_type disk -tape_max_ram $((${KEEP:-20} * iterate)) ${TAPE_DIR:+-tape_dir "$TAPE_DIR"}
done
echo "$steps steps, $((features * classes)) entries in w, $ranks ranks; medians of ${RUNS:-5} runs, in seconds"
printf '%-8s %8s %8s %8s %8s\n' tape total ratio solve sweep
for name in memory revolve disk; do
  printf '%-8s %8.3f %8.2f %8.3f %8.3f  %s\n' "$name" "$(median "$name" 1)" \
    "$(echo "$(median "$name" 1) $(median memory 1)" | awk '{ print $1 / $2 }')" "$(median "$name" 2)" \
    "$(median "$name" 3)" "$(cat "$work/$name.view")"
done
