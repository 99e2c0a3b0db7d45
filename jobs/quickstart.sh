#!/usr/bin/env bash
# From a fresh clone to a solved bilevel problem: installs what is missing, builds, fetches data, runs on 2 ranks.
set -euo pipefail

if [ $# -gt 0 ]; then
  echo "usage: jobs/quickstart.sh      no arguments; its data sets come from jobs/get-data.sh" >&2
  exit 64
fi
cd "$(dirname "${BASH_SOURCE[0]}")/.."
say() { echo "quickstart: $*" >&2; }

# 1. What it is built with, and the program (build/release)
jobs/setup.sh
say "building"
export CMAKE_GENERATOR=${CMAKE_GENERATOR-$(command -v ninja >/dev/null && echo Ninja || echo 'Unix Makefiles')}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { cmake --preset release && cmake --build build/release --target twofold-cli; } >"$log" 2>&1; then
  tail -n 40 "$log" >&2
  say "the build failed (its last lines are above)"
  exit 70
fi

# 2. Data: 20 newsgroups where it can be had, else images of clothes. Both are cut at random into a part to train
#    on and a part to validate on; the first also into one to test on, the second comes with one.
if data=$(jobs/get-data.sh 20news); then
  what="20 newsgroups: which of 20 groups was a message sent to?" classes=20
  options=(-blp_data "$data" -blp_split third -lls_fpm_step 100 -uls_step 100)
else
  say "going on with Fashion-MNIST"
  data=$(jobs/get-data.sh fashion-mnist)
  what="Fashion-MNIST: which of 10 kinds of clothes does an image show?" classes=10
  options=(-blp_data "$data/train-images-idx3-ubyte.gz" -blp_split '0.05,0.95'
    -blp_test "$data/t10k-images-idx3-ubyte.gz" -blp_lambda 4 -lls_fpm_step 0.05 -uls_step 1000)
fi
# Within the project paths are given from its folder: they stay right when it is moved.
options=("${options[@]#"$PWD/"}")

# 3. A run directory of its own for every run
run=runs/quickstart
for ((n = 2; ; n++)); do
  [ -e "$run" ] || break
  run=runs/quickstart-$n
done

# 4. The run. Every step: 10 steps of heavy ball on w from where they ended last, 10 of CG on the adjoint system,
#    1 on lambda. One thread a rank; and 2 ranks also where there is 1 core.
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
export OMPI_MCA_rmaps_base_oversubscribe=1 PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe
if [ "$(id -u)" -eq 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
# That of the MPI it was built with, should there be several.
mpirun=$(sed -n 's/^MPIEXEC_EXECUTABLE:FILEPATH=//p' build/release/CMakeCache.txt)
options+=(-lls_fpm_type heavyball -lls_fpm_momentum 0.9 -lls_max_it 10 -lls_warm_start
  -hg_type aid -hg_ksp_rtol 0 -hg_ksp_max_it 10 -uls_max_it 100
  -error_if_not_converged -output_dir "$run")
say "mpirun -n 2 build/release/twofold solve ${options[*]}"
"$mpirun" -n 2 build/release/twofold solve "${options[@]}"

# 5. What came of it
size() { sed -n "s/^ *\"$1\": \([0-9]*\),*$/\1/p" "$run/summary.json"; }
cat <<END

$what
Lower level: a linear classifier w ($(size nw) numbers), fitted to the training part. Upper level: lambda,
$(size nlambda) penalties on w (their logarithms), moved so that this classifier does well on the validation part.

END
LC_ALL=C awk -F, -v c=$classes '
  NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
  { f = $at["objective"]; accuracy = $at["test_accuracy"] }
  NR == 2 { first_f = f; first_accuracy = accuracy }
  END {
    printf "                                       guessing   first step   last step\n"
    printf "  f, the loss on the validation part   %8.3f   %10.3f   %9.3f\n", log(c), first_f, f
    printf "  accuracy on the unseen test part   %8.1f %%   %8.1f %%   %7.1f %%\n", 100 / c, 100 * first_accuracy, 100 * accuracy
  }' "$run/history.csv"
cat <<END

Results in $PWD/$run:
  history.csv   one row for each upper step    options.opts  all options, to repeat the run
  summary.json  the outcome in figures         checkpoint/   where -resume goes on from
  solution.h5   lambda and w                   More: jobs/README.md
END
