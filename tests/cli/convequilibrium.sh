#!/usr/bin/env bash
# Problem convequilibrium as a user meets it: images, reduced or not, runs, a model, what is refused.
# shellcheck disable=SC2016,SC2317 # awk within checks; functions that pool runs
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
type=convequilibrium features=36
start=(-blp_convequilibrium_it 30 -blp_convequilibrium_start 0.1)
start+=(-lset_type convspectral -lset_radius 0.9)
# shellcheck source=fixedpoints.sh
. "$(dirname "$0")/fixedpoints.sh"
problem+=(-blp_convequilibrium_channels 3 -blp_convequilibrium_pool 2)

pool same plain
pool same fixed -hg_ksp_type fixedpoint
pool same seed -blp_convequilibrium_seed 4
pool same start -blp_convequilibrium_start 0.1
pool same whole -blp_convequilibrium_pool 1

# reduced: images whose pixels are the means
reduced() {
  local norm
  awk '{
      split("", sum)
      for (k = 2; k <= NF; k++) {
        split($k, pixel, ":")
        sum[int((pixel[1] - 1) / 12) * 3 + int((pixel[1] - 1) % 6 / 2)] += pixel[2] / 4
      }
      printf "%d", $1
      for (k = 0; k < 9; k++) printf " %d:%.9f", k + 1, sum[k]
      printf "\n"
    }' train.svm >reduced.svm
  norm=$(launch 2 hypergrad "${problem[@]}" "${adjoint[@]}" -blp_train reduced.svm -blp_convequilibrium_pool 1 | field hypergradient)
  echo "$norm" >norm.reduced
}
pool reduced

pool run aid "${adjoint[@]}"
pool run normal -hg_ksp_type cgnr -hg_ksp_max_it 30 -hg_ksp_rtol 0
pool run itd -hg_type itd
pool run kernel "${adjoint[@]}" -lset_channels_out 3 -lset_grid 3 # what the problem says itself

# model: lambda is all of it
pool predicts model test.svm "${problem[@]}" "${adjoint[@]}" -uls_step 0.5 -uls_max_it 3 -data_scale standard

# coverage: off
while IFS=@ read -r options words; do
  # shellcheck disable=SC2086 # options and their values
  pool refused 2 64 "$words" hypergrad "${problem[@]}" $options
done <<'END'
-blp_convequilibrium_channels 0@-blp_convequilibrium_channels 0|at least 1
-blp_convequilibrium_pool 0@-blp_convequilibrium_pool 0|at least 1
-blp_convequilibrium_pool 4@-blp_convequilibrium_pool 4|6 x 6 pixels
-blp_convequilibrium_pool 3@-blp_convequilibrium_pool 3|6 x 6|3 x 3 pixels at least
-blp_convequilibrium_start nan@-blp_convequilibrium_start nan|finite
-blp_convequilibrium_it 0@-blp_convequilibrium_it 0|at least 1
-lls_fpm_type gd@-lls_fpm_type problem
-hg_ksp_type cg@-hg_ksp_type cg needs a symmetric d1Phi
END
samples 20 3 35 >lines.svm
pool refused 2 64 "-blp_folds|convequilibrium" hypergrad -blp_type convequilibrium -blp_data train.svm -blp_folds 3 -quiet
# coverage: on
wait
check "fixedpoint is not richardson" close "$(cat norm.fixed)" "$(cat norm.plain)" 1e-10
check "means of blocks of pixels are others" close "$(cat norm.reduced)" "$(cat norm.plain)" 1e-7
check "the problem's kernel is another" cmp -s <(cut -d, -f1,2 aid/history.csv) <(cut -d, -f1,2 kernel/history.csv)
for name in seed start whole; do
  check "$name: as without" test "$(cat "norm.$name")" != "$(cat norm.plain)"
done
finish
