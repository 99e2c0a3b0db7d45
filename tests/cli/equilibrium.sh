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
pool run normal -hg_ksp_type cgne -hg_ksp_max_it 30 -hg_ksp_rtol 0
pool run itd -hg_type itd

# model: lambda is all of it
pool predicts model test.svm "${problem[@]}" "${adjoint[@]}" -uls_step 0.5 -uls_max_it 3 -data_scale standard

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
pool refused 2 64 "-blp_folds|equilibrium" hypergrad -blp_type equilibrium -blp_data train.svm -blp_folds 3 -quiet
# coverage: on
wait
check "fixedpoint is not richardson" close "$(cat norm.fixed)" "$(cat norm.plain)" 1e-10
check "the first 40 samples are others" close "$(cat norm.first)" "$(cat norm.few)" 1e-12
for name in seed start first; do
  check "$name: as without" test "$(cat "norm.$name")" != "$(cat norm.plain)"
done
finish
