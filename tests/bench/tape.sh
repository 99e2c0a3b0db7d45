#!/usr/bin/env bash
# Time of a hypergradient by itd, solve and reverse sweep, with each tape, beside that with all iterates in memory; and how fast
# the disk is, in the same run:
#
#   tests/bench/tape.sh [BUILD]      BUILD: build/release
#
# STEPS (1000), FEATURES (10000), CLASSES (10) and SAMPLES (1000) of text say how large, or PROBLEM all options of another
# problem; RANKS (2); RUNS (5), interleaved, of which the medians are printed. TAPES chooses among
#
#   memory   all iterates
#   single   the same in single precision, with the relative error of its hypergradient
#   revolve  memory for a tenth of the iterates
#   disk     memory for KEEP (20), the others in TAPE_DIR (TMPDIR or /tmp), through the system's cache
#   direct   the same past the cache; before each run bench-disk writes and reads pieces as large, as many as make DISK_MB (2000)
#
# Of `direct`, "of the disk" is the time that the disk alone would take over that of the run, for the solve, which writes, and the
# sweep, which reads: near 1, the disk is what limits; far below, the steps are. Nothing is judged, but hypergradients in double
# precision must be the same bit by bit.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=$(realpath "${1:-build/release}")
read -r -a mpirun <<<"${TWOFOLD_MPIRUN:-mpirun}"
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
ranks=${RANKS:-2} steps=${STEPS:-1000} runs=${RUNS:-5} dir=${TAPE_DIR:-${TMPDIR:-/tmp}}
read -r -a tapes <<<"${TAPES:-memory single revolve disk direct}"
read -r -a problem <<<"${PROBLEM:--blp_data synthetic_text -blp_synthetic_n ${SAMPLES:-1000} -blp_synthetic_nval ${SAMPLES:-1000} \
  -blp_synthetic_p ${FEATURES:-10000} -blp_synthetic_classes ${CLASSES:-10}}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

hypergrad() { # STEPS OPTIONS...
  local t=$1
  shift
  "${mpirun[@]}" -n "$ranks" "$build/twofold" hypergrad "${problem[@]}" -hg_type itd -lls_max_it "$t" -tape_view -memory_view "$@"
}

# once NAME OPTIONS...: adds "total lower sweep" in seconds to the file of that name
once() {
  local name=$1
  shift
  hypergrad "$steps" -hg_view_gradient "binary:$work/$name.bin" "$@" >"$work/out"
  awk '/^lower level/ { a = $(NF - 1) } /^reverse sweep/ { b = $(NF - 1) } END { print a + b, a, b }' "$work/out" \
    >>"$work/$name"
  awk '/steps made again/ { again = $5 }
       /bytes in RAM/ { ram = $1; disk = $5 }
       /^Maximum .* process memory/ { peak = $(NF - 2) }
       END { printf "%d %.0f %.0f %.0f\n", again, ram / 1e6, disk / 1e6, peak / 1e6 }' "$work/out" >"$work/$name.view"
}

numbers() { # of a vector in PETSc's binary form, behind 8 bytes, or 12 where indices have 64 bits
  od -An -v -tf8 -w8 --endian=big -j $((8 + $(stat -c %s "$1") % 8)) "$1"
}
difference() { # NAME OF-NAME: relative, in the norm
  paste <(numbers "$work/$1.bin") <(numbers "$work/$2.bin") |
    awk '{ d += ($1 - $2) ^ 2; s += $2 ^ 2 } END { printf "%.2g\n", sqrt(d / s) }'
}
median() { cut -d' ' -f "$2" "$work/$1" | sort -g | awk '{ x[NR] = $1 } END { print x[int((NR + 1) / 2)] }'; }
range() { cut -d' ' -f1 "$work/$1" | sort -g | sed -n '1p;$p' | paste -sd' ' | sed 's/ / to /'; }

hypergrad 1 -tape_type memory >"$work/out"
iterate=$(awk '/bytes in RAM/ { print $1 }' "$work/out") # bytes on the rank with most
disk=(-tape_type disk -tape_max_ram $((${KEEP:-20} * (iterate + 4096))) -tape_dir "$dir")
# shellcheck disable=SC2017 # whole iterates
for ((run = 0; run < runs; run++)); do
  for name in "${tapes[@]}"; do
    case $name in
      memory) once memory -tape_type memory ;;
      single) once single -tape_type memory -tape_single ;;
      revolve) once revolve -tape_type revolve -tape_max_ram $((steps / 10 * iterate + 1)) ;;
      disk) once disk "${disk[@]}" ;;
      direct)
        "${mpirun[@]}" -n "$ranks" "$build/tests/bench-disk" -bench_dir "$dir" -bench_piece "$iterate" -bench_pieces \
          $((1 + ${DISK_MB:-2000} * 1000000 / iterate / ranks)) | awk '{ print $2, $5 }' >>"$work/rates"
        once direct "${disk[@]}" -tape_direct
        ;;
      *) echo "no tape $name" >&2 && exit 64 ;;
    esac
    first=${tapes[0]}
    [ "$name" = single ] || cmp -s "$work/$name.bin" "$work/$first.bin" ||
      { echo "$name: another hypergradient than $first's" >&2 && exit 1; }
  done
done

echo "$steps steps, $((iterate / 8)) entries of w on the rank with most of $ranks; medians of $runs runs"
printf '%-8s %8s %6s %8s %8s %18s %7s %8s %8s %8s\n' tape 'time, s' ratio solve sweep 'least to largest' again 'MB RAM' 'MB disk' 'MB peak'
for name in "${tapes[@]}"; do
  read -r again ram file peak <"$work/$name.view"
  printf '%-8s %8.2f %6.2f %8.2f %8.2f %18s %7s %8s %8s %8s\n' "$name" "$(median "$name" 1)" \
    "$(echo "$(median "$name" 1) $(median "$first" 1)" | awk '{ print $1 / $2 }')" "$(median "$name" 2)" \
    "$(median "$name" 3)" "$(range "$name")" "$again" "$ram" "$file" "$peak"
done
[ ! -e "$work/single.bin" ] || echo "single: hypergradient differs by $(difference single "$first"), relative"
[ -e "$work/rates" ] || exit 0
echo "$(median rates 1) $(median rates 2) $(median direct 2) $(median direct 3) $(cut -d' ' -f3 "$work/direct.view") $ranks" |
  awk '{ MB = $5 * $6
         printf "disk alone: write %.0f MB/s, read %.0f MB/s; direct: %.0f and %.0f MB/s, of the disk %.2f and %.2f\n",
                $1, $2, MB / $3, MB / $4, MB / $3 / $1, MB / $4 / $2 }'
