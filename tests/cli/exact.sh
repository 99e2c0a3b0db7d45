#!/usr/bin/env bash
# twofold solve -uls_eval_exact: f, losses and accuracies at w(lambda) are those of a direct solve at the same lambda, the run
# goes on as without, and a run that was stopped or runs on other ranks tells the same.
# shellcheck source=common.sh
# shellcheck disable=SC2016,SC2317 # awk within checks; functions that pool runs
. "$(dirname "$0")/common.sh"

samples 60 1 20 >train.svm
samples 45 2 20 >val.svm
samples 45 3 20 >test.svm
files=(-blp_train train.svm -blp_val val.svm -blp_test test.svm)
data=("${files[@]}" -lls_max_it 5 -lls_fpm_step 0.2 -lls_warm_start -uls_step 5 -uls_eval_every 2 -quiet)
exact=(-uls_eval_exact -uls_eval_exact_every 3)

run() { # RANKS DIR OPTIONS...
  local ranks=$1 dir=$2
  shift 2
  launch "$ranks" solve "${data[@]}" -output_dir "$dir" "$@" >log/out."$dir" 2>log/err."$dir" ||
    fail "$dir: exit code $?" log/err."$dir"
}
column() { # NAME STEP DIR
  awk -F, -v name="$1" -v step="$2" '
    NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) c = i; next }
    $1 == step { print $c }' "$3/history.csv"
}
close() { # A B TOLERANCE
  awk -v a="$1" -v b="$2" -v tol="$3" 'BEGIN { exit !(a != "" && b != "" && (a - b) ^ 2 <= (tol * b) ^ 2) }'
}

# ------------------------------------------------------------------ what stands there, and that the run is the same
run 0 plain -uls_max_it 7
run 0 both -uls_max_it 7 "${exact[@]}"
check "the run is another" cmp -s <(cut -d, -f1-10,14-17 plain/history.csv) <(cut -d, -f1-10,14-17 both/history.csv)
check "w(lambda) at steps 0, 3, 6 and the last" test "$(awk -F, 'NR > 1 && $18 != "" { printf "%s ", $1 }' both/history.csv)" = "0 3 6 7 "
check "nothing without" awk -F, 'NR > 1 { for (i = 18; i <= 26; i++) if ($i != "") bad = 1 } END { exit bad || NF != 27 }' plain/history.csv
check "summary.json is no JSON" python3 -m json.tool both/summary.json log/json
check "no reason" test "$(column exact_reason 7 both)" = CONVERGED_RTOL
check "what is left" awk -v r="$(column exact_change 7 both)" 'BEGIN { exit !(r != "" && r <= 1e-9) }'
check "w_t is w(lambda) already" sh -c "[ '$(column objective 7 both)' != '$(column exact_objective 7 both)' ]"

# the same by Newton's method with a direct solve, at the lambda of solution.h5, and by its model
launch 0 hypergrad "${files[@]}" -hg_type exact -blp_lambda_file both/solution.h5 -output_dir direct >log/direct 2>&1 ||
  fail "hypergrad -hg_type exact" log/direct
f=$(awk '$1 == "objective" { print $3 }' log/direct)
check "f $(column exact_objective 7 both) instead of $f" close "$(column exact_objective 7 both)" "$f" 1e-8
for set in val test; do
  launch 0 predict -predict_model direct/solution.h5 -data_input $set.svm >log/$set 2>&1 || fail "predict $set" log/$set
  accuracy=$(sed -n 's/^.*accuracy  *\([-+.e0-9]*\).*/\1/p' log/$set)
  check "$set accuracy $(column exact_${set}_accuracy 7 both), not $accuracy %" awk -v a="$accuracy" \
    -v b="$(column exact_${set}_accuracy 7 both)" \
    'BEGIN { exit !(a != "" && b != "" && ((a - b) ^ 2 < 1e-10 || (a - 100 * b) ^ 2 < 1e-2)) }'
done
loss=$(sed -n 's/^.*cross-entropy  *\([-+.e0-9]*\).*/\1/p' log/test)
check "test loss $(column exact_test_loss 7 both), not $loss" close "$(column exact_test_loss 7 both)" "$loss" 1e-5
check "the summary has the last one" python3 - <<'END'
import json, csv
summary = json.load(open("both/summary.json"))["exact"]
row = list(csv.DictReader(open("both/history.csv")))[-1]
assert summary["step"] == 7 and summary["reason"] == "CONVERGED_RTOL", summary
assert summary["objective"] == float(row["exact_objective"])
assert abs(summary["test"]["accuracy"] - float(row["exact_test_accuracy"])) < 1e-6
assert abs(summary["val"]["accuracy"] - float(row["exact_val_accuracy"])) < 1e-6
END

# many steps of the lower level get there, too
run 0 long -uls_max_it 0 -blp_lambda 2 -lls_max_it 4000 -lls_fpm_step optimal -uls_eval_exact
check "w_t after many steps" close "$(column objective 0 long)" "$(column exact_objective 0 long)" 1e-8

# ------------------------------------------------------------------ resumed, and on other ranks
told() { cut -d, -f1-10,14,18-25 "$1/history.csv"; } # but for times and work
resumed() { # RANKS NAME OPTIONS...: Nesterov with momentum in a box, too
  local ranks=$1 name=$2
  shift 2
  run "$ranks" "$name" -uls_max_it 6 "${exact[@]}" "$@"
  run "$ranks" "$name.part" -uls_max_it 4 "${exact[@]}" "$@"
  run "$ranks" "$name.part" -uls_max_it 6 "${exact[@]}" -resume "$@"
  check "$name: resumed, it is another" cmp -s <(told "$name") <(told "$name.part")
}
momentum=(-uls_momentum 0.5 -uls_momentum_type nesterov -lset_type box -lset_lower -0.2 -lset_upper 0.1)
pool resumed 0 resumed "${momentum[@]}"
pool resumed 2 resumed2 "${momentum[@]}"
ranks() {
  local n
  run 0 ranks0 -uls_max_it 3 "${exact[@]}" "${momentum[@]}" -hg_ksp_rtol 0 -hg_ksp_max_it 5
  for n in 2 3; do
    run "$n" "ranks$n" -uls_max_it 3 "${exact[@]}" "${momentum[@]}" -hg_ksp_rtol 0 -hg_ksp_max_it 5
    check "f on $n ranks" close "$(column objective 3 "ranks$n")" "$(column objective 3 ranks0)" 1e-10
    check "f at w(lambda) on $n ranks" close "$(column exact_objective 3 "ranks$n")" "$(column exact_objective 3 ranks0)" 1e-8
    check "accuracy on $n ranks" test "$(column exact_test_accuracy 3 "ranks$n")" = "$(column exact_test_accuracy 3 ranks0)"
  done
}
pool ranks

# ------------------------------------------------------------------ another solver, and one that does not get there
other() {
  run 0 picard -uls_max_it 0 -blp_lambda 2 -uls_eval_exact -uls_eval_lls_type picard -uls_eval_lls_fpm_step 0.2 \
    -uls_eval_lls_max_it 3
  check "a tolerance that was missed is told" test "$(column exact_reason 0 picard)" = DIVERGED_ITS
  check "f there" test -n "$(column exact_objective 0 picard)"
  check "no product" test "$(column exact_products 0 picard)" = 0
  run 0 nan -uls_max_it 1 -uls_eval_exact -uls_eval_lls_type picard -uls_eval_lls_fpm_step 1e200 -uls_eval_lls_dtol 1e300
  check "a w that is not finite: $(column exact_reason 1 nan)" grep -q 'DIVERGED_[A-Z]*,[0-9.]*,[0-9]*$' nan/history.csv
  check "no f there" test -z "$(column exact_objective 1 nan)"
  check "the run went on" grep -q '"reason": "CONVERGED_ITS",' nan/summary.json
}
pool other
numbers() { # without samples, and where the lower level is a map or not makes no difference
  launch 2 solve -blp_type quadratic -lls_max_it 2 -uls_max_it 1 -uls_eval_exact -output_dir numbers >log/numbers 2>&1 ||
    fail "quadratic" log/numbers
  launch 0 hypergrad -blp_type quadratic -blp_lambda_file numbers/solution.h5 -hg_type exact >log/closed 2>&1 ||
    fail "quadratic, closed form" log/closed
  check "f of quadratic" close "$(column exact_objective 1 numbers)" "$(awk '$1 == "objective" { print $3 }' log/closed)" 1e-8
  check "it is printed" grep -q '^  at w(lambda): f [-0-9.e+]*  CONVERGED_' log/numbers
}
pool numbers

# ------------------------------------------------------------------ refused
pool refused 0 64 "-uls_eval_exact_every|-uls_eval_exact" solve "${data[@]}" -uls_eval_exact_every 2 -output_dir no
pool refused 0 64 "-uls_eval_lls_rtol|-uls_eval_exact" solve "${data[@]}" -uls_eval_lls_rtol 1e-3 -output_dir no
pool refused 0 64 "-uls_eval_exact_every -1" solve "${data[@]}" -uls_eval_exact -uls_eval_exact_every -1 -output_dir no
pool refused 2 64 "-uls_eval_exact|-blp_folds 3" solve -blp_data train.svm -blp_folds 3 -uls_eval_exact -output_dir no
finish
