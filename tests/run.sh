#!/usr/bin/env bash
# Installs what is missing, builds with warnings as errors, runs every test. Arguments go to ctest (-R NAME, -V, ...).
# TWOFOLD_SANITIZE=1: the debug build with AddressSanitizer and UBSan instead of the release build.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
say() { echo "tests: $*" >&2; }

if ! jobs/setup.sh --tests; then
  jobs/setup.sh # must succeed: there is no build without
  say "going on without: a test that needs one of them will say so"
fi

preset=release
if [ "${TWOFOLD_SANITIZE-0}" = 1 ]; then
  preset=debug
  # Open MPI leaves memory behind, in modules that are gone by then and cannot be named; leaks are valgrind's business.
  export ASAN_OPTIONS=${ASAN_OPTIONS-detect_leaks=0} UBSAN_OPTIONS=${UBSAN_OPTIONS-print_stacktrace=1}
fi
export CMAKE_GENERATOR=${CMAKE_GENERATOR-$(command -v ninja >/dev/null && echo Ninja || echo 'Unix Makefiles')}
cmake --preset "$preset" -DTWOFOLD_WERROR=ON -DBUILD_TESTING=ON
cmake --build "build/$preset"

export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
if [ "$(id -u)" -eq 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
exec ctest --test-dir "build/$preset" -j3 --output-on-failure --no-tests=error "$@"
