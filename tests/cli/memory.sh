#!/usr/bin/env bash
# jobs/experiments/memory.sh on small problems: memory of iterative differentiation grows by an iterate a step, that of implicit
# differentiation does not, revolve stays within its limit and gives the same hypergradient; going on, job arrays, tables.
# shellcheck source=common.sh
# shellcheck disable=SC2016 # awk within checks
. "$(dirname "$0")/common.sh"
experiments=$here/../../jobs/experiments

export TWOFOLD=$twofold TWOFOLD_LAUNCH="${mpirun[*]}"
unset SLURM_NTASKS PBS_NP LSB_DJOB_NUMPROC NSLOTS SLURM_SUBMIT_DIR PBS_O_WORKDIR LS_SUBCWD SGE_O_WORKDIR
unset SLURM_ARRAY_TASK_ID PBS_ARRAY_INDEX LSB_JOBINDEX SGE_TASK_ID
memory() { # NAME ARGS...: its exit code into $code
  local name=$1
  shift
  timeout -k 5 200 bash "$experiments/memory.sh" "$@" >"log/$name" 2>"log/$name.err"
  code=$?
}
have=no
command -v gnuplot >/dev/null && have=yes
done=$([ "$have" = yes ] && echo 0 || echo 69)

# ------------------------------------------------------------------ the whole
memory quick --quick -o out
[ "$code" = "$done" ] || fail "memory.sh --quick: exit code $code" log/quick.err
check "14 runs" test "$(wc -l <out/memory.csv)" = 15
# w has 20,000 x 20 entries, 3.2 MB on one rank; from t = 10 to t = 30 of ITD 20 of them more, within 15 %
echo >>log/checks
awk -F, 'NR == 1 { if (NF != 14) bad = 1; next }
  { if (NF != 14) bad = 1; peak[$1, $2, $3] = $4; tape[$1, $2, $3] = $5; f[$2, $3] = $11 }
  END {
    for (r = 1; r <= 2; r++) {
      iterate = 3.2e6 / r
      grown = (peak["itd", 30, r] - peak["itd", 10, r]) / (20 * iterate)
      if (!(grown > 0.85 && grown < 1.15)) { print "ITD grows by", grown, "iterates on", r; bad = 1 }
      grown = (tape["itd", 30, r] - tape["itd", 10, r]) / (20 * iterate)
      if (!(grown > 0.99 && grown < 1.02)) { print "its tape grows by", grown; bad = 1 }
      grown = (peak["aid", 60, r] - peak["aid", 10, r]) / iterate
      if (!(peak["aid", 60, r] > 1e7 && grown < 2)) { print "AID grows by", grown, "on", r; bad = 1 }
      grown = (peak["revolve", 60, r] - peak["revolve", 30, r]) / iterate
      if (!(grown < 2 && grown > -2)) { print "revolve grows by", grown, "on", r; bad = 1 }
      if (!(f[60, r] > 0 && f[60, r] < f[10, r])) bad = 1
    }
    exit bad
  }' out/memory.csv >log/numbers || fail "memory" log/numbers out/memory.csv
# beside the limit one more state, of two w
check "the limit" awk -F, '$1 == "revolve" { n++; if ($6 != 30000000 || $5 > 30e6 + 2 * 3.3e6 / $3 || $7 < 4 || $8 < 1) bad = 1 }
  END { exit bad || n != 4 }' out/memory.csv
check "revolve is ITD" awk -F, '$1 == "revolve" && $2 == 30 { n++; if ($13 != "0") bad = 1 } END { exit bad || n != 2 }' out/memory.csv
check "AID is something else" awk -F, '$1 == "itd" { n++; if (!($14 > 1e-3)) bad = 1 } END { exit bad || n != 4 }' out/memory.csv
check "the table" test "$(grep -cE '^\| (10|30|60) \| [0-9]+ \(|^\| (30|60) \| [12] \| 30 \|' out/memory.md)" = 6
check "its slopes" sh -c "grep -qE '^\| MB a step \| 3\.[0-9]+ \| 1\.[0-9]+ \| -?0\.[0-9]+ \| -?0\.[0-9]+ \|' out/memory.md"
if [ "$have" = yes ]; then
  check "memory.png" test -s out/memory.png
  check "memory.svg is no picture" python3 -c \
    'import sys, xml.dom.minidom as d; sys.exit(len(d.parse("out/memory.svg").getElementsByTagName("path")) < 10)'
fi

# ------------------------------------------------------------------ going on, and what is looked at
rm -r out/aid-10-1
mv out/memory.csv before.csv
memory again --quick -o out
check "exit code when it went on" test "$code" = "$done"
check "runs that are there" test "$(grep -c 'there already' log/again.err)" = 13
check "another table" cmp -s <(cut -d, -f1-3,5-8,11- before.csv) <(cut -d, -f1-3,5-8,11- out/memory.csv)
cp out/aid-30-1/gradient.bin out/revolve-30-1/gradient.bin
memory other --quick --gather-only -o out
check "revolve with another hypergradient" test "$code" = 70

# ------------------------------------------------------------------ as a job array
check "the list" test "$(bash "$experiments/memory.sh" --list | wc -l)" = 26
mkdir spool
cp "$experiments/memory.sh" spool/slurm_script
echo >>log/checks
(
  export SLURM_ARRAY_TASK_ID=2 SLURM_NTASKS=2 SLURM_SUBMIT_DIR=$here/../..
  cd spool && bash slurm_script --quick -o "$work/array" itd-5-2 aid-5-1
) >log/array 2>log/array.err || fail "element 2" log/array.err
check "its run" test "$(cd array && echo *)" = aid-5-1
memory gather --gather-only -o array
check "gathered" test "$(wc -l <array/memory.csv)" = 2

for args in --quack "--ranks 0" "--ram much" "--steps x" "--long" "--task 27" itd-5 krr-5-1; do
  # shellcheck disable=SC2086 # one word an argument
  memory usage $args
  check "usage: $args" test "$code" = 64
done
TWOFOLD=missing memory missing --quick -o none
check "no program" test "$code" = 66
memory empty --gather-only -o none
check "no runs" test "$code" = 66
finish
