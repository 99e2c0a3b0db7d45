#!/usr/bin/env bash
# twofold bench: every kernel has a line and an entry in the summary, bytes as the model says, and everything bad is
# refused. Times are not judged.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

samples 30 1 >train.svm # 3 classes, 8 features
samples 20 2 >val.svm
data=(-blp_train train.svm -blp_val val.svm -quiet)
few=(-bench_runs 2 -bench_cg_steps 2 -bench_triad_mb 0.1)
kernels="step_gd step_heavyball step_nesterov hessian step_cg reverse_gd reverse_heavyball upper evaluate"

bench() { # RANKS DIR OPTIONS...
  local ranks=$1 dir=$2
  shift 2
  launch "$ranks" bench "${few[@]}" -output_dir "$dir" "$@" >"log/$dir" 2>&1 || fail "$dir: exit code $?" "log/$dir"
}
bytes() { # DIR KERNEL: the model's, of the summary
  awk -v k="\"$2\":" '$1 == k { in_it = 1 } in_it && $1 == "\"model_bytes\":" { sub(",", "", $2); print $2; exit }' "$1/summary.json"
}

bench 0 plain "${data[@]}" -data_storage sparse
bench 2 pair "${data[@]}" -data_storage sparse
bench 2 dense "${data[@]}" -data_storage dense
bench 1 alone "${data[@]}" -bench_reference false
bench 2 logistic -blp_type logistic -blp_data synthetic -blp_synthetic_n 20 -blp_synthetic_nval 20 -quiet
bench 1 ridge -blp_type krr -blp_data synthetic -blp_synthetic_n 20 -blp_synthetic_nval 20 -quiet
for dir in plain pair dense alone logistic ridge; do
  for kernel in $kernels; do
    check "$dir tells of $kernel" grep -q "^ *\"$kernel\": {" "$dir/summary.json"
  done
  check "$dir prints a table" test "$(grep -c -E '^(lower step|Hessian-vector|CG step|itd reverse|E and grad1|loss and)' "log/$dir")" = 9
done
check "the ratio is printed" grep -q 'reference   ratio$' log/plain
check "and left out with -bench_reference false" sh -c '! grep -q reference log/alone'
check "and not written" sh -c '! grep -q reference_ms alone/summary.json'
check "a problem without a feature matrix has no bytes" grep -q '^CG step .* -  ' log/ridge

check "gemm is measured for dense blocks" grep -q '^BLAS gemm of .* GF/s' log/dense
check "and written" grep -q '"gemm_gf_s": {' dense/summary.json
check "and left out for sparse ones" sh -c '! grep -q gemm log/plain plain/summary.json'

# p c = 24; nonzeros are counted from the files
train=$(awk '{ n += NF - 1 } END { print n }' train.svm)
val=$(awk '{ n += NF - 1 } END { print n }' val.svm)
for dir in plain pair; do
  check "$dir: bytes of a step" test "$(bytes $dir step_gd)" = $((16 * 24 + 12 * train))
  check "$dir: bytes of a CG step" test "$(bytes $dir step_cg)" = $((48 * 24 + 12 * train))
  check "$dir: bytes of the upper level" test "$(bytes $dir upper)" = $((16 * 24 + 24 * val))
done

check "dense: bytes of a step" test "$(bytes dense step_gd)" = $((16 * 24 + 8 * 30 * 8))
check "dense: bytes of the upper level" test "$(bytes dense upper)" = $((16 * 24 + 2 * 8 * 20 * 8))

# ------------------------------------------------------------------ messages
number() { # DIR OBJECT KEY: of the summary
  awk -v o="\"$2\":" -v k="\"$3\":" '$1 == o { in_it = 1 } in_it && $1 == k { sub(",", "", $2); print $2; exit }' "$1/summary.json"
}
# What a rank sends for a product with X, of 30 or 20 samples, 8 features, 3 columns: on a column of blocks (1 - 1/2) p c
# numbers of 8 bytes, on a row (1 - 1/2) n c.
bench 2 column "${data[@]}" -data_grid 2,1 -bench_reference false -bench_messages false
bench 2 row "${data[@]}" -data_grid 1,2 -bench_lower_steps 3 -bench_kernels step_gd,evaluate -bench_reference false
check "a column's grid" test "$(number column training grid_rows),$(number column training grid_columns)" = 2,1
check "a row's grid" test "$(number row training grid_rows),$(number row training grid_columns)" = 1,2
check "sizes" test "$(number row training samples) $(number row training features) $(number row training columns)" = "30 8 3"
check "validation" test "$(number row validation samples) $(number row validation nonzeros)" = "20 $val"
check "a step on a column" test "$(number column step_gd model_sent_bytes_a_rank)" = $((2 * 8 * 8 * 3 / 2))
check "a reverse step on a column" test "$(number column reverse_gd model_sent_bytes_a_rank)" = $((3 * 8 * 8 * 3 / 2))
check "a step on a row" test "$(number row step_gd model_sent_bytes_a_rank)" = $((2 * 8 * 30 * 3 / 2))
check "an evaluation on a row" test "$(number row evaluate model_sent_bytes_a_rank)" = $((8 * 20 * 3 / 2))
check "one rank sends nothing" test "$(number alone step_gd model_sent_bytes_a_rank)" = 0
check "kernels not chosen" sh -c '! grep -q step_cg row/summary.json && ! grep -q "^CG step" log/row'
for collective in gather reduce_scatter sum; do
  check "$collective: one message" test "$(number row $collective messages)" = 1
  check "$collective: latency" awk -v us="$(number row $collective latency_us)" 'BEGIN { exit !(us >= 0 && us < 1e6) }'
  check "$collective is not measured on one rank" test -z "$(number alone $collective messages)"
  check "$collective is left out" test -z "$(number column $collective messages)"
done
check "collectives are printed" test "$(grep -cE '^(gather|reduce-scatter|sum of two numbers) ' log/row)" = 3

refuse() { # MESSAGE OPTIONS...
  local message=$1
  shift
  launch 2 bench "${data[@]}" "$@" >log/refused 2>&1
  check "exit code of $*" test $? = 64
  check "message of $*" grep -q -- "$message" log/refused
}
refuse '-bench_runs 0: at least 1' -bench_runs 0
refuse '-bench_lower_steps 0: at least 1' -bench_lower_steps 0
refuse '-bench_kernels step_gd,walk: there is no walk; all, or some of step_gd, step_heavyball,' -bench_kernels step_gd,walk
refuse '-bench_cg_steps -1: at least 1' -bench_cg_steps -1
refuse '-bench_triad_mb 0: between' -bench_triad_mb 0
refuse '-data_grid 2,2 has 4 blocks, but there are 2 ranks' -data_grid 2,2
refuse '-data_grid two: neither auto nor two positive numbers' -data_grid two
refuse '-data_grid' -data_kernel reference -data_grid 1,2
refuse '-data_storage' -data_kernel reference -data_storage dense
refuse '-bench_rnus' -bench_rnus 3
finish
