#!/usr/bin/env bash
# valgrind.sh TWOFOLD: a small run of each hypergradient on 2 ranks must be clean under valgrind, but for what Open MPI
# leaves behind (tests/valgrind.supp). Exits with 77 where there is no valgrind. MPIRUN says how MPI is started.
set -euo pipefail

twofold=$1
here=$(cd "$(dirname "$0")/.." && pwd)
read -ra mpirun <<<"${MPIRUN:-mpirun}"
command -v valgrind >/dev/null || { echo "skipped: valgrind is not installed"; exit 77; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# 40 samples of 3 classes, 12 features
awk 'BEGIN {
  for (i = 0; i < 40; i++) {
    printf "%d", i % 3
    for (j = 1; j <= 12; j++) if ((i * 7 + j * 5) % 4 == 0 || j == i % 3 + 1) printf " %d:%.3f", j, 1 + (i * j % 7) / 7
    print ""
  }
}' >"$work/data.svm"

suppressions=(--suppressions="$here/valgrind.supp")
openmpi=/usr/share/openmpi/openmpi-valgrind.supp
if [ -r "$openmpi" ]; then suppressions+=(--suppressions="$openmpi"); fi

check() {
  local name=$1
  shift
  "${mpirun[@]}" -n 2 valgrind -q --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
    --error-exitcode=9 "${suppressions[@]}" --log-file="$work/$name.%p" \
    "$twofold" solve -blp_data "$work/data.svm" -lls_fpm_type heavyball -lls_fpm_momentum 0.5 -lls_max_it 5 \
    -lls_warm_start -uls_momentum 0.5 -uls_max_it 3 -output_dir "$work/run-$name" -quiet "$@" >"$work/$name.out" 2>&1 || {
    cat "$work/$name.out" "$work/$name".[0-9]*
    echo "FAILED: $name is not clean under valgrind"
    exit 1
  }
}

check aid -hg_type aid -hg_warm_start -hg_ksp_rtol 0 -hg_ksp_max_it 3
check itd -hg_type itd -hg_itd_truncate 3
echo "aid and itd are clean under valgrind on 2 ranks"
