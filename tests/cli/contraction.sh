#!/usr/bin/env bash
# twofold contraction, and steps chosen by L and mu: what is printed and written, that it does not depend on the
# number of ranks, that nothing is ignored.
# shellcheck source=common.sh
# shellcheck disable=SC2317 # functions that pool runs
. "$(dirname "$0")/common.sh"

samples 30 1 >train.svm
samples 30 2 >val.svm
data=(-blp_train train.svm -blp_val val.svm -quiet)
ball=(-lls_fpm_type heavyball -lls_fpm_step 0.3 -lls_fpm_momentum 0.5)

# value FILE POINT KEY: the value of a constant in a summary
value() {
  awk -v point="\"$2\": {" -v key="\"$3\": {" '
    index($0, point) { inside = 1 }
    inside && index($0, key) { found = 1 }
    found && /"value"/ { gsub(/[",]/, ""); print $2; exit }' "$1/summary.json"
}

# close A B TOLERANCE
close() { awk -v a="$1" -v b="$2" -v t="$3" 'BEGIN { d = a - b; if (d < 0) d = -d; exit !(a != "" && b != "" && d <= t * (b < 0 ? -b : b)) }'; }

look() { # RANKS DIR
  launch "$1" contraction "${data[@]}" "${ball[@]}" -contraction_at 0:5:5,20 -contraction_tol 1e-12 \
    -contraction_norm_tol 1e-8 -contraction_check -output_dir "$2" >"log/$2" 2>&1 || fail "$2" "log/$2"
}

ranks_agree() {
  look 1 one
  for n in 2 3; do
    look "$n" "ranks$n"
    for key in L_formula L_computed mu_formula mu_computed kappa_computed q_gd_computed radius_computed d1Phi_norm d2Phi_norm; do
      check "$key on $n ranks" close "$(value "ranks$n" 20 "$key")" "$(value one 20 "$key")" 1e-11
    done
  done
  # also of a value that is far from converged, since the starting vector is the same
  for n in 1 3; do
    launch "$n" contraction "${data[@]}" -lls_max_it 5 -contraction_eps_ncv 4 -contraction_max_products 4 -output_dir "few$n" \
      >"log/few$n" 2>&1 || fail "few$n" "log/few$n"
  done
  check "unfinished L on 3 ranks" close "$(value few3 5 L_computed)" "$(value few1 5 L_computed)" 1e-11
  check "which is unfinished" awk -v few="$(value few1 5 L_computed)" -v L="$(value few1 5 L_formula)" 'BEGIN { exit !(few > 0 && few < L) }'
  check "three points" test "$(grep -c '^after ' log/one)" = 3
  check "what map it is" grep -q '^after 5 steps (CONVERGED_ITS) of heavyball, step 0.3, momentum 0.5;' log/one
  check "options.opts" grep -q '^-contraction_at 0:5:5,20$' one/options.opts
  # the eigenvalue solve of d1Phi and the roots of the formula, the Hessian's and the weights' smallest
  check "radius" close "$(value one 20 radius_eigen)" "$(value one 20 radius_computed)" 1e-6
  check "mu" close "$(value one 20 mu_computed)" 0.0416666666666666 1e-10
  check "L is below its bound" awk -v c="$(value one 20 L_computed)" -v f="$(value one 20 L_formula)" 'BEGIN { exit !(c > 0 && c < f) }'
  check "d2Phi = 0 at w = 0" test "$(value one 0 d2Phi_norm)" = 0
}
pool ranks_agree

steps() {
  launch 2 hypergrad "${data[@]}" -lls_max_it 60 -lls_fpm_type heavyball -lls_fpm_step optimal -hg_lanczos \
    -output_dir lanczos >log/optimal 2>&1 || fail "optimal" log/optimal
  check "the step is told" grep -q '^lower-level map  *heavyball, step 1.984.*, momentum 0.507.* (optimal for L 1.47.* and mu 0.0416667, proved)$' log/optimal
  check "Lanczos values" grep -q '^Lanczos values  *largest .* steps)$' log/optimal
  check "in the summary" close "$(value lanczos lanczos_L lanczos_L)" 0.5 0.5
  launch 0 hypergrad "${data[@]}" -hg_type itd -lls_max_it 10 -lls_fpm_step optimal -hg_test >log/test 2>&1 || fail "-hg_test" log/test
  check "-hg_test takes the optimal step for a constant" grep -qi 'pass' log/test
  launch 0 solve "${data[@]}" -lls_max_it 5 -uls_max_it 2 -lls_fpm_step optimal -lls_fpm_constants computed \
    -output_dir solved >log/solve 2>&1 || fail "solve" log/solve
  launch 0 solve -blp_data train.svm -blp_folds 3 -quiet -lls_max_it 5 -uls_max_it 2 -lls_fpm_step optimal \
    -lls_fpm_constants computed -output_dir folded >log/folded 2>&1 || fail "folds" log/folded
  refused 0 64 "-lls_fpm_constants computed|resumed" solve -blp_data train.svm -blp_folds 3 -quiet -lls_max_it 5 -uls_max_it 3 \
    -lls_fpm_step optimal -lls_fpm_constants computed -output_dir folded -resume
  check "solve tells its step" grep -q '^lower-level map  *gd, step .*computed)$' log/solve
  launch 0 contraction "${data[@]}" -lls_fpm_step 1e30 >log/huge 2>&1 || fail "diverged" log/huge
  check "diverged" grep -q 'ended by DIVERGED_NANORINF after 100 steps' log/huge
}
pool steps

pool accepted 0 contraction "${data[@]}" -contraction_eps_ncv 5 -contraction_svd_type lanczos -lls_max_it 2
pool accepted 2 contraction "${data[@]}" -contraction_eps_type lobpcg -contraction_st_pc_type none -lls_max_it 2
pool accepted 0 contraction "${data[@]}" -hg_type itd -blp_bias -lls_max_it 2
pool accepted 0 contraction -help
pool refused 0 64 "unknown option -contraction_eps_ncw|-contraction_eps_ncv" contraction "${data[@]}" -contraction_eps_ncw 5
pool refused 0 64 "-contraction_at 5,3|increase" contraction "${data[@]}" -contraction_at 5,3
pool refused 0 64 "-contraction_at|whole numbers" contraction "${data[@]}" -contraction_at 5,x
pool refused 0 64 "-contraction_at 0:64|more than 64" contraction "${data[@]}" -contraction_at 0:64
pool refused 0 64 "-contraction_tol 2|(0, 1)" contraction "${data[@]}" -contraction_tol 2
pool refused 0 64 "-contraction_max_products 0|positive" contraction "${data[@]}" -contraction_max_products 0
pool refused 0 64 "-contraction_norm_tol 0|(0, 1)" contraction "${data[@]}" -contraction_norm_tol 0
pool refused 0 64 "-contraction_at|twofold contraction" hypergrad "${data[@]}" -contraction_at 3
pool refused 0 69 "DIVERGED_NANORINF" contraction "${data[@]}" -lls_fpm_step 1e30 -error_if_not_converged
pool refused 2 64 "-lls_fpm_step optimal|mu > 0|unpenalised|-lls_fpm_type gd" hypergrad "${data[@]}" -blp_bias -lls_fpm_type heavyball -lls_fpm_step optimal
pool refused 0 64 "-lls_fpm_momentum 0.3|-lls_fpm_step optimal" hypergrad "${data[@]}" -lls_fpm_type heavyball -lls_fpm_step optimal -lls_fpm_momentum 0.3
pool refused 0 64 "-lls_fpm_constants|-lls_fpm_step optimal" hypergrad "${data[@]}" -lls_fpm_step 1 -lls_fpm_constants computed
pool refused 0 64 "-lls_fpm_step optimol|a number, or optimal" hypergrad "${data[@]}" -lls_fpm_step optimol
pool refused 0 64 "-blp_folds 3|one lower level" contraction -blp_data train.svm -blp_folds 3 -quiet
pool refused 0 64 "-hg_lanczos|cg" hypergrad "${data[@]}" -hg_lanczos -hg_ksp_type gmres
finish
