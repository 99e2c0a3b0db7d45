#!/usr/bin/env bash
# A table of options and what each must bring about: words on standard output or in a file it writes, a file of the
# right length, or the same numbers as another way to the same end. tests/cli/coverage.sh finds what is not here yet.
# shellcheck source=common.sh
# shellcheck disable=SC2317 # functions that pool runs
. "$(dirname "$0")/common.sh"

samples 30 1 >train.svm # 8 features, 3 classes
samples 30 2 >val.svm
samples 25 3 >test.svm
cat train.svm val.svm >all.svm
seq -0.3 0.1 0.4 >lambda.txt
integer=$(integer)
real='-?[0-9.]+(e[-+]?[0-9]+)?' # as %g prints one
files=(-blp_train train.svm -blp_val val.svm)

# brings COMMAND OPTIONS WHERE WHAT: WHERE is - for standard output or a file; WHAT is an extended regular expression
# that a line must match, or "N numbers" for a vector in a file: two integers, then its doubles
brings() {
  local command=$1 options=$2 where=$3 what=$4 dir=run.$BASHPID
  read -r -a options <<<"$2"
  mkdir "$dir"
  case $command in
  hypergrad) set -- hypergrad "${files[@]}" -quiet -lls_max_it 3 ;;
  exact) set -- hypergrad -quiet -hg_type exact ;;
  split) set -- hypergrad -quiet -lls_max_it 3 ;;
  solve) set -- solve "${files[@]}" -lls_max_it 3 -uls_max_it 2 -output_dir "$dir/out" ;;
  *) set -- "$command" ;;
  esac
  set -- "$@" "${options[@]//DIR/$dir}"
  launch 0 "$@" >"$dir/stdout" 2>"$dir/stderr" || fail "exit code $?: $*" "$dir/stderr"
  [ "$where" = - ] && where=$dir/stdout || where=${where//DIR/$dir}
  case $what in
  *' numbers')
    check "$where does not hold $what: $*" test "$(stat -c %s "$where")" = $((2 * integer + 8 * ${what% numbers})) ;;
  *) check "no '$what' in $where: $*" grep -qE -e "${what//NUMBER/$real}" "$where" ;;
  esac
}

# The columns are parted by @.
while IFS=@ read -r command options where what; do
  pool brings "$command" "$options" "$where" "$what"
done <<'END'
hypergrad@-blp_test_derivatives@-@cross product transposed .* 2\.[0-9]+ .* pass
hypergrad@-hg_type itd -hg_test@-@order 2\.00 \(2 expected\): pass
hypergrad@-hg_type aid -hg_test@-@NUMBER is the error of aid itself
exact@-blp_train train.svm -blp_val val.svm -hg_view@-@^  lower level by Newton.s method from 0, adjoint by a direct solve
exact@-blp_train train.svm -blp_val val.svm -hg_exact_max_size 24 -hg_converged_reason@-@^Hypergradient ended by CONVERGED_RTOL
exact@-hg_exact_closed_form 0 -blp_type quadratic -hg_view@-@^  lower level by Newton
exact@-hg_exact_solver lapack -hg_exact_closed_form 0 -blp_type quadratic@-@^reason  *CONVERGED_RTOL
exact@-blp_type quadratic -blp_quadratic_n 9000@-@^adjoint  *none, by closed form$
exact@-blp_train train.svm -blp_val val.svm -hg_test@-@order (2\.0|1\.9).* \(2 expected\): pass
solve@-lset_type nonneg -lset_view@-@^  type: nonneg$
solve@-lset_type spectral -lset_rows 2 -lset_view@-@^  *matrix of 2 x 2 from entry 0 on
solve@-lset_type spectral -lset_offset 1 -lset_rows 2 -lset_columns 3 -lset_radius 0.5 -lset_view@-@^  *matrix of 2 x 3 from entry 1 on
solve@-lset_type convspectral -lset_channels_out 2 -lset_kernel 1 -lset_grid 3 -lset_view@-@^  *kernel of 2 x 2 channels, 1 x 1 wide, from entry 0 on
solve@-lset_type convspectral -lset_offset 2 -lset_channels_out 1 -lset_channels_in 1 -lset_kernel 2 -lset_grid 3 -lset_sweeps 5 -lset_view@-@^  *images of 3 x 3, sweeps 5: not quite
contraction@-blp_train train.svm -blp_val val.svm -contraction_max_products 2@-@NUMBER +NUMBER +[0-9]+  computed  largest eigenvalue
contraction@-blp_train train.svm -blp_val val.svm -contraction_seed 3@-@NUMBER .* computed  smallest eigenvalue
hypergrad@-blp_type softmax -blp_view@-@^  type: softmax$
hypergrad@-blp_view ascii:DIR/v@DIR/v@^  train: 30 samples$
hypergrad@-blp_test test.svm -blp_view@-@^  test: 25 samples$
hypergrad@-blp_bias -blp_view@-@unpenalised bias
hypergrad@-blp_lambda_tie class -blp_view@-@^  lambda: 3 entries, tie class$
hypergrad@-blp_lambda 1.5 -blp_upper_l2 2 -blp_view@-@^  upper objective \+ rho/2 .* rho 2
hypergrad@-blp_lambda_file lambda.txt@-@^objective f  *NUMBER$
hypergrad@-data_kernel reference@-@^objective f  *NUMBER$
hypergrad@-data_grid 1,1@-@^objective f  *NUMBER$
hypergrad@-data_storage dense@-@^objective f  *NUMBER$
hypergrad@-data_grid auto@-@^objective f  *NUMBER$
hypergrad@-data_format svmlight -data_index_base 1 -blp_view@-@^  classes 3, features 8$
hypergrad@-data_index_base 0 -blp_view@-@^  classes 3, features 9$
hypergrad@-data_features 11 -blp_view@-@^  classes 3, features 11$
split@-blp_data all.svm -blp_split 0.5,0.5 -blp_seed 4 -blp_view@-@^  val: 30 samples$
split@-blp_data synthetic -blp_synthetic_n 12 -blp_synthetic_nval 9 -blp_synthetic_ntest 7 -blp_synthetic_p 4 -blp_view@-@^  test: 7 samples$
split@-blp_data synthetic -blp_synthetic_noise 0.5 -blp_synthetic_kind sign -blp_view@-@^  classes 2, features 100$
split@-blp_type biasedreg -blp_data synthetic -blp_biasedreg_beta 2.5 -blp_view@-@^  beta 2\.5$
split@-blp_type logistic -blp_lambda 1 -blp_data synthetic -blp_view@-@^  train: 500 samples$
split@-blp_data all.svm -blp_folds 4 -blp_fold_groups 1 -blp_view@-@cross-validation: 4 folds on 1 groups of ranks
split@-blp_data all.svm -blp_split third -blp_view@-@^  test: 20 samples$
split@-blp_data all.svm -blp_split 0.6,0.4 -blp_stratified -blp_view@-@^  val: 24 samples$
hypergrad@-blp_lambda_tie class -blp_test_derivatives@-@^  cross product transposed .* pass$
hypergrad@-lls_type picard -lls_view@-@^  type: picard$
hypergrad@-lls_view ascii:DIR/v@DIR/v@exactly 3 steps, cold start$
hypergrad@-lls_warm_start -lls_view@-@exactly 3 steps, warm start$
hypergrad@-lls_monitor@-@^ *3 lower level \|\|Phi\(x\) - x\|\| NUMBER$
hypergrad@-lls_converged_reason@-@^Lower-level solve ended by CONVERGED_ITS after 3 steps$
hypergrad@-lls_atol 1e9@-@^lower level  *1 steps, CONVERGED_ATOL,
hypergrad@-lls_rtol 0.9@-@^lower level  *2 steps, CONVERGED_RTOL,
hypergrad@-blp_lambda 5 -lls_fpm_step 10 -lls_rtol 1e-3 -lls_dtol 50@-@^lower level  *[23] steps, DIVERGED_DTOL,
hypergrad@-lls_fpm_type gd -lls_fpm_step 0.5 -lls_fpm_view@-@^  step 0.5; d1Phi is symmetric$
hypergrad@-lls_fpm_type heavyball -lls_fpm_momentum 0.25 -lls_fpm_view@-@momentum 0.25; d1Phi is not symmetric$
hypergrad@-lls_type newton -lls_max_it 30 -lls_rtol 1e-9 -lls_converged_reason@-@^Lower-level solve ended by CONVERGED_RTOL after [3-9] steps, [0-9]+ products$
hypergrad@-lls_type newton -lls_newton_snes_converged_reason@-@Nonlinear lls_newton_ solve converged due to CONVERGED_ITS iterations 3
hypergrad@-lls_type newton -lls_newton_ksp_converged_rate@-@^ *Linear lls_newton_ solve converged
hypergrad@-lls_type newton -lls_newton_ksp_type minres -lls_newton_snes_ksp_ew 0 -lls_view@-@newtonls on grad_w l, steps by minres$
hypergrad@-lls_type anderson -lls_anderson_depth 2 -lls_view@-@^  depth 2$
hypergrad@-hg_precond jacobi -hg_precond_reuse 0 -hg_precond_growth 3 -hg_view@-@kept for any number of runs, or until iterations grow by 3
hypergrad@-hg_precond nystrom -hg_precond_rank 6 -hg_precond_seed 2 -hg_view@-@^    rank 6, seed 2$
hypergrad@-lls_type newton -lls_newton_precond nystrom -lls_newton_precond_rank 6 -lls_newton_precond_seed 2 -lls_view@-@^    rank 6, seed 2$
hypergrad@-lls_type newton -lls_newton_precond jacobi -lls_newton_precond_reuse 4 -lls_newton_precond_growth 3 -lls_view@-@kept for 4 runs, or until
hypergrad@-hg_type aid -hg_view@-@^  type: aid$
hypergrad@-hg_certificate bound -blp_lambda 4 -lls_fpm_step optimal -lls_max_it 50@-@^error certificate  *NUMBER \(proved, 1 products: residuals and proved constants\)$
hypergrad@-hg_certificate bound -hg_certificate_mu ball -blp_lambda 2 -lls_fpm_step optimal -lls_max_it 50@-@^error certificate .*\(proved, [1-9][0-9]+ products: 
hypergrad@-hg_certificate bound -hg_view@-@^  error told by bound, mu by formula$
hypergrad@-hg_certificate bound -blp_bias@-@^error bound  *none: mu is 0
hypergrad@-hg_certificate bound -hg_type itd -lls_fpm_type heavyball@-@^error bound  *none: the lower level's map is a contraction in another norm only
hypergrad@-hg_certificate estimate -blp_lambda 4 -lls_fpm_step optimal -lls_max_it 50@-@^error estimate  *NUMBER \([0-9]+ products: an estimate to first order, not a bound\)$
hypergrad@-hg_certificate both -blp_lambda 4 -hg_estimate_max_it 1 -hg_estimate_rtol 1e-3@-@^error estimate  *NUMBER \(5 products: .*all their steps \(-hg_estimate_max_it\)\)$
hypergrad@-hg_correct -hg_type itd@-@^error estimate  *NUMBER before the correction
hypergrad@-hg_tol 1e-3 -blp_lambda 4 -lls_fpm_step optimal -lls_max_it 1000@-@^reason  *CONVERGED_ESTIMATE$
hypergrad@-hg_tol 1e-3 -hg_certificate bound -blp_lambda 4 -lls_fpm_step optimal -lls_max_it 1000@-@^reason  *CONVERGED_BOUND$
hypergrad@-hg_tol_absolute 1e-4 -blp_lambda 4 -lls_fpm_step optimal -lls_max_it 1000@-@^work  *[0-9]+ steps of the lower level, [0-9]+ products of the adjoint, [0-9]+ to know the error$
hypergrad@-hg_tol 1e-9@-@^reason  *DIVERGED_ITS$
solve@-hg_tol 1e-2 -blp_lambda 4 -lls_fpm_step optimal -lls_max_it 1000 -lls_warm_start@DIR/out/history.csv@,CONVERGED_ESTIMATE,
hypergrad@-hg_monitor@-@^hypergradient: f NUMBER, \|\|g\|\| NUMBER, lower 3 steps, adjoint [0-9]+ steps
hypergrad@-hg_converged_reason@-@^Hypergradient ended by CONVERGED_ITS \(lower level CONVERGED_ITS, adjoint CONVERGED_RTOL\)
hypergrad@-blp_lambda_tie scalar -hg_type itd -hg_test@-@ is of order NUMBER \(2 expected\): pass$
hypergrad@-hg_view_gradient@-@^Vec Object: gradient 
hypergrad@-hg_view_gradient binary:DIR/g.bin@DIR/g.bin@8 numbers
hypergrad@-hg_view_solution ascii:DIR/w@DIR/w@^Vec Object: w 
hypergrad@-hg_view_solution binary:DIR/w.bin@DIR/w.bin@24 numbers
hypergrad@-hg_view_adjoint ascii:DIR/v@DIR/v@^Vec Object: v 
hypergrad@-hg_warm_start -hg_view@-@^  adjoint by (sweep)?cg, .* warm start$
hypergrad@-hg_fpm_type gd -hg_fpm_step 0.25 -hg_fpm_view@-@^  step 0.25; d1Phi is symmetric$
hypergrad@-hg_fpm_type heavyball -hg_fpm_momentum 0.75 -hg_ksp_type gmres -hg_fpm_view@-@momentum 0.75; d1Phi is not
hypergrad@-hg_type itd -hg_itd_truncate 2@-@^reverse sweep  *2 steps
hypergrad@-hg_type itd -hg_itd_mode forward@-@^forward mode  *3 steps
hypergrad@-hg_type itd -hg_itd_mode forward -hg_test@-@order 2\.0.* \(2 expected\): pass
hypergrad@-hg_type itd -hg_itd_mode forward -hg_itd_block 2 -hg_view@-@^  2 entries of lambda at a time$
hypergrad@-hg_type itd -lls_fpm_step optimal -lls_fpm_differentiate_step -blp_lambda_file lambda.txt -hg_test@-@order (2\.0|1\.9).* \(2 expected\): pass
hypergrad@-lls_fpm_step optimal -lls_fpm_differentiate_step -lls_fpm_view@-@^  differentiated in lambda$
hypergrad@-hg_fpm_step optimal -hg_fpm_differentiate_step -hg_fpm_view@-@^  differentiated in lambda$
hypergrad@-hg_type itd -tape_type memory -tape_view@-@^  type: memory$
hypergrad@-hg_type itd -tape_type poison -tape_view@-@^  type: poison$
hypergrad@-hg_type itd -tape_type revolve -tape_max_ram 0.4kB -tape_view@-@^  3 states, 3 stored, 0 steps made again$
hypergrad@-hg_type itd -tape_type revolve -tape_max_ram 200 -lls_max_it 9 -tape_view@-@^  9 states, 2 stored, 28 steps made again$
hypergrad@-hg_type itd -tape_type disk -tape_dir DIR -tape_max_ram 400 -lls_max_it 9 -tape_view@-@^  at most 400 bytes in RAM: 2 iterates; others in run
hypergrad@-hg_type itd -hg_itd_truncate 2 -tape_type ring -tape_window 2 -tape_view@-@^  last 2 states$
hypergrad@-hg_type itd -tape_view@-@^  in double precision$
hypergrad@-hg_type itd -tape_single -tape_view@-@^  in single precision$
hypergrad@-hg_type itd -tape_type disk -tape_dir DIR -tape_direct 0 -tape_max_ram 200 -tape_single -lls_max_it 9 -tape_view@-@^  9 states, 9 stored, 0 steps made again$
hypergrad@-error_if_not_converged@-@^reason  *CONVERGED_ITS$
hypergrad@-output_dir DIR/out@DIR/out/summary.json@"command": "hypergrad"
solve@-uls_type descent -uls_step 0.5 -uls_view@-@^  at most 2 steps$
solve@-uls_max_it 4@-@^CONVERGED_ITS after 4 upper steps
solve@-uls_monitor@-@^ *1 upper level f NUMBER \|\|g\|\| NUMBER$
solve@-uls_converged_reason@-@^Upper-level solve ended by CONVERGED_ITS after 2 steps$
solve@-uls_view_solution@-@^Vec Object: lambda 
solve@-uls_view_solution binary:DIR/l.bin@DIR/l.bin@8 numbers
solve@-uls_momentum 0.3 -uls_momentum_type nesterov -uls_view@-@^  Nesterov momentum 0.3$
solve@-uls_gatol 1e9@-@^CONVERGED_GATOL after 0 upper steps
solve@-hg_ksp_max_it 1 -uls_on_inexact stop@-@^DIVERGED_INEXACT after 0 upper steps
solve@-uls_eval_every 1@-@^step 1/2 .* val NUMBER %
solve@-checkpoint_every 1it@DIR/out/checkpoint/step-00000001.h5@HDF
solve@-checkpoint_every 1 -checkpoint_keep 3@DIR/out/checkpoint/step-00000001.h5@HDF
solve@-quiet@DIR/out/history.csv@^2,
data@-data_input train.svm@-@^ *classes: 3$
data@-data_input train.svm -data_output DIR/o.svm -quiet@DIR/o.svm@^2 .*8:
data@-data_input all.svm -data_split 0.5,0.5 -data_seed 3 -data_stratified -data_output DIR/o.svm@DIR/o.val.svm@^2 
END

# ------------------------------------------------------------------ two ways to one end
objective() { # OPTIONS...: of a hypergradient
  launch 0 hypergrad -quiet -lls_max_it 3 "$@" | awk '$1 == "objective" { print $3 }'
}
same() { # WHAT A B
  check "$1: $2 and $3" test -n "$2" -a "$2" = "$3"
}
stratified() { # a split by class on the way, or by `twofold data`; another one than the split as it comes
  local rule=0.6,0.4 plain parts way
  way=$(objective -blp_data all.svm -blp_split "$rule" -blp_seed 3 -blp_stratified)
  plain=$(objective -blp_data all.svm -blp_split "$rule" -blp_seed 3)
  launch 0 data -quiet -data_input all.svm -data_split "$rule" -data_seed 3 -data_stratified -data_output part.svm \
    >/dev/null || fail "data -data_stratified"
  parts=$(objective -blp_train part.train.svm -blp_val part.val.svm)
  same "-blp_stratified and -data_stratified" "$way" "$parts"
  check "-blp_stratified changes nothing" test "$way" != "$plain"
}
pool stratified
text() { # a corpus, its counts and its tfidf
  local count tfidf i
  for i in 1 2 3 4 5 6; do
    mkdir -p corpus/a corpus/b
    printf 'Subject: x\n\nalpha beta beta word%d\n' "$i" >"corpus/a/$i"
    printf 'Subject: x\n\ngamma beta delta word%d\n' "$i" >"corpus/b/$i"
  done
  count=$(objective -data_format text -text_weight count -blp_data corpus)
  tfidf=$(objective -data_format text -text_weight tfidf -blp_data corpus)
  check "-text_weight changes nothing: $count" test -n "$count" -a -n "$tfidf" -a "$count" != "$tfidf"
}
pool text
idx() { # IDX images with labels of a name of their own, and the same samples as SVMLight
  # shellcheck disable=SC2059 # bytes
  {
    printf '\0\0\010\003\0\0\0\006\0\0\0\001\0\0\0\002' >images
    printf '\0\0\010\001\0\0\0\006\000\001\000\001\000\001' >their-labels
    for i in 1 2 3 4 5 6; do printf "\\0$((i % 2))7\\07$i" >>images; done
  }
  launch 0 data -quiet -data_input images -data_format idx -data_labels their-labels -data_output idx.svm \
    >log/idx 2>&1 || fail "-data_labels" log/idx
  check "idx.svm has no 6 samples" test "$(wc -l <idx.svm)" = 6
  check "-data_labels: classes are not 0 1 0 1 0 1" test "$(cut -d' ' -f1 idx.svm | tr -d '\n')" = 010101
}
pool idx
resume() { # after one step of two
  local how=(-quiet -lls_max_it 3)
  launch 0 solve "${files[@]}" "${how[@]}" -uls_max_it 1 -output_dir resume >/dev/null || fail "solve for -resume"
  launch 0 solve "${files[@]}" "${how[@]}" -uls_max_it 2 -output_dir resume -resume >/dev/null || fail "-resume"
  check "-resume: no three rows" test "$(wc -l <resume/history.csv)" = 4
}
pool resume
finish
