#!/usr/bin/env bash
# How runs end that do not converge: with a reason in the history, in the summary and on the screen, and exit code
# 0; with -error_if_not_converged 69 and a message. No step is made on a failed hypergradient.
# shellcheck source=common.sh
# shellcheck disable=SC2317 # functions that pool runs
. "$(dirname "$0")/common.sh"

samples 30 1 >train.svm
samples 30 2 >val.svm
data=(-blp_train train.svm -blp_val val.svm)

column() { # NAME ROW: of the history on standard input, rows counted from 1
  awk -F, -v name="$1" -v row="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) c = i } NR == row + 1 { print $c }'
}
summary() { # FILE KEY
  python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$1" "$2"
}
same() { # WHAT WANTED GOT
  echo >>log/checks
  [ "$2" = "$3" ] || fail "$1 is '$3', not '$2'"
}

# ends RANKS NAME REASON STEPS ROWS LASTREASON WORDS OPTIONS...: a solve ends well by REASON after STEPS upper steps;
# its history has ROWS rows, the last of them with LASTREASON; it prints WORDS. The same run with
# -error_if_not_converged ends by 69 where the reason is a bad one.
ends() {
  local ranks=$1 name=$2 reason=$3 steps=$4 rows=$5 last=$6 words=$7 text
  shift 7
  text=$(launch "$ranks" solve "${data[@]}" -uls_max_it 3 -lls_max_it 30 -output_dir "$name" "$@" 2>log/err."$name") ||
    fail "$name: exit code $?" log/err."$name"
  same "$name: reason on the screen" 1 "$(grep -c "^$reason after $steps upper steps" <<<"$text")"
  [[ $text == *"$words"* ]] || fail "$name: does not print '$words'"
  same "$name: what it says on standard error" "" "$(cat log/err."$name")"
  same "$name: reason in the summary" "$reason" "$(summary "$name/summary.json" reason)"
  same "$name: steps in the summary" "$steps" "$(summary "$name/summary.json" steps)"
  same "$name: rows of the history" "$rows" "$(($(wc -l <"$name/history.csv") - 1))"
  same "$name: reason in the history" "$last" "$(column reason "$rows" <"$name/history.csv")"
  same "$name: files left aside" "" "$(find "$name" -name '*.tmp')"
  case $reason in
  DIVERGED_*) refused 0 69 "$reason|-error_if_not_converged" solve "${data[@]}" -uls_max_it 3 -lls_max_it 30 \
    -output_dir "$name.error" -error_if_not_converged "$@" ;;
  *) accepted 0 solve "${data[@]}" -uls_max_it 3 -lls_max_it 30 -output_dir "$name.error" -error_if_not_converged "$@" ;;
  esac
}

pool ends 0 fixed CONVERGED_ITS 3 4 CONVERGED_ITS "results in fixed"
pool ends 2 gatol CONVERGED_GATOL 0 1 CONVERGED_ITS "results in gatol" -uls_gatol 10
pool ends 0 huge DIVERGED_HYPERGRADIENT 0 1 DIVERGED_LOWER "smaller -lls_fpm_step" -lls_fpm_step 1e30
pool ends 2 huge2 DIVERGED_HYPERGRADIENT 0 1 DIVERGED_LOWER "lower level DIVERGED_NANORINF" -lls_fpm_step 1e30
pool ends 0 grows DIVERGED_HYPERGRADIENT 0 1 DIVERGED_LOWER "lower level DIVERGED_DTOL" -lls_fpm_step 1e3 -lls_rtol 1e-3
pool ends 0 lastpoint DIVERGED_HYPERGRADIENT 0 1 DIVERGED_LOWER "smaller -lls_fpm_step" -lls_fpm_step 1e30 -uls_max_it 0
pool ends 0 itd DIVERGED_HYPERGRADIENT 0 1 DIVERGED_LOWER "no step" -lls_fpm_step 1e30 -hg_type itd
pool ends 0 overflow DIVERGED_HYPERGRADIENT 0 1 DIVERGED_LOWER "no step" -blp_lambda 800
pool ends 0 far DIVERGED_NANORINF 1 1 CONVERGED_ITS "smaller -uls_step" -uls_step 1e308
pool ends 0 inexact CONVERGED_ITS 3 4 DIVERGED_ITS "DIVERGED_ITS" -lls_rtol 1e-12
pool ends 0 inexact2 CONVERGED_ITS 3 4 CONVERGED_ITS "DIVERGED_ITS" -hg_ksp_max_it 2
pool ends 0 stops DIVERGED_INEXACT 0 1 DIVERGED_ITS "raise -lls_max_it" -lls_rtol 1e-12 -uls_on_inexact stop
pool ends 0 stops2 DIVERGED_INEXACT 0 1 DIVERGED_ITS "raise -lls_max_it or -hg_ksp_max_it" -hg_ksp_max_it 2 \
  -uls_on_inexact stop
pool ends 0 reached CONVERGED_ITS 3 4 CONVERGED_RTOL "results" -lls_rtol 1e-3 -lls_max_it 5000 -uls_on_inexact stop
pool ends 0 adjoint DIVERGED_HYPERGRADIENT 0 1 DIVERGED_ADJOINT "another -hg_ksp_type" -hg_fpm_step 100 -hg_ksp_type richardson \
  -hg_ksp_max_it 1000 -hg_ksp_rtol 1e-8
wait

# a failed point has no number that looks like one
same "f of a diverged lower level" inf "$(column objective 1 <huge/history.csv)"
same "norm without a hypergradient" "" "$(column hypergradient_norm 1 <huge/history.csv)"
same "adjoint steps that were not made" "" "$(column adjoint_steps 1 <huge/history.csv)"
same "f in the summary" None "$(summary huge/summary.json objective)"
same "the step that was not made" 0 "$(column step 1 <stops/history.csv)"
check "the row of an inexact point lacks its numbers" grep -q '^0,[0-9.e-]*,[0-9.e-]*,' stops/history.csv

# the lambda that was reached is kept: no step was made from the start
lambda_of() { h5dump -d lambda "$1/solution.h5" 2>/dev/null | grep '(0)' | tr -d ' '; }
if command -v h5dump >/dev/null; then
  same "lambda after no step" "(0):0,0,0,0,0,0,0,0" "$(lambda_of huge)"
fi

# ------------------------------------------------------------------ one hypergradient
one() { # REASON WORDS OPTIONS...
  local reason=$1 words=$2 text
  shift 2
  text=$(launch 0 hypergrad "${data[@]}" "$@" 2>&1) || fail "hypergrad $*: exit code $?"
  same "reason of hypergrad $*" 1 "$(grep -c "^reason *$reason$" <<<"$text")"
  [[ $text == *"$words"* ]] || fail "hypergrad $*: does not print '$words'"
}
pool one CONVERGED_ITS "exactly" -lls_max_it 3 -lls_view
pool one DIVERGED_LOWER "adjoint                not computed" -lls_fpm_step 1e30
pool one DIVERGED_LOWER "hypergradient          none" -lls_fpm_step 1e30 -hg_type itd
pool one DIVERGED_ITS "10 steps, DIVERGED_ITS" -lls_max_it 10 -lls_rtol 1e-9
pool one CONVERGED_RTOL "CONVERGED_RTOL" -lls_max_it 5000 -lls_rtol 1e-4
pool one CONVERGED_ITS "0 steps" -lls_max_it 0
pool one CONVERGED_ITS "0 steps" -lls_max_it 0 -hg_type itd
pool one CONVERGED_ITS "adjoint                0 steps" -lls_max_it 3 -hg_ksp_rtol 0 -hg_ksp_max_it 0
pool one CONVERGED_ITS "adjoint                4 steps" -lls_max_it 3 -hg_ksp_rtol 0 -hg_ksp_max_it 4
pool refused 0 69 "DIVERGED_LOWER|-error_if_not_converged" hypergrad "${data[@]}" -lls_fpm_step 1e30 -error_if_not_converged
pool refused 2 69 "DIVERGED_LOWER|-error_if_not_converged" hypergrad "${data[@]}" -lls_fpm_step 1e30 -error_if_not_converged
pool accepted 0 hypergrad "${data[@]}" -lls_max_it 3 -error_if_not_converged
wait
launch 0 hypergrad "${data[@]}" -lls_fpm_step 1e30 -quiet -output_dir single >/dev/null || fail "hypergrad -output_dir"
same "reason in hypergrad's summary" DIVERGED_LOWER "$(summary single/summary.json reason)"
same "norm in hypergrad's summary" None "$(summary single/summary.json hypergradient_norm)"
finish
