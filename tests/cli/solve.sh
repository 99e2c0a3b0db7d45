#!/usr/bin/env bash
# twofold solve: what its run directory holds, that options.opts repeats a run, that a run which was stopped or killed
# goes on as if nothing had happened, and that the number of ranks does not matter.
# shellcheck source=common.sh
# shellcheck disable=SC2317 # functions that pool runs
. "$(dirname "$0")/common.sh"

samples 60 1 20 >train.svm
samples 45 2 20 >val.svm
samples 45 3 20 >test.svm
files=(-blp_train train.svm -blp_val val.svm -blp_test test.svm)
how=(-lls_max_it 10 -uls_step 5 -uls_eval_every 2 -quiet)
data=("${files[@]}" "${how[@]}")

run() { # RANKS DIR OPTIONS...
  local ranks=$1 dir=$2
  shift 2
  launch "$ranks" solve "${data[@]}" -output_dir "$dir" "$@" >log/out."$dir" 2>log/err."$dir" ||
    fail "$dir: exit code $?" log/err."$dir"
}
numbers() { cut -d, -f1-10 "$1/history.csv"; } # of a step
exact() { cut -d, -f1-10,14 "$1/history.csv"; } # all but times, and work: a run that stopped spent some more
rows() { echo $(($(wc -l <"$1/history.csv") - 1)); }
same_numbers() { # WHAT DIR DIR
  echo >>log/checks
  cmp -s <(exact "$2") <(exact "$3") || {
    exact "$2" >log/a
    exact "$3" >log/b
    fail "$1: the histories of $2 and $3 differ" log/a log/b
  }
}
close_numbers() { # WHAT DIR DIR: same up to 1e-9 in all that is rounded, up to 1e-5 in the residual of the adjoint
  echo >>log/checks
  paste -d, <(numbers "$2") <(numbers "$3") | awk -F, '
    function far(a, b, tol) { return a == "" || b == "" ? a != b : (a - b) ^ 2 > (tol * b) ^ 2 }
    NF != 20 { exit 1 }
    NR > 1 {
      if (far($2, $12, 1e-9) || far($3, $13, 1e-9) || far($5, $15, 1e-9) || far($9, $19, 1e-3)) exit 1
      if ($1 != $11 || $4 != $14 || $6 != $16 || $7 != $17 || $8 != $18 || $10 != $20) exit 1
    }' || fail "$1: the histories of $2 and $3 differ by more than rounding" "$2/history.csv" "$3/history.csv"
}
whole() { # DIR: a header, then whole rows, numbered from 0
  echo >>log/checks
  awk -F, -v newline="$(tail -c 1 "$1/history.csv" | wc -l)" '
    NF != 27 || (NR == 1 && $1 != "step") || (NR > 1 && $1 != NR - 2) { bad = 1 }
    END { exit bad || !NR || !newline }' "$1/history.csv" || fail "$1: history.csv is not whole" "$1/history.csv"
}
tidy() { # DIR: nothing is left aside
  check "$1: files left aside" test -z "$(find "$1" -name '*.tmp')"
}

# ------------------------------------------------------------------ the run directory, and once more from options.opts
directory() {
  local ranks=$1 dir=run$1 file
  run "$ranks" "$dir" -uls_max_it 5 -blp_lambda -1e-1 -hg_view_gradient "binary:gradient$ranks.bin"
  for file in options.opts history.csv summary.json solution.h5 checkpoint/step-00000005.h5; do
    check "$dir lacks $file" test -s "$dir/$file"
  done
  check "$dir holds more than it should" test "$(find "$dir" -type f | wc -l)" = 5
  check "summary.json is no JSON" python3 -m json.tool "$dir/summary.json" log/json"$ranks"
  check "summary.json has the wrong number of ranks" grep -q "\"ranks\": $((ranks ? ranks : 1))," "$dir/summary.json"
  whole "$dir"
  tidy "$dir"
  check "$dir: not a row each step and one more" test "$(rows "$dir")" = 6
  check "test accuracy is not every second step" test "$(cut -d, -f6 "$dir/history.csv" | grep -c '^0\.')" = 4
  check "options.opts names the directory" test "$(grep -c "output_dir $dir" "$dir/options.opts")" = 0
  launch "$ranks" solve -options_file "$dir/options.opts" -output_dir "again$ranks" >log/again"$ranks" 2>&1 ||
    fail "options.opts cannot be run" log/again"$ranks"
  same_numbers "options.opts" "$dir" "again$ranks"
  check "options.opts repeated is another" cmp -s "$dir/options.opts" "again$ranks/options.opts"
}
pool directory 0
pool directory 2

blanks() { # names and values that need care in an options file
  mkdir "a folder"
  cp train.svm "a folder/the samples.svm"
  launch 0 solve "${data[@]}" -blp_train "a folder/the samples.svm" -blp_lambda -1e-3 -uls_max_it 1 -output_dir "blank 1" \
    >/dev/null || fail "a name with blanks"
  launch 0 solve -options_file "blank 1/options.opts" -output_dir "blank 2" >/dev/null || fail "options.opts with blanks"
  same_numbers "names with blanks" "blank 1" "blank 2"
  cp train.svm "no#1.svm" # a hash begins a comment there, in quotes too
  run 0 hash -blp_train "no#1.svm" -uls_max_it 1
  check "options.opts does not say that it cannot hold a hash" grep -q '^# -blp_train no#1.svm' hash/options.opts
}
pool blanks

# solution.h5 holds the last point: f there is that of the last row
solution() {
  run 0 solved -uls_max_it 4
  local f
  f=$(launch 0 hypergrad "${files[@]}" -lls_max_it 10 -blp_lambda_file solved/solution.h5 | awk '$1 == "objective" { print $3 }')
  echo >>log/checks
  awk -F, -v f="$f" 'END { exit !(f != "" && (f - $2) ^ 2 <= (1e-12 * f) ^ 2) }' solved/history.csv ||
    fail "f at solution.h5 is $f" solved/history.csv
}
pool solution

# ------------------------------------------------------------------ 6 steps are 3, and 3 more
resumed() { # RANKS NAME OPTIONS...
  local ranks=$1 name=$2 part=$2.part
  shift 2
  run "$ranks" "$name" -uls_max_it 6 "$@"
  run "$ranks" "$part" -uls_max_it 3 "$@"
  check "$part: not 4 rows" test "$(rows "$part")" = 4
  run "$ranks" "$part" -uls_max_it 6 -resume "$@"
  same_numbers "resumed" "$name" "$part"
  whole "$part"
  tidy "$part"
  check "$part: not resumed at step 3" grep -q '"resumed_at": 3,' "$part/summary.json"
}
warm=(-lls_warm_start -hg_warm_start)
steps=(-hg_ksp_rtol 0 -hg_ksp_max_it 8) # a tolerance may stop a step earlier for a rounding error
ball=(-lls_fpm_type heavyball -lls_fpm_momentum 0.6)
pool resumed 0 plain
pool resumed 0 heavy "${warm[@]}" "${ball[@]}" -uls_momentum 0.5
pool resumed 0 nesterov "${warm[@]}" "${ball[@]}" -uls_momentum 0.5 -uls_momentum_type nesterov
pool resumed 2 heavy2 "${warm[@]}" "${ball[@]}" -uls_momentum 0.5
pool resumed 2 nesterov2 "${warm[@]}" "${ball[@]}" -uls_momentum 0.5 -uls_momentum_type nesterov
pool resumed 0 itd -hg_type itd -lls_warm_start "${ball[@]}" -uls_momentum 0.5
pool resumed 0 augmented "${warm[@]}" "${ball[@]}" -hg_fpm_type heavyball -hg_fpm_momentum 0.6 -hg_ksp_type gmres \
  -hg_ksp_rtol 0 -hg_ksp_max_it 5
pool resumed 0 fixed "${warm[@]}" -hg_ksp_rtol 0 -hg_ksp_max_it 3 -lls_rtol 1e-3

# a checkpoint of one rank, gone on with on three
other_ranks() { # NAME OPTIONS...
  local name=$1 options=("${warm[@]}" "${ball[@]}" "${steps[@]}" -uls_momentum 0.5)
  shift
  options+=("$@")
  run 0 "$name.1" -uls_max_it 6 "${options[@]}"
  run 0 "$name.13" -uls_max_it 3 "${options[@]}"
  run 3 "$name.13" -uls_max_it 6 "${options[@]}" -resume
  close_numbers "resumed on another number of ranks" "$name.13" "$name.1"
}
pool other_ranks ranks
pool other_ranks pairs -hg_fpm_type heavyball -hg_fpm_momentum 0.6 -hg_ksp_type gmres # the adjoint is a pair, too

# ------------------------------------------------------------------ killed
# Starts a long run in the background, kills it by SIGKILL once it has some rows, and goes on with it.
killed() { # RANKS NAME OPTIONS...
  local ranks=$1 name=$2 waited=0 pid victim long=(-uls_max_it 100000 -uls_step 0.1)
  shift 2
  if [ "$ranks" = 0 ]; then
    mkdir "log/tmp.$name"
    OMPI_MCA_ess_singleton_isolated=1 OMPI_MCA_orte_tmpdir_base=$work/log/tmp.$name \
      "$twofold" solve "${data[@]}" -output_dir "$name" "${long[@]}" "$@" >log/out."$name" 2>&1 &
  else
    "${mpirun[@]}" -n "$ranks" "$twofold" solve "${data[@]}" -output_dir "$name" "${long[@]}" "$@" >log/out."$name" 2>&1 &
  fi
  pid=$!
  while ! compgen -G "$name/checkpoint/step-*.h5" >/dev/null || [ "$(rows "$name")" -lt 40 ]; do
    sleep 0.02
    waited=$((waited + 1))
    if [ "$waited" -gt 1000 ] || ! kill -0 "$pid" 2>/dev/null; then break; fi
  done
  victim=$pid
  [ "$ranks" = 0 ] || victim=$(pgrep -P "$pid" | tail -n 1)
  kill -KILL "$victim"
  wait "$pid" 2>/dev/null
  [ "$(rows "$name")" -ge 40 ] || fail "$name: had no 40 rows when it was killed" log/out."$name"
  whole "$name"
  local reached=$(($(rows "$name") + 5))
  run "$ranks" "$name" -uls_step 0.1 -uls_max_it "$reached" -resume "$@"
  check "$name: did not go on" grep -q '"resumed_at": [1-9]' "$name/summary.json"
  run "$ranks" "$name.whole" -uls_step 0.1 -uls_max_it "$reached" "$@"
  same_numbers "killed" "$name" "$name.whole"
  whole "$name"
  tidy "$name"
}
pool killed 0 kill1 -checkpoint_every 1 "${warm[@]}" "${ball[@]}" -uls_momentum 0.5
pool killed 0 kill7 -checkpoint_every 7 "${warm[@]}" "${ball[@]}" -uls_momentum 0.5 -uls_momentum_type nesterov
pool killed 2 killrank -checkpoint_every 3 "${warm[@]}" -uls_momentum 0.5

# ------------------------------------------------------------------ any number of ranks
invariant() { # NAME OPTIONS...
  local name=$1 ranks
  shift
  for ranks in 0 2 3 4; do
    run "$ranks" "$name$ranks" -uls_max_it 4 "$@"
    [ "$ranks" = 0 ] || close_numbers "$ranks ranks" "$name$ranks" "${name}0"
  done
}
pool invariant aid "${warm[@]}" "${ball[@]}" "${steps[@]}" -uls_momentum 0.5
pool invariant inverse -hg_type itd "${ball[@]}" -hg_itd_truncate 4
split() { # where the samples are dealt by a key
  local ranks
  for ranks in 0 3; do
    launch "$ranks" solve "${how[@]}" -uls_max_it 2 -blp_data train.svm -blp_split 0.4,0.3,0.3 -blp_seed 3 \
      "${steps[@]}" -output_dir "split$ranks" >log/split"$ranks" 2>&1 || fail "split$ranks" log/split"$ranks"
  done
  close_numbers "a split" split3 split0
}
pool split
wait
check "the gradient does not depend on the number of ranks" \
  awk -v d="$("$helpers/vecdiff" gradient2.bin gradient0.bin)" 'BEGIN { exit !(d != "" && d < 1e-9) }'
finish
