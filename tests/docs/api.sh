#!/usr/bin/env bash
# The API reference builds without a warning, and no public header escapes it: Doxygen passes over a file that has no
# @file, and over nothing else. usage: api.sh SOURCE_FOLDER
set -euo pipefail

cd "$1"
command -v doxygen >/dev/null || {
  echo "skipped: doxygen is not installed"
  exit 77
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0
for header in include/twofold.h include/twofold/*.h; do
  grep -q '@file' "$header" || { echo "FAILED: $header has no @file" && bad=1; }
done
{
  cat docs/Doxyfile
  echo "OUTPUT_DIRECTORY = $work"
} >"$work/Doxyfile"
doxygen "$work/Doxyfile" >"$work/log" 2>&1 || bad=1
cat "$work/log"
[ ! -s "$work/log" ] || bad=1
grep -q HGSolve "$work"/html/hg_8h.html || { echo "FAILED: HGSolve() is not in the reference" && bad=1; }
exit "$bad"
