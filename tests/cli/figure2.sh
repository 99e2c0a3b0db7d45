#!/usr/bin/env bash
# jobs/experiments/figure2.sh on made-up samples: what is there is not run again, what was stopped goes on to the same numbers, an
# element of a job array makes one run, and tables and statements follow from the histories.
# shellcheck source=common.sh
# shellcheck disable=SC2016,SC2317 # awk within checks; functions that pool runs
. "$(dirname "$0")/common.sh"
experiments=$here/../../jobs/experiments

export TWOFOLD=$twofold TWOFOLD_LAUNCH=env # on one rank, without mpirun
export OMPI_MCA_ess_singleton_isolated=1 OMPI_MCA_orte_tmpdir_base=$work/log OMPI_MCA_pml=ob1 OMPI_MCA_btl=self
unset SLURM_NTASKS PBS_NP LSB_DJOB_NUMPROC NSLOTS SLURM_SUBMIT_DIR PBS_O_WORKDIR LS_SUBCWD SGE_O_WORKDIR
unset SLURM_ARRAY_TASK_ID PBS_ARRAY_INDEX LSB_JOBINDEX SGE_TASK_ID
figure() { # NAME ARGS...: its exit code into $code
  local name=$1
  shift
  timeout -k 5 200 bash "$experiments/figure2.sh" "$@" >"log/$name" 2>"log/$name.err"
  code=$?
  if [ "$code" = 69 ] && ! command -v gnuplot >/dev/null; then code=0; fi
}
field() { # KIND METHOD RATE SEED NAME [FILE]: of figure2.csv
  awk -F, -v run="$1,$2,$3,$4" -v name="$5" '
    NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) c = i; next }
    $1 "," $2 "," $3 "," $4 == run { print $c }' "${6:-out/figure2.csv}"
}

# ------------------------------------------------------------------ all runs
begin=$SECONDS
figure quick --quick -o out
[ "$code" = 0 ] || fail "figure2.sh --quick: exit code $code" log/quick.err
check "more than 2 minutes: $((SECONDS - begin)) s" test $((SECONDS - begin)) -lt 120
check "not 24 runs" test "$(wc -l <out/figure2.csv)" = 25
for table in figure2 steps curves rates; do
  check "$table.csv: ragged" awk -F, 'NR == 1 { n = NF } NF != n { bad = 1 } END { exit bad || NR < 2 }' "out/$table.csv"
done
check "upper steps" awk -F, 'NR > 1 && $6 != ($3 == 0.5 ? 24 : 16) { exit 1 }' out/figure2.csv
check "all begin at the same f of their start" test "$(awk -F, 'NR > 1 && $6 == 0 { print $4, $7 }' out/steps.csv | sort -u | wc -l)" = 2
check "f of the table" test "$(field free cg 0.5 2 objective)" = "$(tail -n 1 out/free/cg/step-0.5/seed-2/history.csv | cut -d, -f2)"
check "what learning rates are compared by" test "$(field free cg 0.5 1 objective_compared)" = \
  "$(awk -F, '$1 == 16 { print $2 }' out/free/cg/step-0.5/seed-1/history.csv)"
check "the projection" awk -F, 'NR > 1 && $1 == "projected" && !($14 < 0.99 + 1e-9) { bad = 1 } NR > 1 && $1 == "free" && $14 > 1 { more = 1 }
  END { exit bad || !more }' out/figure2.csv
check "q is at most the norm of A" awk -F, 'NR > 1 && $15 != "" && !($15 > 0 && $15 <= $16 && $16 <= $17) { exit 1 }' out/steps.csv
check "means and ranges" awk -F, 'NR == FNR { if ($1 == "free" && $2 == "fp" && $3 == 0.5 && $6 == 9) x[++n] = $7; next }
  $1 == "free" && $2 == "fp" && $3 == 9 { found = ($4 - (x[1] + x[2]) / 2) ^ 2 < 1e-8 && ($5 == x[1] || $5 == x[2]) && $5 <= $6 && $5 + $6 == x[1] + x[2] }
  END { exit !(found && n == 2) }' out/steps.csv out/curves.csv
# with a small learning rate, before the steps are chaotic, the methods' curves are one
check "the curves overlap where they must" grep -q '^- yes: projected, learning rate 0.1, start 1, the three curves overlap' out/figure2.md
check "products" grep -q '^- yes: products .*: FP 8 (k = 8, the first step needs none), CG 17 (2 k + 1, k = 8)' out/figure2.md
check "methods are the same" test "$(for m in itd fp cg; do field free $m 0.5 1 objective; done | sort -u | wc -l)" = 3
check "rows of the table" test "$(grep -cE '^\| (projected|free) \|' out/figure2.md)" = 6
check "statements" test "$(grep -cE '^- (yes|no): ' out/figure2.md)" = 9
check "learning rates" test "$(grep -cE '^- (projected|free), .* below half of where it began with [0-3] of 3' out/figure2.md)" = 6
if command -v gnuplot >/dev/null; then
  check "no picture" test -s out/figure2.svg -a -s out/figure2.png
  check "gnuplot warns" sh -c '! grep -i "warning\|undefined" log/quick.err'
fi

# ------------------------------------------------------------------ going on
cp out/figure2.csv before.csv
find out -name history.csv -exec touch -d '2001-01-01' {} +
rm -r out/projected/itd/step-2 # never begun
figure again --quick -o out
check "exit code when it went on" test "$code" = 0
check "what was run again" test "$(find out -name history.csv -newermt 2002-01-01)" = out/projected/itd/step-2/seed-1/history.csv
check "another table" cmp -s <(cut -d, -f1-14 before.csv) <(cut -d, -f1-14 out/figure2.csv)

# a longer run goes on from where the shorter one ended; the whole is one without a break
mkdir -p long/free/fp
cp -r out/free/fp/step-0.5 long/free/fp/
rm -r long/free/fp/step-0.5/seed-2
figure long --quick -o long --seeds 1 --sweep "" --upper 30 free/fp
check "exit code of a longer run" test "$code" = 0
check "it went on" grep -q -- ' -resume' log/long.err
figure whole --quick -o whole --seeds 1 --sweep "" --upper 30 free/fp
check "no -resume in one go" sh -c '! grep -q -- " -resume" log/whole.err'
check "to other numbers" cmp -s <(cut -d, -f1-10 long/free/fp/step-0.5/seed-1/history.csv) <(cut -d, -f1-10 whole/free/fp/step-0.5/seed-1/history.csv)
check "to other diagnostics" test "$(tail -n 1 long/free/fp/step-0.5/seed-1/diagnostics.csv)" = \
  "$(tail -n 1 whole/free/fp/step-0.5/seed-1/diagnostics.csv)"

# a learning rate that diverges is told, and ends no list
figure huge --quick -o huge --seeds 1 --sweep "1e300" free/fp free/itd
check "exit code beside a run that diverges" test "$code" = 0
check "it is told" grep -q '1e300: diverged' huge/figure2.md
check "with its reason" test "$(field free fp 1e300 1 reason huge/figure2.csv | cut -c 1-8)" = DIVERGED

# ------------------------------------------------------------------ as a job array
check "the whole list" test "$(bash "$experiments/figure2.sh" --list | wc -l)" = 66
figure list --quick --list --seeds "3 4" --sweep 0.1 free/cg projected/itd
check "the list" cmp -s <(awk '{ print $2 }' log/list) <(printf '%s\n' free/cg/step-0.5/seed-3 projected/itd/step-0.5/seed-3 \
  free/cg/step-0.1/seed-3 projected/itd/step-0.1/seed-3 free/cg/step-0.5/seed-4 projected/itd/step-0.5/seed-4)
mkdir spool
cp "$experiments/figure2.sh" spool/slurm_script
echo >>log/checks
(
  unset TWOFOLD_LAUNCH OMPI_MCA_ess_singleton_isolated OMPI_MCA_orte_tmpdir_base OMPI_MCA_pml OMPI_MCA_btl
  export SLURM_ARRAY_TASK_ID=2 SLURM_NTASKS=2 SLURM_SUBMIT_DIR=$here/../..
  cd spool && bash slurm_script --quick --seeds 1 --sweep 0.1 -o "$work/array" free/itd projected/itd
) >log/array 2>log/array.err || fail "element 2" log/array.err
check "its run" test "$(cd array && echo */*/*/*)" = projected/itd/step-0.5/seed-1
check "no table yet" test ! -e array/figure2.csv
figure other --gather-only -o array # of another learning rate
check "no curves to show" test "$code" = 66 -a "$(grep -c 'no run has the learning rate 0.2' log/other.err)" = 1
figure gather --gather-only --step 0.5 -o array
check "gathered" test "$code" = 0 -a "$(wc -l <array/figure2.csv)" = 2
check "on 2 ranks the same as on one" cmp -s <(awk -F, '{ printf "%s %.6g\n", $1, $2 }' array/projected/itd/step-0.5/seed-1/history.csv | head -n 9) \
  <(awk -F, '{ printf "%s %.6g\n", $1, $2 }' out/projected/itd/step-0.5/seed-1/history.csv | head -n 9)

# ------------------------------------------------------------------ refused
for args in --quack "-n 0" "-n" "--seeds x" "--step -1" "--sweep a" "--upper 0" "--quick --sweep-upper 25" "--task 0" "free/gd" \
  "--every 0" "--task 67"; do
  # shellcheck disable=SC2086 # one word an argument
  figure usage $args
  check "usage: $args" test "$code" = 64
done
TWOFOLD=missing figure missing --quick -o out
check "no program" test "$code" = 66
figure empty --gather-only -o empty
check "no runs" test "$code" = 66
finish
