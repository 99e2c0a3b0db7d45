#!/usr/bin/env bash
# Problem equilibrium as a user meets it: no validation samples, a start of its own, runs, a model, what is refused.
# shellcheck disable=SC2016,SC2317 # awk within checks; functions that pool runs
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
type=equilibrium features=5 start=(-blp_equilibrium_it 30 -blp_equilibrium_start 0.1)
# shellcheck source=fixedpoints.sh
. "$(dirname "$0")/fixedpoints.sh"
problem+=(-blp_equilibrium_h 7)

pool same plain
pool same fixed -hg_ksp_type fixedpoint
pool same seed -blp_equilibrium_seed 4
pool same start -blp_equilibrium_start 0.1
pool same first -blp_train_first 40

# first: the first samples of the training file alone
first() {
  local few
  head -n 40 train.svm >few.svm
  few=$(launch 2 hypergrad "${problem[@]}" "${adjoint[@]}" -blp_train few.svm | field hypergradient)
  echo "$few" >norm.few
}
pool first

pool run aid "${adjoint[@]}"
pool run fixed -hg_ksp_type fixedpoint -hg_ksp_max_it 30 -hg_ksp_rtol 0
pool run normal -hg_ksp_type cgnr -hg_ksp_max_it 30 -hg_ksp_rtol 0
pool run itd -hg_type itd

# model: lambda is all of it
pool predicts model test.svm "${problem[@]}" "${adjoint[@]}" -uls_step 0.5 -uls_max_it 3 -data_scale standard

# set: the matrix of a set by singular values is A, unless another is asked for
# diagnostics: the local q's beside the history, the same on any ranks, and whole when a run goes on
set() {
  local run=("${problem[@]}" -hg_ksp_type fixedpoint -hg_ksp_max_it 30 -hg_ksp_rtol 0 -blp_equilibrium_start 0.3 -uls_step 0.02
    -uls_diagnose_every 2 -lset_type spectral)
  launch 1 solve "${run[@]}" -lset_radius 0.5 -uls_max_it 5 -output_dir set >log/set || fail "set" log/set
  launch 2 solve "${run[@]}" -lset_radius 0.5 -lset_rows 7 -uls_max_it 5 -output_dir explicit >log/explicit || fail "explicit" log/explicit
  launch 1 solve "${run[@]}" -lset_radius 0.5 -lset_rows 2 -uls_max_it 1 -output_dir other >log/other || fail "other" log/other
  launch 2 solve "${run[@]}" -lset_radius 0.5 -uls_max_it 3 -checkpoint_every 3 -output_dir part >log/part || fail "part" log/part
  launch 1 solve "${run[@]}" -lset_radius 0.5 -uls_max_it 5 -output_dir part -resume >log/part || fail "part" log/part
  check "columns" test "$(head -n 1 set/diagnostics.csv)" = step,local_q,local_q_bound,norm_A
  check "steps" test "$(cut -d, -f1 set/diagnostics.csv | tr '\n' ' ')" = "step 0 2 4 5 "
  check "the norm is the radius, q below its bound" awk -F, 'NR > 1 && !($4 < 0.5 + 1e-10 && $4 > 0.49 && $2 > 0 && $2 <= $3 && $3 <= $4) {
    exit 1 }' set/diagnostics.csv
  check "another matrix" awk -F, 'NR == 2 { exit !($4 > 0.6) }' other/diagnostics.csv
  for other in explicit part; do
    check "$other: other numbers" awk -F, 'NR == FNR { for (i = 1; i <= NF; i++) seen[FNR, i] = $i; n = FNR; next }
      FNR > 1 { for (i = 1; i <= NF; i++) if (!((seen[FNR, i] - $i) ^ 2 <= 1e-18)) exit 1 }
      END { if (FNR != n) exit 1 }' set/diagnostics.csv "$other/diagnostics.csv"
    check "$other: another f" close "$(tail -n 1 "$other/history.csv" | cut -d, -f2)" "$(tail -n 1 set/history.csv | cut -d, -f2)" 1e-10
  done
}
pool set

# coverage: off
while IFS=@ read -r options words; do
  # shellcheck disable=SC2086 # options and their values
  pool refused 0 64 "$words" hypergrad "${problem[@]}" $options
done <<'END'
-blp_equilibrium_h 0@-blp_equilibrium_h 0|at least 1
-blp_equilibrium_start nan@-blp_equilibrium_start nan|finite
-blp_equilibrium_it 0@-blp_equilibrium_it 0|at least 1
-blp_train_first 61@-blp_train_first 61|train.svm has 60 samples
-lls_fpm_type gd@-lls_fpm_type problem
-hg_ksp_type cg@-hg_ksp_type cg needs a symmetric d1Phi
END
pool refused 2 64 "-uls_diagnose_every 3|softmax has no numbers" solve -blp_type softmax -blp_train train.svm -blp_val test.svm \
  -uls_diagnose_every 3 -output_dir no -quiet
pool refused 0 64 "-uls_diagnose_every -1" solve "${problem[@]}" -hg_ksp_type fixedpoint -uls_diagnose_every -1 -output_dir no
pool refused 2 64 "-blp_folds|equilibrium" hypergrad -blp_type equilibrium -blp_data train.svm -blp_folds 3 -quiet
# coverage: on
wait
check "fixedpoint is not richardson" close "$(cat norm.fixed)" "$(cat norm.plain)" 1e-10
check "the first 40 samples are others" close "$(cat norm.first)" "$(cat norm.few)" 1e-12
for name in seed start first; do
  check "$name: as without" test "$(cat "norm.$name")" != "$(cat norm.plain)"
done
finish
