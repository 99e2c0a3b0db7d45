#!/usr/bin/env bash
# Options: none is ignored. Misspelt ones, ones of things not in use and bad values end the run before it starts,
# with exit code 64 and a message that names the option; PETSc's own are accepted.
# shellcheck source=common.sh
# shellcheck disable=SC2317 # functions that pool runs
. "$(dirname "$0")/common.sh"

samples 30 1 >train.svm
samples 30 2 >val.svm
data=(-blp_train train.svm -blp_val val.svm)
one=(hypergrad "${data[@]}" -quiet -lls_max_it 3)
solve() { # a short run in a folder of its own
  echo solve "${data[@]}" -quiet -lls_max_it 3 -uls_max_it 1 -output_dir "run$number"
}

# ------------------------------------------------------------------ misspelt: as typed, and what was meant
# coverage: off
typo() { pool refused "$1" 64 "unknown option $2;|did you mean $3?" "${@:4}"; }
while read -r typed meant; do
  # shellcheck disable=SC2086 # the option and its value
  typo 0 "$typed" "$meant" "${one[@]}" ${typed/,/ }
done <<'END'
-lls_maxit -lls_max_it
-lls_max_itt -lls_max_it
-lls_rtl -lls_rtol
-lls_fpm_tpye -lls_fpm_type
-lls_fpm_stepp -lls_fpm_step
-lls_warmstart -lls_warm_start
-lls_typ -lls_type
-hg_tpe -hg_type
-hg_moniter -hg_monitor
-hg_view_gradint -hg_view_gradient
-hg_fpm_stp -hg_fpm_step
-hg_warm_strat -hg_warm_start
-hg_ksp_typ -hg_ksp_type
-hg_ksp_rtoll -hg_ksp_rtol
-hg_ksp_maxit -hg_ksp_max_it
-hg_ksp_monitr -hg_ksp_monitor
-hg_ksp_converged_reasn -hg_ksp_converged_reason
-hg_ksp_veiw -hg_ksp_view
-hg_pc_typ -hg_pc_type
-blp_tran -blp_train
-blp_lamda -blp_lambda
-blp_bais -blp_bias
-data_kernl -data_kernel
-data_formt -data_format
-quite -quiet
-output_dr -output_dir
-error_if_not_convergd -error_if_not_converged
-log_veiw -log_view
-options_lefft -options_left
-malloc_dmp -malloc_dump
-vec_typ -vec_type
-mat_veiw -mat_view
--lls_rtol=0 -lls_rtol
-no_lls_warm_start -lls_warm_start
END
# shellcheck disable=SC2046
typo 0 -uls_stp -uls_step $(solve) -uls_stp 1
# shellcheck disable=SC2046
typo 0 -checkpoint_evry -checkpoint_every $(solve) -checkpoint_evry 1
typo 2 -lls_maxit -lls_max_it "${one[@]}" -lls_maxit 3
typo 0 -data_inptu -data_input data -data_inptu train.svm
# coverage: on
pool refused 0 64 "unknown option -zzzzzz;|-help" "${one[@]}" -zzzzzz

# ------------------------------------------------------------------ PETSc's own, and ours that change no result
while read -r options; do
  # shellcheck disable=SC2086 # an option and its value
  pool accepted 0 "${one[@]}" $options
done <<'END'
-hg_ksp_converged_reason
-hg_ksp_converged_rate
-hg_ksp_monitor
-hg_ksp_monitor_short
-hg_ksp_monitor_true_residual
-hg_ksp_monitor ascii:monitor.txt
-hg_ksp_view
-hg_ksp_view ascii:ksp.txt
-hg_ksp_view_mat ::ascii_info
-hg_ksp_view_rhs binary:rhs.bin
-hg_ksp_view_solution ascii:solution.txt
-hg_ksp_norm_type unpreconditioned
-hg_ksp_type gmres -hg_ksp_gmres_restart 5
-hg_ksp_type richardson -hg_ksp_richardson_scale 0.5 -hg_ksp_max_it 3 -hg_ksp_rtol 0
-hg_ksp_initial_guess_nonzero
-hg_ksp_atol 1e-3
-hg_pc_type none
-log_view
-log_view :log.txt
-log_trace trace.txt
-info
-info :info.txt
-vec_type standard
-options_left
-options_left no
-options_view
-malloc_dump
-malloc_debug
-memory_view
-citations
-objects_dump
-on_error_abort
-error_output_none
-no_signal_handler
-get_total_flops
-viewer_binary_skip_info
-hg_view_gradient
-hg_view_gradient binary:gradient.bin
-hg_view_solution hdf5:solution.h5
-hg_view_adjoint ascii:adjoint.txt
-hg_view -lls_view -blp_view -lls_fpm_view -hg_fpm_view
-lls_monitor -lls_converged_reason -hg_monitor -hg_converged_reason
-hg_type itd -tape_type memory -tape_view
-hg_type itd -tape_type ring -tape_window 5
-lls_fpm_type heavyball -lls_fpm_momentum 0.5
-HG_TYPE aid
-blp_lambda -1e-3
-blp_lambda .5
END
# shellcheck disable=SC2046
pool accepted 0 $(solve) -uls_monitor -uls_converged_reason -uls_view -uls_view_solution ascii:lambda.txt
pool accepted 2 "${one[@]}" -hg_ksp_converged_reason -log_view -hg_view_gradient binary:gradient2.bin

# ------------------------------------------------------------------ of a thing that is not in use
# coverage: off
while read -r option owner; do
  # shellcheck disable=SC2086 # options and their values
  pool refused 0 64 "option ${option%%,*} is not used|$owner" "${one[@]}" ${option//,/ }
done <<'END'
-tape_type,memory -hg_type itd
-tape_window,3 -hg_type itd
-tape_window,3,-hg_type,itd -tape_type ring
-tape_max_ram,1GB,-hg_type,itd revolve
-tape_dir,.,-hg_type,itd -tape_type disk
-tape_direct,1,-hg_type,itd -tape_type disk
-tape_single,1 -hg_type itd
-hg_itd_truncate,2 -hg_type itd
-hg_fpm_type,gd,-hg_type,itd -hg_type aid
-hg_fpm_step,2,-hg_type,itd -hg_type aid
-hg_ksp_type,cg,-hg_type,itd -hg_type aid
-hg_pc_type,none,-hg_type,itd -hg_type aid
-hg_warm_start,-hg_type,itd -hg_type aid
-hg_exact_max_size,9 -hg_type exact
-lls_fpm_differentiate_step -lls_fpm_step optimal
-hg_fpm_differentiate_step -hg_fpm_step optimal
-hg_itd_mode,forward -hg_type itd
-hg_itd_block,2,-hg_type,itd -hg_itd_mode forward
-tape_type,memory,-hg_type,itd,-hg_itd_mode,forward -hg_itd_mode reverse
-lls_fpm_momentum,0.5 -lls_fpm_type heavyball
-hg_fpm_momentum,0.5 -hg_fpm_type heavyball
-uls_step,2 twofold solve
-checkpoint_every,2 twofold solve
-resume twofold solve
-data_input,x twofold data
END
# coverage: on
pool refused 0 64 "option -lls_max_it is not used|but for -hg_type exact" "${one[@]}" -hg_type exact
pool refused 0 64 "-lls_fpm_differentiate_step: constants that are computed|-lls_fpm_constants formula" \
  "${one[@]}" -lls_fpm_step optimal -lls_fpm_constants computed -lls_fpm_differentiate_step
pool refused 0 64 "-hg_type exact has none|-hg_type aid or itd" contraction "${data[@]}" -hg_type exact
pool refused 0 64 "-hg_exact_max_size is 23|w has 24 entries|-hg_type aid" hypergrad "${data[@]}" -hg_type exact -hg_exact_max_size 23
pool refused 0 64 "option -hg_type is not used|twofold solve, hypergrad, contraction and study" data -data_input train.svm -hg_type aid
pool refused 0 64 "option -uls_max_it is not used|twofold solve|did you mean -lls_max_it?" "${one[@]}" -uls_max_it 3
pool refused 0 64 "option -output_dir is not used|twofold solve, hypergrad, contraction and study" data -data_input train.svm -output_dir x
pool refused 2 64 "option -tape_type is not used|-hg_type itd" "${one[@]}" -tape_type memory
pool refused 0 64 "-blp_seed|-blp_data" "${one[@]}" -blp_seed 3
pool refused 0 64 "-blp_split|-blp_data" "${one[@]}" -blp_split third
pool refused 0 64 "-hg_ksp_type cg|symmetric|heavyball|gmres" "${one[@]}" -hg_fpm_type heavyball -hg_ksp_type cg
pool refused 0 64 "-blp_type user|callbacks|C program" "${one[@]}" -blp_type user

pool refused 2 64 "-tape_single: entry|of w in state|3.4e38" "${one[@]}" -hg_type itd -lls_max_it 9 -lls_fpm_step 1e9 -tape_single
pool refused 2 66 "-tape_dir no/such/folder|No such file or directory" "${one[@]}" -hg_type itd -tape_type disk -tape_dir no/such/folder
(ulimit -f 4 && refused 0 74 "cannot write the tape's file|/twofold-tape-|File too large|-tape_dir|-tape_type revolve" \
  "${one[@]}" -hg_type itd -lls_max_it 60 -tape_type disk -tape_dir . -tape_max_ram 400)

# ------------------------------------------------------------------ stray words, no command, no such command
pool refused 0 64 "'stray'" "${one[@]}" stray
pool refused 0 64 "'stray' behind 'twofold COMMAND'" hypergrad stray "${data[@]}"
pool refused 2 64 "'4' behind '3'" "${one[@]}" -hg_ksp_max_it 3 4
pool refused 0 64 "unknown command solv|solve, hypergrad, contraction, study, data, predict" solv "${data[@]}"
pool refused 0 64 "no command|solve" "${data[@]}"

# ------------------------------------------------------------------ values: type, range, names; none
# coverage: off
largest=2147483647
if [ "$(integer)" = 8 ]; then
  largest=9223372036854775807
else
  pool refused 0 64 "-lls_max_it 2147483648|$largest" "${one[@]}" -lls_max_it 2147483648
fi
while IFS=@ read -r options words; do
  # shellcheck disable=SC2086 # options and their values
  pool refused 0 64 "${words/LARGEST/$largest}" "${one[@]}" $options
done <<'END'
-lls_max_it abc@-lls_max_it abc|whole number
-lls_max_it 3.7@-lls_max_it 3.7|whole number
-lls_max_it 1e3@-lls_max_it 1e3|whole number
-lls_fpm_step abc@-lls_fpm_step abc|a number
-hg_ksp_rtol small@-hg_ksp_rtol small|a number
-lls_warm_start maybe@-lls_warm_start maybe|true or false
-quiet train.svm@-quiet train.svm|true or false
-lls_max_it 9999999999999999999@-lls_max_it 9999999999999999999|LARGEST
-lls_fpm_step@-lls_fpm_step needs a value
-lls_rtol -hg_monitor@-lls_rtol needs a value
-blp_lambda_file@-blp_lambda_file needs a value
-hg_ksp_max_it@-hg_ksp_max_it needs a value
-lls_max_it -3@-lls_max_it -3|negative
-lls_rtol -1@-lls_rtol -1|[0, 1)
-lls_rtol 1@-lls_rtol 1|[0, 1)
-lls_rtol nan@-lls_rtol nan|[0, 1)
-lls_atol -1@-lls_atol -1|negative
-lls_atol inf@-lls_atol inf|finite
-lls_dtol nan@-lls_dtol nan|more than 1
-lls_dtol -3@-lls_dtol -3|more than 1
-lls_fpm_step 0@-lls_fpm_step 0|positive
-lls_fpm_step -1@-lls_fpm_step -1|positive
-lls_fpm_step nan@-lls_fpm_step nan|positive and finite
-lls_fpm_step inf@-lls_fpm_step inf|positive and finite
-hg_fpm_step -inf@-hg_fpm_step -inf|positive and finite
-lls_fpm_type heavyball -lls_fpm_momentum 1.5@-lls_fpm_momentum 1.5|[0, 1)
-lls_fpm_type heavyball -lls_fpm_momentum -0.1@-lls_fpm_momentum -0.1|[0, 1)
-hg_ksp_max_it -3@-hg_ksp_max_it -3|negative
-hg_ksp_rtol -3@-hg_ksp_rtol -3|[0, 1)
-hg_ksp_rtol nan@-hg_ksp_rtol nan|[0, 1)
-hg_type itd -hg_itd_truncate -1@-hg_itd_truncate -1|negative
-hg_type itd -tape_type ring -tape_window 0@-tape_window 0|at least one
-hg_type itd -tape_type revolve -tape_max_ram 3XB@-tape_max_ram 3XB|number of bytes|kB, MB, GB or TB
-hg_type itd -tape_type revolve -tape_max_ram -5@-tape_max_ram -5|positive
-hg_type itd -tape_type revolve -tape_max_ram@-tape_max_ram needs a value
-hg_type itd -tape_type revolve -tape_max_ram 100@-tape_max_ram 100 bytes|revolve needs 192
-hg_type itd -tape_type disk -tape_max_ram 300@-tape_max_ram 300 bytes|disk needs 384
-hg_type itd -tape_type disk -tape_max_ram 100 -tape_single@-tape_max_ram 100 bytes|disk needs 192
-hg_type itd -tape_type revolve -lls_fpm_type heavyball -tape_max_ram 200@-tape_max_ram 200 bytes|revolve needs 384
-blp_lambda nan@-blp_lambda nan|finite
-blp_lambda -inf@-blp_lambda -inf|finite
-blp_lambda 1 -blp_lambda_file x.txt@-blp_lambda|-blp_lambda_file|exclude
-blp_data train.svm@-blp_data|-blp_train|exclude
-data_index_base 2@-data_index_base 2|0, 1
-data_features -1@-data_features -1|negative
-text_weight idf@-text_weight idf|count|tfidf
-hg_type adi@-hg_type adi|itd, aid|closest: aid
-lls_type picrad@-lls_type picrad|closest: picard
-lls_fpm_type heavybal@-lls_fpm_type heavybal|gd, heavyball|closest: heavyball
-hg_fpm_type dg@-hg_fpm_type dg|gd, heavyball|closest: gd
-blp_type softmx@-blp_type softmx|closest: softmax
-hg_type itd -tape_type memry@-tape_type memry|ring|closest: memory
-data_kernel referenc@-data_kernel referenc|closest: reference
-data_format svmlite@-data_format svmlite|binary|text|idx|closest: svmlight
-hg_ksp_type cgg@-hg_ksp_type cgg|Krylov
-hg_pc_type nne@-hg_pc_type nne|preconditioner
-hg_ksp_norm_type large@-hg_ksp_norm_type|large|natural
-hg_view_gradient bin:g.bin@-hg_view_gradient bin:g.bin|binary:FILE
-hg_view_gradient binary:nofolder/g.bin@-hg_view_gradient binary:nofolder/g.bin|No such file
-blp_view asci@-blp_view asci|ascii
END
while IFS=@ read -r options words; do
  # shellcheck disable=SC2046,SC2086 # options and their values
  pool refused 0 64 "$words" $(solve) $options
done <<'END'
-uls_max_it -1@-uls_max_it -1|negative
-uls_max_it many@-uls_max_it many|whole number
-uls_step 0@-uls_step 0|positive
-uls_step nan@-uls_step nan|positive and finite
-uls_step inf@-uls_step inf|positive and finite
-uls_gatol -1@-uls_gatol -1|negative
-uls_momentum 1@-uls_momentum 1|[0, 1)
-uls_momentum nan@-uls_momentum nan|[0, 1)
-uls_momentum_type polyak@-uls_momentum_type|polyak|heavy nesterov
-uls_on_inexact wait@-uls_on_inexact|wait|stop step
-uls_eval_every -1@-uls_eval_every -1|negative
-checkpoint_every -1@-checkpoint_every -1|steps
-checkpoint_every 3days@-checkpoint_every 3days|10min
-checkpoint_keep 0@-checkpoint_keep 0|at least 1
-uls_type desent@-uls_type desent|closest: descent
END
# coverage: on
pool refused 2 64 "-lls_max_it abc|whole number" "${one[@]}" -lls_max_it abc
pool refused 3 64 "-hg_type adi|closest: aid" "${one[@]}" -hg_type adi

# ------------------------------------------------------------------ options files
printf -- '-lls_max_it 3 # steps\n# a comment\n-lls_fpm_step 0.5\n' >good.opts
printf -- '-lls_max_it 3\n-lls_fpm_stp 0.5\n' >typo.opts
printf -- '-lls_max_it 3\nlls_fpm_step 0.5\n' >word.opts
pool accepted 0 hypergrad "${data[@]}" -options_file good.opts
pool accepted 2 hypergrad "${data[@]}" -options_file good.opts
pool refused 0 64 "unknown option -lls_fpm_stp;|-lls_fpm_step" hypergrad "${data[@]}" -options_file typo.opts
pool refused 0 64 "word.opts|line 2|lls_fpm_step" hypergrad "${data[@]}" -options_file word.opts
pool refused 0 66 "-options_file missing.opts" hypergrad "${data[@]}" -options_file missing.opts
pool refused 2 66 "-options_file missing.opts" hypergrad "${data[@]}" -options_file missing.opts
pool refused 0 64 "-options_file needs" hypergrad "${data[@]}" -options_file

# ------------------------------------------------------------------ help and version
# coverage: off
lists() { # COMMAND WORDS NOT: -help of the command has all the words at a line's begin, and none of the others
  local command=$1 word text
  text=$(launch 0 "$command" -help 2>&1) || fail "$command -help"
  echo >>log/checks
  for word in $2; do grep -q "^  ${word}[ :]" <<<"$text" || fail "$command -help does not list $word"; done
  for word in $3; do grep -q "^  ${word}[ :]" <<<"$text" && fail "$command -help lists $word"; done
}
ours="-blp_type -blp_train -blp_lambda -hg_type -hg_view_gradient -hg_fpm_type -lls_max_it -lls_fpm_type
  -data_format -data_kernel -output_dir -error_if_not_converged"
theirs="-hg_ksp_type -hg_ksp_max_it -hg_pc_type -log_view"
pool lists hypergrad "$ours" "$theirs -uls_type -tape_type"
pool lists solve "$ours -uls_type -uls_step -resume" "$theirs -tape_type"
pool lists data "-data_input -data_output -data_split -data_format" "$theirs -blp_type -output_dir"

# coverage: on
help_all() {
  local some all
  some=$(launch 0 hypergrad -help) || fail "hypergrad -help"
  all=$(launch 0 hypergrad -help all) || fail "hypergrad -help all"
  [ "$(wc -l <<<"$all")" -gt "$(($(wc -l <<<"$some") + 50))" ] || fail "-help all lists no more than -help"
  check "-help all lacks the adjoint's KSP" grep -q '^  -hg_ksp_type ' <<<"$all"
  check "-help all lacks the adjoint's PC" grep -q '^  -hg_pc_type ' <<<"$all"
  some=$(launch 0 hypergrad -hg_type itd -help) || fail "hypergrad -hg_type itd -help"
  check "-hg_type itd -help lacks the tape" grep -q '^  -tape_type ' <<<"$some"
}
pool help_all

version() {
  local text
  text=$(launch "$1" -version 2>&1) || fail "-version"
  echo >>log/checks
  [[ $text =~ ^twofold\ [0-9]+\.[0-9]+\.[0-9]+\ \(PETSc\ [0-9.]+(,\ 64-bit\ indices)?\)$ ]] || fail "-version prints: $text"
}
pool version 0
pool version 2

usage() {
  local text
  text=$(launch 0 "$@" 2>&1)
  echo $? >>log/usage
  check "usage lacks the commands" grep -q '^  hypergrad ' <<<"$text"
}
usage -help
usage
check "exit codes of the usage are not 0 and 64" test "$(tr '\n' ' ' <log/usage)" = "0 64 "

check "a refused run left a folder" test "$(find . -name 'run*' | wc -l)" = 1
finish
