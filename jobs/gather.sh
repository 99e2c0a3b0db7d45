#!/usr/bin/env bash
# A table of runs: a row for each run directory in the folders named, as CSV.
set -euo pipefail

if [ $# -eq 0 ] || [[ $1 == -* ]]; then
  echo "usage: jobs/gather.sh FOLDER...      of run directories, or run directories themselves; writes CSV to standard output" >&2
  exit 64
fi
told() { # FILE SET KEY: a value of summary.json; without SET one of the run itself
  awk -v set="$2" -v key="\"$3\":" '
    set != "" && $1 == "\"" set "\":" { inside = 1 }
    $1 == key && (set == "" || inside) { sub(/^[^:]*: */, ""); sub(/,$/, ""); gsub(/"/, ""); print; exit }
    /}/ { inside = 0 }' "$1"
}
rows=0
echo "run,reason,steps,objective,hypergradient_norm,val_accuracy,test_loss,test_accuracy,solve_s,ranks,peak_bytes"
for folder in "$@"; do
  while IFS= read -r file; do
    rows=$((rows + 1))
    echo "${file%/summary.json},$(told "$file" '' reason),$(told "$file" '' steps),$(told "$file" '' objective),$(
      told "$file" '' hypergradient_norm),$(told "$file" val accuracy),$(told "$file" test loss),$(told "$file" test accuracy),$(
      told "$file" '' solve_s),$(told "$file" '' ranks),$(told "$file" '' peak_memory_per_rank_bytes)"
  done < <(find "$folder" -name summary.json | sort -V)
done
if [ "$rows" = 0 ]; then
  echo "gather: there is no run that has ended in $*" >&2
  exit 66
fi
