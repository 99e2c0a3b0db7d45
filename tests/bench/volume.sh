#!/usr/bin/env bash
# What ranks send for a product X W and a product X^T R, counted by Open MPI's monitoring of all messages, beside the model:
#
#   tests/bench/volume.sh [BUILD]      BUILD: build/release
#
# on 1, 2, 4, 8 and 16 ranks (RANKS), with the blocks in a row, in a column and in a square. Volumes, not times: there may be
# more ranks than cores. Nothing is judged.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
bench=$(realpath "${1:-build/release}/tests/bench-volume")
read -r -a mpirun <<<"${TWOFOLD_MPIRUN:-mpirun --oversubscribe --bind-to none}"
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 OMPI_MCA_mpi_yield_when_idle=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
problem=(-blp_data synthetic_text -blp_synthetic_n 3000 -blp_synthetic_nval 10 -blp_synthetic_p 20000)
pairs=10

# sent RANKS GRID PAIRS: "bytes messages" of all ranks together
sent() {
  rm -f "$work"/count*
  "${mpirun[@]}" --mca pml_monitoring_enable 2 --mca pml_monitoring_enable_output 3 \
    --mca pml_monitoring_filename "$work/count" -n "$1" "$bench" "${problem[@]}" -data_grid "$2" -volume_pairs "$3" \
    >"$work/out" 2>"$work/err" || { cat "$work/out" "$work/err" >&2; exit 1; }
  cat "$work"/count* | awk '$1 == "E" || $1 == "I" { bytes += $4; messages += $6 } END { printf "%.0f %d\n", bytes, messages }'
}

printf '%5s  %6s  %16s  %16s  %9s  %18s\n' ranks grid 'measured MB/rank' 'model MB/rank' measured/model 'messages/rank'
for ranks in ${RANKS:-1 2 4 8 16}; do
  case $ranks in 1) grids=1,1 ;; 4) grids="1,4 4,1 2,2" ;; 16) grids="1,16 16,1 4,4" ;; 8) grids="1,8 8,1 2,4" ;;
    *) grids="1,$ranks $ranks,1" ;; esac
  for grid in $grids; do
    read -r bytes0 messages0 < <(sent "$ranks" "$grid" 0)
    read -r bytes messages < <(sent "$ranks" "$grid" $pairs)
    model=$(sed -n 's/.*model \([0-9]*\) bytes$/\1/p' "$work/out")
    awk -v r="$ranks" -v g="$grid" -v b=$((bytes - bytes0)) -v m=$((messages - messages0)) -v pairs=$pairs -v model="$model" 'BEGIN {
      ratio = "-"
      if (model > 0) ratio = sprintf("%.3f", b / pairs / model)
      printf "%5d  %6s  %16.3f  %16.3f  %14s  %13.1f\n", r, g, b / pairs / r / 1e6, model / r / 1e6, ratio, m / pairs / r }'
  done
done
