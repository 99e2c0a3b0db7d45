#!/usr/bin/env bash
# Cross-validation with the program: the same numbers for any number of ranks and groups, runs that go on with other
# ones, what is printed once, what is refused.
# shellcheck source=common.sh
# shellcheck disable=SC2317 # functions that pool runs
. "$(dirname "$0")/common.sh"

samples 61 1 20 >all.svm
samples 30 2 20 >test.svm
fixed=(-hg_ksp_rtol 0 -hg_ksp_max_it 7 -lls_max_it 10)
warm=(-lls_warm_start -hg_warm_start -lls_fpm_type heavyball -lls_fpm_momentum 0.6)
data=(-blp_data all.svm -blp_test test.svm -blp_folds 5 -blp_seed 3 -blp_stratified)
cv=("${data[@]}" "${fixed[@]}" -quiet)

run() { # COMMAND RANKS DIR OPTIONS...
  local command=$1 ranks=$2 dir=$3
  shift 3
  launch "$ranks" "$command" "${cv[@]}" -output_dir "$dir" "$@" >log/out."$dir" 2>log/err."$dir" ||
    fail "$dir: exit code $?" log/err."$dir"
}
rows_agree() { # DIR DIR: all numbers but times to 1e-9, as many rows
  echo >>log/checks
  paste -d, <(cut -d, -f1-10 "$1/history.csv") <(cut -d, -f1-10 "$2/history.csv") | awk -F, '
    function far(a, b, tol) { return a == "" || b == "" ? a != b : (a - b) ^ 2 > (tol * b) ^ 2 }
    NF != 20 { exit 1 }
    NR > 1 {
      rows++
      for (k = 2; k <= 9; k++) if (far($k, $(k + 10), k == 9 ? 1e-3 : 1e-9)) exit 1
      if ($1 != $11 || $10 != $20) exit 1
    }
    END { if (rows < 3) exit 1 }' || fail "the histories of $1 and $2 differ" "$1/history.csv" "$2/history.csv"
}

# ------------------------------------------------------------------ any number of ranks and groups
one() { # RANKS GROUPS
  run hypergrad "$1" "g$1.$2" -blp_fold_groups "$2" -blp_lambda -0.5 -data_scale standard -hg_view_gradient "binary:gradient$1.$2.bin"
  run solve "$1" "s$1.$2" -blp_fold_groups "$2" "${warm[@]}" -uls_max_it 4 -uls_step 5 -uls_momentum 0.5 -uls_eval_every 2
}
for layout in "0 1" "2 1" "2 2" "4 1" "4 2" "4 4"; do
  read -r ranks groups <<<"$layout"
  pool one "$ranks" "$groups"
done
wait
for layout in 2.1 2.2 4.1 4.2 4.4; do
  check "the gradient of $layout is another" \
    awk -v d="$("$helpers/vecdiff" "gradient$layout.bin" gradient0.1.bin)" 'BEGIN { exit !(d != "" && d < 1e-11) }'
  rows_agree "s$layout" s0.1
done
check "summary.json does not tell the folds" grep -q '"folds": 5,' s4.2/summary.json
check "summary.json does not count each sample once" grep -q '"samples": 61,' s4.2/summary.json
check "summary.json counts test samples again" grep -q '"samples": 30,' s4.2/summary.json

# the objective is the validation loss, at lambda as written
solution() {
  local f
  f=$(launch 2 hypergrad "${data[@]}" "${fixed[@]}" -blp_fold_groups 2 -blp_lambda_file plain/solution.h5 |
    awk '$1 == "objective" { print $3 }')
  echo >>log/checks
  awk -F'[:,]' -v f="$f" '/"objective"/ { o = $2 } /"loss"/ && !v { v = $2 }
    END { exit !(f != "" && (f - o) ^ 2 <= (1e-12 * f) ^ 2 && (v - o) ^ 2 <= (1e-12 * f) ^ 2) }' plain/summary.json ||
    fail "f at solution.h5 is $f" plain/summary.json
}
run solve 0 plain -uls_max_it 3
pool solution

# ------------------------------------------------------------------ stopped, and on with other ranks and groups
steps=("${warm[@]}" -uls_momentum 0.5)
resumed() { # RANKS GROUPS, then RANKS GROUPS
  local dir=r$1.$2-$3.$4
  run solve "$1" "$dir" -blp_fold_groups "$2" "${steps[@]}" -uls_max_it 3
  run solve "$3" "$dir" -blp_fold_groups "$4" "${steps[@]}" -uls_max_it 6 -resume
  check "$dir: did not go on at step 3" grep -q '"resumed_at": 3,' "$dir/summary.json"
  rows_agree "$dir" whole
}
run solve 0 whole "${steps[@]}" -uls_max_it 6
pool resumed 2 1 4 2
pool resumed 4 4 0 1
pool resumed 3 2 2 2
wait
pool refused 2 64 '-blp_folds 4|r2.1-4.2/checkpoint/step-00000006.h5|run with 5' solve "${cv[@]}" -blp_folds 4 \
  "${steps[@]}" -uls_max_it 9 -output_dir r2.1-4.2 -resume

# ------------------------------------------------------------------ printed once
said_once() {
  launch 3 hypergrad "${data[@]}" "${fixed[@]}" -blp_fold_groups 3 -hg_monitor -hg_converged_reason -lls_monitor \
    -lls_converged_reason -hg_ksp_monitor -hg_ksp_view -blp_view -hg_view -lls_view -lls_fpm_view >log/said 2>&1 ||
    fail "monitors of folds" log/said
  local what count
  while read -r count what; do
    check "'$what' is not printed $count times" test "$(grep -c "$what" log/said)" = "$count"
  done <<'END'
1 ^hypergradient: f
1 ^Hypergradient ended by
10 lower level ||Phi
1 ^Lower-level solve ended by
8 KSP Residual norm
1 ^KSP Object
2 BLP Object
2 ^ *HG Object
END
}
pool said_once

# ------------------------------------------------------------------ then a model on all samples
refit() {
  launch 2 solve -blp_train all.svm -blp_val test.svm -blp_lambda_file plain/solution.h5 -lls_max_it 10 -uls_max_it 0 \
    -output_dir refit >log/refit 2>&1 || fail "refit" log/refit
  check "no model was written" test "$(wc -c <refit/solution.h5)" -gt "$(wc -c <plain/solution.h5)"
}
pool refit

# ------------------------------------------------------------------ refused, on all groups at once
sed 's/^2/7/' test.svm >other.svm
pool refused 0 64 '-blp_fold_groups|cross-validation' hypergrad -blp_data all.svm -blp_fold_groups 1
pool refused 0 64 '-blp_split|-blp_folds' hypergrad "${data[@]}" -blp_split third
pool refused 0 64 '-blp_fold_group; did you mean -blp_fold_groups' hypergrad "${data[@]}" -blp_fold_group 1
pool refused 0 64 '-blp_folds 1' hypergrad -blp_data all.svm -blp_folds 1
pool refused 0 64 '-blp_folds 62|61 samples' hypergrad -blp_data all.svm -blp_folds 62
pool refused 2 64 '-blp_fold_groups 3|ranks, 2' hypergrad "${data[@]}" -blp_fold_groups 3
pool refused 0 64 '-blp_folds 3|-blp_data' hypergrad -blp_train all.svm -blp_val test.svm -blp_folds 3
pool refused 4 65 'label 7|other.svm' hypergrad "${data[@]}" -blp_test other.svm -blp_fold_groups 2
pool refused 4 66 'missing.svm' hypergrad "${data[@]}" -blp_test missing.svm -blp_fold_groups 2
pool refused 4 64 '-hg_ksp_type|nosuch' hypergrad "${data[@]}" -hg_ksp_type nosuch -blp_fold_groups 2
pool refused 4 64 'heavyball is not' hypergrad "${data[@]}" -hg_fpm_type heavyball -hg_ksp_type cg -blp_fold_groups 2
pool refused 2 64 '-hg_view_solution' hypergrad "${data[@]}" -hg_view_solution binary:w.bin -blp_fold_groups 2
pool accepted 3 hypergrad "${data[@]}" -blp_fold_groups 3 -data_features 25 -data_index_base 1 -blp_bias -lls_max_it 3
finish
