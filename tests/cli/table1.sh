#!/usr/bin/env bash
# jobs/experiments/table1.sh on a small text: the best step size of the grid goes on, what is there is not run again, what was
# stopped goes on to the same numbers, an element of a job array runs one cell, and the table has the paper's numbers beside; the
# same of Parkinson and Fashion-MNIST on made-up samples, and the pictures.
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
have=no
command -v gnuplot >/dev/null && have=yes
done_code=$([ $have = yes ] && echo 0 || echo 69) # of a run with its pictures
field() { # CELL NAME [FILE]: of table1.csv
  awk -F, -v cell="$1" -v name="$2" '
    NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) c = i; next }
    $3 == cell { print $c }' "${3:-out/table1.csv}"
}

# ------------------------------------------------------------------ all cells
begin=$SECONDS
table quick --quick -o out
[ "$code" = "$done_code" ] || fail "table1.sh --quick: exit code $code" log/quick.err
check "more than 2 minutes: $((SECONDS - begin)) s" test $((SECONDS - begin)) -lt 120
check "not 13 cells" test "$(wc -l <out/table1.csv)" = 14
check "ragged" awk -F, 'NR == 1 { n = NF } NF != n { bad = 1 } END { exit bad || n != 21 }' out/table1.csv
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

# ------------------------------------------------------------------ curves and pictures
check "the last point of a curve" test "$(grep '^count,cg-25,10,' out/curves.csv | cut -d, -f5-7)" = "$(awk -F, -v OFMT=%.6g \
  -v f="$(field cg-25 objective)" 'BEGIN { f += 0; print f "," f "," f }')"
check "points of curves" test "$(wc -l <out/curves.csv)" = $((13 * 11 + 1))
check "f of a step size" test "$(grep "^count,cg-25,$step,4,1," out/sensitivity.csv | cut -d, -f6)" = "$(awk -v OFMT=%.6g \
  -v f="$(objective "$cell/step-$step")" 'BEGIN { print f + 0 }')"
check "step sizes" test "$(wc -l <out/sensitivity.csv)" = $((13 * 2 + 1))
for picture in curves norms sensitivity; do
  for kind in svg png; do check "$picture.$kind" test $have = no -o "$(wc -c 2>/dev/null <out/$picture-count.$kind)" -gt 5000; done
done
check "a word of gnuplot's" test "$(grep -ciE 'warning|line [0-9]' log/quick.err)" = 0

# ------------------------------------------------------------------ going on
find out -name 'history.csv' -exec touch -d '2001-01-01' {} +
rm out/count-1/itd-10/chosen # as if killed at the very end
rm -r out/count-1/fp-10 # never begun
rm -r out/count-1/cg-10/chosen out/count-1/cg-10/final-* # and after the grid
mv out/table1.csv before.csv
table again --quick -o out
check "exit code when it went on" test "$code" = "$done_code"
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
check "exit code after a kill" test "$code" = "$done_code"
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
sed -i 's/^\( *"objective": \).*/\1 2.99,/' "choice/count-1/cg-25/step-$step/summary.json"
table choice --quick -o choice cg-25
check "the choice follows the objective" test "$(cat choice/count-1/cg-25/chosen)" = "$other"
mkdir -p huge
table huge --quick --grid "30 1e300" -o huge cg-10
check "exit code beside a step size that diverges" test "$code" = "$done_code"
check "the one that does not" test "$(cat huge/count-1/cg-10/chosen)" = 30
check "it is at an end of the grid" grep -qF '| *30* |' huge/table1.md
table none --quick --grid 1e300 -o none cg-10
check "exit code where all diverge" test "$code" = 69
check "it is said" grep -q 'every step size diverged' log/none.err

# One that came to more than where the grid left it is passed over as well, unless there is no better one.
mkdir -p up/count-1
cp -r out/count-1/cg-25 up/count-1
rm up/count-1/cg-25/chosen
sed -i 's/^\( *"objective": \).*/\1 0.001,/' "up/count-1/cg-25/step-$step/summary.json"
table up --quick -o up cg-25
check "one that went up is passed over" test "$(cat up/count-1/cg-25/chosen)" = "$other"
check "which is said" grep -q "step size $step came to .*, above where the grid left it" log/up.err
rm up/count-1/cg-25/chosen
sed -i 's/^\( *"objective": \).*/\1 0.002,/' "up/count-1/cg-25/step-$other/summary.json"
table up --quick -o up cg-25
check "the better of two that went up" test "$(cat up/count-1/cg-25/chosen)" = "$step"

# ------------------------------------------------------------------ Parkinson, Fashion-MNIST
begin=$SECONDS
table parkinson --data parkinson --quick -o parkinson --splits "1 2 3" itd-100 fp-100 fp10-100 cg10-150
[ "$code" = "$done_code" ] || fail "--data parkinson: exit code $code" log/parkinson.err
check "parkinson: rows" test "$(sed 1d parkinson/table1.csv | cut -d, -f1-3 | sort | tr '\n' ' ')" = "$(
  for split in 1 2 3; do printf 'standard,%s,%s ' $split cg10-150 $split fp-100 $split fp10-100 $split itd-100; done)"
check "parkinson: numbers" awk -F, 'NR > 1 && !($7 == 10 && $8 > 0 && $10 > 0.5 && $11 > 0 && $13 > 0.5 &&
  $15 == "CONVERGED_RTOL") { exit 1 }' parkinson/table1.csv
check "parkinson: no warm start" test "$(grep -L lls_warm_start parkinson/*/*/final-*/options.opts | wc -l)" = 12
check "parkinson: steps" awk -F, 'NR > 1 { split($3, m, "-"); if ($16 != 12 * m[2] || $17 > 10 * (m[1] ~ /10/ ? 10 : 100)) exit 1 }' \
  parkinson/table1.csv
middle=$(field itd-100 objective parkinson/table1.csv | sort -g | sed -n 2p)
check "parkinson: the median and the paper's" grep -q "^| 100 | ITD | $(awk -v x="$middle" 'BEGIN { printf "%.3f", x }') \[.* | 2\.39 (75\.8) | " \
  parkinson/table1.md
check "parkinson: beside the paper's and 0.1" test "$(grep -cE '^- (yes|no): .* at most [0-9.]+ in [0-3] of 3 splits' parkinson/table1.md)" = 4
# of the cells with t = 100 three pairs; the first is the difference between numbers of one split
check "parkinson: pairs" test "$(grep -cE '^\| [a-z0-9]+-100 \| [a-z0-9]+-100 \|' parkinson/table1.md)" = 3
difference=$(paste -d' ' <(field itd-100 objective parkinson/table1.csv) <(field fp10-100 objective parkinson/table1.csv) |
  awk '{ print $1 - $2 }' | sort -g | sed -n 2p)
check "parkinson: a difference" grep -q "^| itd-100 | fp10-100 | $(awk -v x="$difference" 'BEGIN { printf "%.4f", x }') " parkinson/table1.md
check "parkinson: a band" test "$(grep '^standard,itd-100,10,3,' parkinson/curves.csv | awk -F, '{ print ($6 < $5) + ($5 < $7) }')" = 2

table fashion --data fashion-mnist --quick -o fashion itd-5 fp5-10 cg-10
[ "$code" = "$done_code" ] || fail "--data fashion-mnist: exit code $code" log/fashion.err
check "fashion: numbers" awk -F, 'NR > 1 && !($1 == "pixels" && $7 == 10 && $8 > 0 && $8 < log(10) && $10 > 0.1 && $11 > 0 && $13 > 0.1 &&
  $14 <= 1e-7 && $15 == "CONVERGED_RTOL") { bad = 1 } END { exit bad || NR != 4 }' fashion/table1.csv
check "fashion: steps" test "$(cut -d, -f3,16,17 fashion/table1.csv | grep -E '^(itd|fp)' | sort | tr '\n' ' ')" = "fp5-10,120,50 itd-5,60,50 "
check "fashion: the paper's" grep -qE '^\| 10 \| FP, k = 5 \| .* \| 0\.42 \(83\.9\) \| ' fashion/table1.md
check "fashion: limits" test "$(grep -cE '^- no: split 1, (objectives at most 0.43|test accuracies at least 83.8): 0 of 3' fashion/table1.md)" = 2
check "more than a minute and a half for both: $((SECONDS - begin)) s" test $((SECONDS - begin)) -lt 90

# ------------------------------------------------------------------ Table 2
find parkinson -name 'history.csv' -exec touch -d '2001-01-01' {} +
mkdir spool2
cp "$experiments/table2.sh" spool2/slurm_script
echo >>log/checks
(
  cd spool2 && SLURM_SUBMIT_DIR=$here/../.. timeout 100 bash slurm_script --data parkinson --quick -o "$work/parkinson" --splits "1 2 3" \
    itd-100 fp-100 fp10-100 cg10-150
) >log/table2 2>log/table2.err || [ $have = no ] || fail "table2.sh" log/table2.err
check "table 2 runs nothing again" test "$(find parkinson -name history.csv -newermt 2002-01-01 | wc -l)" = 0
middle=$(field itd-100 exact_objective parkinson/table1.csv | sort -g | sed -n 2p)
check "table 2: the median" grep -q "^| 100 | ITD | $(awk -v x="$middle" 'BEGIN { printf "%.3f", x }') \[" parkinson/table2.md
check "table 2: rows" test "$(grep -cE '^\| 1[05]0 \| ' parkinson/table2.md)" = 4

# ------------------------------------------------------------------ splits, and as a job array
table list --quick --list --splits "1 2" itd-10 cg-50
check "the list" cmp -s <(awk '{ print $1, $2 }' log/list) <(printf '%s\n' "1 count-1/itd-10" "2 count-1/cg-50" "3 count-2/itd-10" \
  "4 count-2/cg-50")
for data in 20news:13 parkinson:100 fashion-mnist:8; do
  check "the whole list of ${data%:*}" test "$(bash "$experiments/table1.sh" --data "${data%:*}" --list | wc -l)" = "${data#*:}"
done
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
check "gathered" test "$code" = "$done_code" -a "$(wc -l <array/table1.csv)" = 3
check "the splits differ" test "$(cut -d, -f8 array/table1.csv | sort -u | wc -l)" = 3
check "the median and the range" grep -qE '^\| 10 \| ITD \| [0-9.]+ \[[0-9.]+, [0-9.]+\] \|' array/table1.md
check "on 2 ranks the same as on one" awk -v a="$(field itd-10 objective array/table1.csv | head -n 1)" \
  -v b="$(field itd-10 objective)" 'BEGIN { exit !(a != "" && (a - b) ^ 2 < (1e-9 * b) ^ 2) }'
check "as many ranks as the job has" test "$(field itd-10 ranks array/table1.csv | head -n 1)" = 2

# ------------------------------------------------------------------ refused
for args in --quack "-n 0" "-n" "--splits x" "--weights length" "--grid -1" "--probe 0" "--quick --probe 11" "--task 0" "itd-5" \
  "--quick --weights tfidf" "--task 14" "--data iris" "--data parkinson itd-10" "--data parkinson --weights count" "--table 3" \
  "--data fashion-mnist --splits 2"; do
  # shellcheck disable=SC2086 # one word an argument
  table usage $args
  check "usage: $args" test "$code" = 64
done
mkdir bin
for tool in timeout bash awk cat cut tr tee dirname env id sort sed wc; do ln -s "$(command -v "$tool")" bin/; done
PATH=$PWD/bin table without --gather-only -o array
check "exit code without gnuplot" test "$code" = 69
check "the way to gnuplot" grep -q 'jobs/setup.sh --experiments' log/without.err
TWOFOLD=missing table missing --quick -o out
check "no program" test "$code" = 66
table empty --gather-only -o empty
check "no cells" test "$code" = 66
finish
