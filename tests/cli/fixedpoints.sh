#!/usr/bin/env bash
# Checks of classifiers of fixed points; for scripts that have sourced common.sh and set type, features (of a sample)
# and start (options of runs).
# shellcheck shell=bash disable=SC2016,SC2317,SC2154 # awk within checks; functions that pool runs; what scripts set

samples 60 3 "$features" >train.svm
samples 31 4 "$features" >test.svm
adjoint=(-hg_ksp_type richardson -hg_ksp_max_it 30 -hg_ksp_rtol 0)
problem=(-blp_type "$type" -blp_train train.svm -lls_max_it 30 -quiet)

field() { awk -v name="$1" '$1 == name { print $3 }'; } # of the program's output: objective, hypergradient
close() { awk -v a="$1" -v b="$2" -v tol="$3" 'BEGIN { exit !(a > 0 && (a - b) ^ 2 <= (tol * b) ^ 2) }'; }

# same NAME OPTIONS...: the same hypergradient on 1, 2 and 7 ranks
same() {
  local name=$1 ranks norm first=
  shift
  for ranks in 0 2 7; do
    norm=$(launch "$ranks" hypergrad "${problem[@]}" "${adjoint[@]}" "$@" | field hypergradient)
    first=${first:-$norm}
    check "$name: norm $norm on $ranks ranks, $first on one" close "$norm" "$first" 1e-10
  done
  echo "$first" >"norm.$name"
}

# run OPTIONS...: f falls and the test samples are told apart, with each method
run() {
  local name=$1
  shift
  launch 2 solve "${problem[@]}" -blp_test test.svm "${start[@]}" -uls_step 0.02 -uls_momentum 0.9 -uls_max_it 100 \
    -output_dir "$name" "$@" >"log/$name.out" || fail "solve $name" "log/$name.out"
  check "$name: f does not fall" awk -F, 'NR == 2 { first = $2 } { last = $2 } /nan/ { bad = 1 }
    END { exit !(first > 1 && last < 0.5 * first && !bad) }' "$name/history.csv"
  check "$name: the test samples are not told apart" awk -F'[:,]' '/"test"/ { on = 1 } on && /accuracy/ { found = $2 > 0.75 }
    END { exit !found }' "$name/summary.json"
}
