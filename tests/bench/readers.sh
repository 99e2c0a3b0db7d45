#!/usr/bin/env bash
# MB/s of the readers of text and of SVMLight files on 1 and 2 ranks, beside scikit-learn's on one core:
#
#   tests/bench/readers.sh [BUILD]      BUILD: build/release
#
# The text is 20 newsgroups in the folder DATA (what jobs/get-data.sh 20news tells); the SVMLight file is what it becomes,
# five times over. MB are millions of bytes of the files, all in the page cache. RUNS (5) may be set. scikit-learn is
# Debian's python3-sklearn; without it its rows are left out. Nothing is judged.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=${1:-build/release}
mpirun=${TWOFOLD_MPIRUN:-mpirun}
data=${DATA:-$(jobs/get-data.sh 20news)}
runs=${RUNS:-5}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

"$build/twofold" data -data_input "$data" -data_output "$dir/once.svm" >/dev/null
for _ in 1 2 3 4 5; do cat "$dir/once.svm"; done >"$dir/news.svm"

row() { # NAME BYTES COMMAND...: the command prints "load MS ms (...)"
  local name=$1 bytes=$2 line
  shift 2
  line=$("$@")
  awk -v name="$name" -v bytes="$bytes" '{
    printf "%-28s %8.1f MB %8.0f ms %8.1f MB/s\n", name, bytes / 1e6, $2, bytes / $2 / 1e3 }' <<<"$line"
}
for python in python3 /usr/bin/python3 ''; do # the system's own where another one comes first
  [ -z "$python" ] || "$python" -c 'import sklearn' 2>/dev/null || continue
  break
done
reader() { # KIND PATH BYTES
  for ranks in 1 2; do
    # shellcheck disable=SC2086 # a command and its options
    row "$1, $ranks ranks" "$3" $mpirun -n $ranks "$build/tests/bench-readers" -bench_file "$2" -bench_runs "$runs"
  done
  [ -z "$python" ] || row "$1, scikit-learn" "$3" "$python" tests/bench/readers.py "$1" "$2" "$runs"
}
reader text "$data" "$(find "$data" -type f -printf '%s\n' | awk '{ n += $1 } END { print n }')"
reader svmlight "$dir/news.svm" "$(stat -c %s "$dir/news.svm")"
