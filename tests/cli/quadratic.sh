#!/usr/bin/env bash
# Problem quadratic as a user meets it: no data, the same numbers on any number of ranks, constants, what is refused.
# shellcheck source=common.sh
# shellcheck disable=SC2317 # functions that pool runs
. "$(dirname "$0")/common.sh"

problem=(-blp_type quadratic -blp_quadratic_n 31 -blp_quadratic_m 4 -quiet)
short=(-lls_max_it 25 -hg_ksp_rtol 0 -hg_ksp_max_it 15)

field() { awk -v name="$1" '$1 == name { print $3 }'; } # of the program's output: objective, hypergradient

# same NAME OPTIONS...: the same hypergradient on 1, 2 and 7 ranks
same() {
  local name=$1 ranks norm first=
  shift
  for ranks in 0 2 7; do
    norm=$(launch "$ranks" hypergrad "${problem[@]}" "${short[@]}" "$@" | field hypergradient)
    first=${first:-$norm}
    check "$name: norm $norm on $ranks ranks, $first on one" \
      awk -v a="$norm" -v b="$first" 'BEGIN { exit !(a > 0 && (a - b) ^ 2 <= (1e-11 * b) ^ 2) }'
  done
}
pool same loss -blp_quadratic_kappa 50 -blp_quadratic_beta 2 -blp_quadratic_eta1 3 -blp_quadratic_eta2 0.5
pool same map -blp_quadratic_symmetric 0 -blp_quadratic_mu 0.2 -blp_quadratic_L 0.9
pool same linear -blp_quadratic_spectrum linear -blp_quadratic_gamma 0.1 -blp_quadratic_seed 7
pool same worst -blp_quadratic_worst

# constants: mu and L are told as they were asked for, proved
constants() {
  local out
  out=$(launch 2 contraction "${problem[@]}" -lls_max_it 1 -blp_quadratic_L 2 -blp_quadratic_kappa 40) ||
    fail "contraction"
  check "mu is not 0.05: $out" grep -qE '^  mu  *5\.000000000e-02 .* proved ' <<<"$out"
  check "L is not 2: $out" grep -qE '^  L  *2\.000000000e\+00 .* proved ' <<<"$out"
}
pool constants

# chebyshev: the interval by formula is the spectrum, times the step; computed and ksp solve, too
chebyshev() {
  local interval out
  for interval in formula computed ksp; do
    out=$(launch 2 hypergrad "${problem[@]}" -lls_max_it 1 -blp_quadratic_L 2 -blp_quadratic_kappa 40 \
      -hg_ksp_type chebyshev -hg_fpm_step 0.5 -hg_chebyshev_interval "$interval" -output_dir "run.$interval") ||
      fail "chebyshev, $interval"
    check "$interval: $out" grep -q '^reason  *CONVERGED' <<<"$out"
    check "$interval: which interval: $out" test "$(grep -c "^Chebyshev's interval " <<<"$out")" = \
      "$([ "$interval" = ksp ] && echo 0 || echo 1)"
  done
  check "not L" test "$(grep -A1 '"chebyshev_to"' run.formula/summary.json | grep -c '"value": 1,')" = 1
  check "not computed" test "$(grep -A4 '"chebyshev_from"' run.computed/summary.json | grep -c 'by SLEPc')" = 1
}
pool chebyshev

# solved: f is strongly convex: descent finds its minimum, where the hypergradient is small
solved() {
  launch 0 solve "${problem[@]}" -lls_max_it 500 -lls_rtol 1e-10 -hg_ksp_rtol 1e-10 -uls_step 0.005 \
    -uls_max_it 400 -output_dir run >/dev/null || fail "solve"
  launch 0 hypergrad "${problem[@]}" -lls_max_it 1 -blp_view >log/view
  check "the view does not tell the problem" grep -q 'w 31, lambda 4, lower level as a loss' log/view
  echo >>log/checks
  awk -F, 'NR == 2 { first = $3 } $3 { last = $3 } END { exit !(first > 0 && last < 1e-3 * first) }' run/history.csv ||
    fail "the hypergradient does not fall" run/history.csv
}
pool solved

# a set that options leave without what it needs
for set in "box|no bounds|-lset_lower" "product|no parts|options cannot name any" "spectral|no matrix|-lset_rows" \
  "convspectral|no kernel|-lset_channels_out"; do
  pool refused 2 64 "-lset_type $set" solve "${problem[@]}" -lls_max_it 1 -lset_type "${set%%|*}" -output_dir none
done

# coverage: off
while IFS=@ read -r options words; do
  # shellcheck disable=SC2086 # options and their values
  pool refused 0 64 "$words" hypergrad "${problem[@]}" -lls_max_it 1 $options
done <<'END'
-hg_chebyshev_interval formula@hg_chebyshev_interval|-hg_ksp_type chebyshev
-hg_chebyshev_interval formla -hg_ksp_type chebyshev@formla|formula
-hg_chebyshev_interval formula -hg_ksp_type chebyshev -hg_precond nystrom@preconditioned|computed or ksp
-blp_quadratic_n 0@-blp_quadratic_n 0|at least 1
-blp_quadratic_m 0@-blp_quadratic_m 0|at least 1
-blp_quadratic_mu 0@-blp_quadratic_mu 0|positive
-blp_quadratic_mu nan@-blp_quadratic_mu nan|positive
-blp_quadratic_mu 3@-blp_quadratic_mu 3|at most L
-blp_quadratic_kappa 0.5@mu at most L
-blp_quadratic_mu 0.1 -blp_quadratic_kappa 9@-blp_quadratic_mu and -blp_quadratic_kappa exclude each other
-blp_quadratic_symmetric 0 -blp_quadratic_L 2@-blp_quadratic_L 2|at most 1 for a map
-blp_quadratic_gamma -1@-blp_quadratic_gamma -1|not be negative
-blp_quadratic_beta inf@-blp_quadratic_beta inf|finite
-blp_quadratic_gamma 1 -blp_quadratic_worst@-blp_quadratic_gamma 1|-blp_quadratic_worst
-blp_quadratic_gamma 1 -blp_quadratic_symmetric 0@-blp_quadratic_gamma 1|-blp_quadratic_symmetric 0
-blp_quadratic_spectrum cubic@-blp_quadratic_spectrum|cubic|log
END
# coverage: on
wait
finish
