#!/usr/bin/env bash
# jobs/experiments/table1.sh on a small text: the best step size of the grid goes on, what is there is not run again, what was
# stopped goes on to the same numbers, an element of a job array runs one cell, and the table has the paper's numbers beside.
# shellcheck source=common.sh
# shellcheck disable=SC2016,SC2317 # awk within checks; functions that pool runs
. "$(dirname "$0")/common.sh"
experiments=$here/../../jobs/experiments

export TWOFOLD=$twofold TWOFOLD_LAUNCH=env # on one rank, without mpirun
export OMPI_MCA_ess_singleton_isolated=1 OMPI_MCA_orte_tmpdir_base=$work/log OMPI_MCA_pml=ob1 OMPI_MCA_btl=self
unset SLURM_NTASKS PBS_NP LSB_DJOB_NUMPROC NSLOTS SLURM_SUBMIT_DIR PBS_O_WORKDIR LS_SUBCWD SGE_O_WORKDIR
unset SLURM_ARRAY_TASK_ID PBS_ARRAY_INDEX LSB_JOBINDEX SGE_TASK_ID
table() { # NAME ARGS...: its exit code into $code
  local name=$1
  shift
  timeout -k 5 200 bash "$experiments/table1.sh" "$@" >"log/$name" 2>"log/$name.err"
  code=$?
}
field() { # CELL NAME [FILE]: of table1.csv
  awk -F, -v cell="$1" -v name="$2" '
    NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) c = i; next }
    $3 == cell { print $c }' "${3:-out/table1.csv}"
}

# ------------------------------------------------------------------ all cells
begin=$SECONDS
table quick --quick -o out
[ "$code" = 0 ] || fail "table1.sh --quick: exit code $code" log/quick.err
check "more than 2 minutes: $((SECONDS - begin)) s" test $((SECONDS - begin)) -lt 120
check "not 13 cells" test "$(wc -l <out/table1.csv)" = 14
check "ragged" awk -F, 'NR == 1 { n = NF } NF != n { exit 1 } END { exit n != 21 }' out/table1.csv
check "a cell without numbers" awk -F, 'NR > 1 && !($7 == 10 && $8 > 0 && $8 < 3.5 && $10 > 0 && $11 > 0 && $13 > 0 &&
  $14 <= 1e-7 && $15 == "CONVERGED_RTOL") { exit 1 }' out/table1.csv
# the point that a run goes on from is computed twice
check "steps of the lower level" awk -F, 'NR > 1 { split($3, m, "-"); if ($16 != 12 * m[2]) exit 1 }' out/table1.csv
check "steps of the adjoint" awk -F, 'NR > 1 { split($3, m, "-"); k = m[1] ~ /10$/ ? 10 : m[2]; if ($17 != 10 * k) exit 1 }' \
  out/table1.csv
cell=out/count-1/cg-25 step=$(cat out/count-1/cg-25/chosen)
objective() { sed -n 's/^ *"objective": \([-+.e0-9]*\),*$/\1/p' "$1/summary.json" | head -n 1; }
other=$([ "$step" = 100 ] && echo 30 || echo 100)
check "the better step size" awk -v a="$(objective $cell/step-"$step")" -v b="$(objective $cell/step-"$other")" \
  'BEGIN { exit !(a != "" && b != "" && a < b) }'
check "f of the table" test "$(field cg-25 objective)" = "$(tail -n 1 "$cell/final-$step/history.csv" | cut -d, -f2)"
check "f at w(lambda)" test "$(field cg-25 exact_objective)" = "$(tail -n 1 "$cell/final-$step/history.csv" | cut -d, -f18)"
check "the paper's numbers" sh -c "grep -qE '^\| 50 \| CG, k = t \| [0-9.]+ \| [0-9.]+ \| [0-9.]+ \| [0-9.]+ \| 0\.64 \(63\.1\) \| ' out/table1.md"
check "13 rows" test "$(grep -cE '^\| (10|25|50) \|' out/table1.md)" = 13
check "statements" test "$(grep -cE '^- (yes|no): ' out/table1.md)" = 10
# ITD and the fixed-point method differ, and CG with more steps from CG with fewer
for pair in "itd-25 fp-25" "fp-25 cg-25" "cg-25 cg10-25" "fp-25 fp10-25"; do
  check "$pair: the same" test "$(field "${pair% *}" objective)" != "$(field "${pair#* }" objective)"
done

# the whole is that of a run without a break
sed '/^-\(uls_eval_exact\|uls_eval_lls\|output_dir\)/d' "$cell/final-$step/options.opts" >whole.opts
echo >>log/checks
timeout 60 "$twofold" solve -options_file whole.opts -output_dir whole >log/whole 2>&1 || fail "whole" log/whole
check "10 steps in one go are others" cmp -s <(cut -d, -f1-10,14 whole/history.csv) \
  <(cut -d, -f1-10,14 "$cell/final-$step/history.csv")

# ------------------------------------------------------------------ going on
find out -name 'history.csv' -exec touch -d '2001-01-01' {} +
rm out/count-1/itd-10/chosen # as if killed at the very end
rm -r out/count-1/fp-10 # never begun
rm -r out/count-1/cg-10/chosen out/count-1/cg-10/final-* # and after the grid
mv out/table1.csv before.csv
table again --quick -o out
check "exit code when it went on" test "$code" = 0
check "another table when it went on" cmp -s <(cut -d, -f1-15 before.csv) <(cut -d, -f1-15 out/table1.csv)
check "what was run again" test "$(find out -name history.csv -newermt 2002-01-01 | sed 's|out/count-1/||; s|/.*||' | sort -u |
  tr '\n' ' ')" = "cg-10 fp-10 "
check "steps of the grid were made again" test "$(find out/count-1/cg-10/step-* -name history.csv -newermt 2002-01-01 | wc -l)" = 0

# killed within: goes on from the checkpoint
mkdir -p killed/count-1
cp -r out/count-1/itd-25 killed/count-1/
step=$(cat killed/count-1/itd-25/chosen)
rm killed/count-1/itd-25/chosen killed/count-1/itd-25/final-"$step"/summary.json
table killed --quick -o killed itd-25
check "exit code after a kill" test "$code" = 0
check "it went on" grep -q -- ' -resume' log/killed.err
check "to the same numbers" test "$(field itd-25 objective killed/table1.csv)" = "$(field itd-25 objective)"

# ------------------------------------------------------------------ the choice, and step sizes that diverge
# Another winner of the grid is another cell; one that diverged is none; one that diverges later on is passed over.
cp -r out/count-1/cg-25 kept
mkdir -p choice/count-1
cp -r kept choice/count-1/cg-25
rm -r choice/count-1/cg-25/chosen choice/count-1/cg-25/final-*
step=$(cat kept/chosen)
other=$([ "$step" = 100 ] && echo 30 || echo 100)
sed -i 's/^\( *"objective": \).*/\1 0.001,/' "choice/count-1/cg-25/step-$other/summary.json"
table choice --quick -o choice cg-25
check "the choice follows the objective" test "$(cat choice/count-1/cg-25/chosen)" = "$other"
mkdir -p huge
table huge --quick --grid "30 1e300" -o huge cg-10
check "exit code beside a step size that diverges" test "$code" = 0
check "the one that does not" test "$(cat huge/count-1/cg-10/chosen)" = 30
check "it is at an end of the grid" grep -qF '| *30* |' huge/table1.md
table none --quick --grid 1e300 -o none cg-10
check "exit code where all diverge" test "$code" = 69
check "it is said" grep -q 'every step size diverged' log/none.err

# ------------------------------------------------------------------ splits, and as a job array
table list --quick --list --splits "1 2" itd-10 cg-50
check "the list" cmp -s <(awk '{ print $1, $2 }' log/list) <(printf '%s\n' "1 count-1/itd-10" "2 count-1/cg-50" "3 count-2/itd-10" \
  "4 count-2/cg-50")
check "the whole list" test "$(bash "$experiments/table1.sh" --list | wc -l)" = 13
mkdir spool
cp "$experiments/table1.sh" spool/slurm_script
for element in 1 3; do
  echo >>log/checks
  (
    unset TWOFOLD_LAUNCH OMPI_MCA_ess_singleton_isolated OMPI_MCA_orte_tmpdir_base OMPI_MCA_pml OMPI_MCA_btl
    export SLURM_ARRAY_TASK_ID=$element SLURM_NTASKS=2 SLURM_SUBMIT_DIR=$here/../..
    cd spool && bash slurm_script --quick --splits "1 2" -o "$work/array" itd-10 cg-50
  ) >log/array 2>log/array.err || fail "element $element" log/array.err
done
check "its cells" test "$(cd array && echo count-*/*)" = "count-1/itd-10 count-2/itd-10"
check "no table yet" test ! -e array/table1.csv
table gather --gather-only -o array
check "gathered" test "$code" = 0 -a "$(wc -l <array/table1.csv)" = 3
check "the splits differ" test "$(cut -d, -f8 array/table1.csv | sort -u | wc -l)" = 3
check "the mean and the range" grep -qE '^\| 10 \| ITD \| [0-9.]+ \[[0-9.]+, [0-9.]+\] \|' array/table1.md
check "on 2 ranks the same as on one" awk -v a="$(field itd-10 objective array/table1.csv | head -n 1)" \
  -v b="$(field itd-10 objective)" 'BEGIN { exit !(a != "" && (a - b) ^ 2 < (1e-9 * b) ^ 2) }'
check "as many ranks as the job has" test "$(field itd-10 ranks array/table1.csv | head -n 1)" = 2

# ------------------------------------------------------------------ refused
for args in --quack "-n 0" "-n" "--splits x" "--weights length" "--grid -1" "--probe 0" "--quick --probe 11" "--task 0" "itd-5" \
  "--quick --weights tfidf" "--task 14"; do
  # shellcheck disable=SC2086 # one word an argument
  table usage $args
  check "usage: $args" test "$code" = 64
done
TWOFOLD=missing table missing --quick -o out
check "no program" test "$code" = 66
table empty --gather-only -o empty
check "no cells" test "$code" = 66
finish
