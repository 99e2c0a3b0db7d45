#!/usr/bin/env bash
# jobs/experiments/scaling.sh on small problems: what ranks send is what the model says, a run that is there is not made again,
# tables and pictures are made of what there is, and job scripts are scripts. Times are not judged.
# shellcheck source=common.sh
# shellcheck disable=SC2016 # awk within checks
. "$(dirname "$0")/common.sh"
experiments=$here/../../jobs/experiments

export TWOFOLD=$twofold TWOFOLD_LAUNCH="${mpirun[*]}"
unset SLURM_NTASKS PBS_NP LSB_DJOB_NUMPROC NSLOTS SLURM_SUBMIT_DIR PBS_O_WORKDIR LS_SUBCWD SGE_O_WORKDIR
scaling() { # NAME ARGS...: its exit code into $code
  local name=$1
  shift
  timeout -k 5 200 bash "$experiments/scaling.sh" "$@" >"log/$name" 2>"log/$name.err"
  code=$?
}
have=no
command -v gnuplot >/dev/null && have=yes
done_code=$([ $have = yes ] && echo 0 || echo 69)

# ------------------------------------------------------------------ the study
scaling quick --quick --strong --ranks "1 2 4" --node 2 -o out
[ "$code" = "$done_code" ] || fail "scaling.sh --quick: exit code $code" log/quick.err
scaling weak --quick --weak --ranks 3 --node 2 --grids "row auto" -o out
[ "$code" = "$done_code" ] || fail "scaling.sh --weak: exit code $code" log/weak.err
column() { # NAME: the number of a column of scaling.csv
  awk -F, -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) print i }' out/scaling.csv
}
counted=$(column sent_bytes) model=$(column model_sent_bytes) time=$(column ms)
check "volumes by the model, within 5 %" awk -F, -v a="$counted" -v b="$model" '
  NR > 1 && $a != "" { n++; if (!($a > 0.95 * $b && $a < 1.05 * $b)) bad = 1 }
  END { exit bad || n != 7 }' out/scaling.csv # row and column on 2; row, column and square on 4; row and auto on 3
# 8 bytes, 20 classes
check "the model's own numbers" awk -F, -v b="$model" '
  $1 == "strong" && $2 == 4 && $3 == "row" { n += $b == 2 * 8 * 20 * 600 * 3 / 4 }
  $1 == "strong" && $2 == 4 && $3 == "column" { n += $b == 2 * 8 * 20 * 6000 * 3 / 4 }
  $1 == "strong" && $2 == 4 && $3 == "square" { n += $b == 2 * 8 * 20 * (600 / 2 + 6000 / 2) / 2 }
  $1 == "weak" && $2 == 3 && $3 == "row" { n += $b == 2 * 8 * 20 * 900 * 2 / 3 }
  END { exit n != 4 }' out/scaling.csv
cores=$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)
check "times on as many ranks as there are cores, and no more" awk -F, -v t="$time" -v cores="$cores" '
  NR > 1 && $10 == "step_gd" && ($t != "") != ($2 <= cores) { bad = 1 }
  NR > 1 { n++ }
  END { exit bad || n == 0 }' out/scaling.csv
check "messages of four ranks in a square" awk -F, -v m="$(column messages)" '
  $1 == "strong" && $3 == "square" { n += $m == 6 }
  END { exit n != 1 }' out/scaling.csv
check "a table" grep -q '^| 4 | square 2,2 | step_gd |' out/scaling.md
check "predictions to 4096 ranks" awk -F, '
  $1 == "45Mx1M" && $2 == 4096 && ($3 == "auto") { found = $4 == 512 && $5 == 8 }
  NR > 1 { n++; if (!($6 > 0) || ($9 - $6 - $7 - $8) ^ 2 > 1e-8 * $9 ^ 2) bad = 1 }
  END { exit bad || !(found && n == 3 * 13 * 4) }' out/prediction.csv
# of a machine whose messages took longer while they were timed than within a step
cp -r out slow
sed -i 's/"latency_us": /&9999/' slow/calibrate-2-*/time/summary.json
scaling slow --quick --strong --ranks "1 2 4" --node 2 -o slow
check "times of work are above 0 where messages were slow" awk -F, 'NR > 1 { n++; good += $6 > 0 }
  END { exit !(n && good == n) }' slow/prediction.csv
for picture in strong volume prediction; do
  for format in svg png; do
    [ $have = no ] || check "$picture.$format" test -s "out/$picture.$format"
  done
done
[ $have = no ] || check "volume.svg is no picture" python3 -c \
  'import sys, xml.dom.minidom as d; sys.exit(len(d.parse("out/volume.svg").getElementsByTagName("path")) < 10)'

# ------------------------------------------------------------------ going on
find out -name '*.json' -exec touch -d '2001-01-01' {} +
rm -r out/strong-2-column/sent/sent.json # as if killed within
mv out/scaling.csv before.csv
scaling again --quick --strong --ranks "1 2 4" --node 2 -o out
check "exit code when it went on" test "$code" = "$done_code"
check "another table when it went on" cmp -s before.csv out/scaling.csv
check "the one run that was not finished, and no other" test "$(find out -name '*.json' -newermt 2002-01-01 |
  sed 's|out/||; s|/.*||' | sort -u)" = strong-2-column
scaling third --quick --strong --ranks "1 2 4" --node 2 -o out
check "nothing left to run" sh -c '! grep -qE "scaling: (mpirun|messages of)" log/third.err'

# ------------------------------------------------------------------ what is not counted right is found
sed 's/"bytes_a_rank": [0-9.]*/"bytes_a_rank": 1/' out/strong-4-row/sent/sent.json >sent.json
cp sent.json out/strong-4-row/sent/sent.json
scaling spoilt --quick --gather-only -o out
check "a count that is changed is in the table" awk -F, -v a="$counted" '$2 == 4 && $3 == "row" && $a == 1.0 { n++ } END { exit n != 1 }' out/scaling.csv

scaling least --quick --gather-only --least -o out
check "the least times where asked for" awk -F, -v t="$time" -v least="$(column ms_least)" '
  NR > 1 && $t != $least { bad = 1 }
  $t != "" { n++ }
  END { exit bad || n < 2 }' out/scaling.csv

# ------------------------------------------------------------------ as jobs
SITE_PARTITION=short SITE_ACCOUNT=me SITE_SETUP='module load "mpi"' SITE_RANKS_A_NODE=4 \
  scaling jobs --quick --scheduler slurm --ranks "2 8" --data text --dry-run -o 'with space'
check "job scripts" test "$code" = 0
check "nothing is made" test ! -e 'with space'
csplit -z -s -f job log/jobs '/^#!/' '{*}'
check "three of them" test "$(find . -maxdepth 1 -name 'job0*' | wc -l)" = 3
for job in job0*; do
  check "$job is a script" bash -n "$job"
  if command -v shellcheck >/dev/null; then check "shellcheck of $job" shellcheck "$job"; fi
done
for line in '#SBATCH --ntasks=8' '#SBATCH --ntasks-per-node=4' '#SBATCH --partition=short' '#SBATCH --account=me' 'module load "mpi"'; do
  check "a job of 8 ranks has $line" grep -qxF -- "$line" job01
done
check "what a job runs" grep -q 'scaling.sh --quick --data text -o .*/with\\ space --node 4 --ranks 8 --no-gather$' job01
check "and the last" grep -q -- "--ranks '2 8' --gather-only$" job02

# ------------------------------------------------------------------ refused
for args in --quack "--ranks 0" "--ranks" "--grids ring" "--network 2" "--gather-messages tree" "--scheduler pbs" "--predict a:1"; do
  # shellcheck disable=SC2086 # one word an argument
  scaling usage $args
  check "usage: $args" test "$code" = 64 -a "$(grep -c '^usage:' log/usage.err)" = 1
done
TWOFOLD=missing scaling missing --quick -o out
check "no program" test "$code" = 66
scaling nodata --data missing -o out
check "no data" test "$code" = 66
scaling empty --gather-only -o empty
check "no runs" test "$code" = 66
finish
