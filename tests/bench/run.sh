#!/usr/bin/env bash
# The standard set of kernel times: `twofold bench` on 20 newsgroups with a random third for training, on made-up text of other
# widths, and on logistic regression, on 1 and 2 ranks.
#
#   tests/bench/run.sh [BUILD]      BUILD: build/release
#
# RANKS ("1 2"), RUNS (11) and the folder of 20 newsgroups, DATA (what jobs/get-data.sh 20news tells), may be set; without the
# data made-up text of the same size stands in. Tables go to standard output, figures to runs/bench/NAME-RANKS/summary.json.
# Nothing is judged; the machine should have nothing else to do.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
twofold=${1:-build/release}/twofold
read -r -a mpirun <<<"${TWOFOLD_MPIRUN:-mpirun}"
[ "$(id -u)" -ne 0 ] || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

bench() { # NAME OPTIONS...
  local name=$1 ranks
  shift
  for ranks in ${RANKS:-1 2}; do
    printf '\n%s, %s ranks\n\n' "$name" "$ranks"
    rm -rf "runs/bench/$name-$ranks"
    "${mpirun[@]}" -n "$ranks" "$twofold" bench -bench_runs "${RUNS:-11}" -quiet -output_dir "runs/bench/$name-$ranks" "$@"
  done
}

text=(-blp_data synthetic_text -blp_synthetic_n 6282 -blp_synthetic_nval 6282 -blp_synthetic_p 101631)
data=${DATA:-$(jobs/get-data.sh 20news || true)}
mkdir -p runs/bench
if [ -n "$data" ]; then bench 20news -blp_data "$data" -blp_split third; else bench text "${text[@]}"; fi
bench text-2 "${text[@]}" -blp_synthetic_classes 2
bench text-100 "${text[@]}" -blp_synthetic_p 20000 -blp_synthetic_classes 100
bench logistic -blp_type logistic -blp_data synthetic -blp_synthetic_n 2000 -blp_synthetic_nval 2000 -blp_synthetic_p 1000
