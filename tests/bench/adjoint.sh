#!/usr/bin/env bash
# Iterations and times of solvers of the adjoint system (bench-adjoint) on logistic regression with a condition number
# of about 1e4, and on 20 newsgroups at lambda = 0:
#
#   tests/bench/adjoint.sh [BUILD]      BUILD: build/release
#
# RANKS (2), RUNS (5) and the folder of 20 newsgroups, DATA (what jobs/get-data.sh 20news tells), may be set; without
# the data the second table is left out. Nothing is judged.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
bench=${1:-build/release}/tests/bench-adjoint
mpirun=${TWOFOLD_MPIRUN:-mpirun}
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
# shellcheck disable=SC2086 # a command and its options
run() { $mpirun -n "${RANKS:-2}" "$bench" -bench_runs "${RUNS:-5}" "$@"; }

echo "logistic, 600 samples of 600 features, lambda = 0.0073:"
run -blp_type logistic -blp_data synthetic -blp_synthetic_n 600 -blp_synthetic_nval 300 -blp_synthetic_p 600 \
  -bench_lambda 0.0073 -bench_cap 3000 -bench_rank 50 -bench_steps 5

data=${DATA:-$(jobs/get-data.sh 20news || true)}
[ -n "$data" ] || exit 0
echo
echo "20 newsgroups, lambda = 0:"
run -blp_type softmax -blp_data "$data" -blp_split third -bench_lambda 0 -bench_cap 100 -bench_rank 50 \
  -bench_methods 0,1,2,4,5,6 # without the eigenvalue solves, a thousand products
