#!/usr/bin/env bash
# Builds with PETSc and SLEPc of 64-bit indices (Debian's petsc64) and runs C tests on two ranks and some scripts of
# the program: what a wrong type of integer breaks shows there; those of bounds and estimates, which compute long, are left
# out. Optimised little, since most of the time goes into compiling. Arguments go to ctest: -R . runs all there is.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
jobs/setup.sh --only libpetsc64-real-dev libslepc64-real-dev
export CMAKE_GENERATOR=${CMAKE_GENERATOR-$(command -v ninja >/dev/null && echo Ninja || echo 'Unix Makefiles')}
cmake --preset release64 -B build/index64 -DTWOFOLD_WERROR=ON -DBUILD_TESTING=ON -DCMAKE_C_FLAGS_RELEASE=-O1 \
  -DTWOFOLD_TEST_OPTIMISATION=-O0 >/dev/null
cmake --build build/index64

export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
if [ "$(id -u)" -eq 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
[ $# -gt 0 ] || set -- -R '^(t([0-46]|5[0-4]).*-n2|cli-(everyoption|readers|data|solve))$'
exec ctest --test-dir build/index64 -j3 --output-on-failure --no-tests=error "$@"
