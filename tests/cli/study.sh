#!/usr/bin/env bash
# twofold study: the same table on any number of ranks and groups, each row what `twofold hypergrad` says at that
# lambda, bounds only where they hold, and everything bad refused on all ranks.
# shellcheck source=common.sh
# shellcheck disable=SC2016,SC2054,SC2317 # awk within checks; commas within an option's value; functions that pool runs
. "$(dirname "$0")/common.sh"

samples 30 1 >train.svm
samples 30 2 >val.svm
data=(-blp_train train.svm -blp_val val.svm -quiet)
optimal=(-lls_fpm_step optimal -hg_certificate both)
box=(-study_lambda_min 1,1.5 -study_lambda_max 2 -study_seed 5)

study() { # RANKS DIR OPTIONS...
  local ranks=$1 dir=$2
  shift 2
  launch "$ranks" study "${data[@]}" -output_dir "$dir" "$@" >"log/$dir" 2>&1 || fail "$dir: exit code $?" "log/$dir"
}
# column DIR NAME SAMPLE METHOD T: an entry of study.csv
column() {
  awk -F, -v name="$2" -v s="$3" -v m="$4" -v t="$5" '
    NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    $at["sample"] == s && $at["method"] == m && $at["t"] == t { print $at[name] }' "$1/study.csv"
}
# close A B TOLERANCE [ABSOLUTE]
close() {
  awk -v a="$1" -v b="$2" -v t="$3" -v c="${4:-0}" 'BEGIN {
    d = a - b; if (d < 0) d = -d; if (b < 0) b = -b; exit !(a != "" && b != "" && d <= t * b + c) }'
}

# ------------------------------------------------------------------ ranks and groups
# same DIR DIR: words alike; numbers to 1e-10, errors and estimates of errors beside rounding of the hypergradient, for
# their parts that of the adjoint too
same() {
  paste -d, "$1/study.csv" "$2/study.csv" | awk -F, '
    function abs(x) { return x < 0 ? -x : x }
    function far(a, b, c) { return a == "" || b == "" ? a != b : abs(a - b) > 1e-10 * abs(b) + c }
    NR == 1 { n = NF / 2; for (i = 1; i <= n; i++) name[i] = $i }
    {
      for (i = 1; i <= n; i++) {
        if (NR == 1 || name[i] ~ /sample|method|t|k|standing|reason/ && name[i] !~ /error|theorem$|rate|estimate/) {
          if ($i != $(i + n)) { bad = 1; print "line " NR ", " name[i] ": " $i " and " $(i + n) }
        } else {
          c = name[i] ~ /^(error|bound|estimate)$/ ? 1e-13 * norm : name[i] ~ /relative/ ? 1e-13 : 0
          if (name[i] ~ /^(iterate|adjoint)_error$/) c = 1e-12 * norm
          if (far($i, $(i + n), c)) { bad = 1; print "line " NR ", " name[i] ": " $i " and " $(i + n) }
        }
        if (name[i] == "norm") norm = $i
      }
    }
    END { exit bad || NR < 2 || NF != 2 * n }' >"log/same.$2"
}
ranks_agree() {
  local how=("${box[@]}" "${optimal[@]}" -study_methods itd,fp,cg,fp:4,gmres:3 -study_at 0,1,2:8:3 -study_samples 4)
  study 0 ranks0 "${how[@]}"
  for ranks in 2 3; do
    for ((groups = 1; groups <= ranks; groups++)); do
      study "$ranks" "ranks$ranks$groups" "${how[@]}" -study_groups "$groups"
      echo >>log/checks
      same ranks0 "ranks$ranks$groups" || fail "$ranks ranks, $groups groups: another study.csv" "log/same.ranks$ranks$groups"
    done
  done
  check "rows of every lambda, method and t" test "$(wc -l <ranks0/study.csv)" = $((4 * 5 * 5 + 1))
  check "rows of every method and t" test "$(wc -l <ranks0/means.csv)" = $((5 * 5 + 1))
  check "summary.json is no JSON" python3 -m json.tool ranks0/summary.json log/json
  check "options.opts" grep -q '^-study_at 0,1,2:8:3$' ranks0/options.opts
  check "k = t" test "$(column ranks0 k 2 cg 5) $(column ranks0 k 2 fp:4 5)" = "5 4"
  # whatever bound there is holds
  check "a bound or a certificate is below the error" awk -F, '
    NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    {
      floor = 1e-12 * $at["norm"]
      if ($at["theorem"] != "") { theorems++; if ($at["error"] > $at["theorem"] + floor) bad = 1 }
      if ($at["bound"] != "") { bounds++; if ($at["error"] > $at["bound"] + floor) bad = 1 }
    }
    END { exit bad || theorems != 80 || bounds != 100 }' ranks0/study.csv # gmres has no theorem
  check "the mean of errors" close "$(awk -F, '$1 == "cg" && $2 == 5 { print $4 }' ranks0/means.csv)" \
    "$(awk -F, '$2 == "cg" && $3 == 5 { sum += $7 } END { printf "%.17g", sum / 4 }' ranks0/study.csv)" 1e-12
}
pool ranks_agree

# ------------------------------------------------------------------ a row, and the same by twofold hypergrad
integer=$(integer)
entries() { od -A n -v --endian=big -j $((2 * integer)) -w8 -t f8 "$1"; } # of a vector in PETSc's binary format
hypergrad() { # NAME LAMBDAS OPTIONS...: its gradient in log/NAME.entries
  local name=$1 lambda=$2
  shift 2
  launch 0 hypergrad "${data[@]}" -blp_lambda_file "$lambda" -hg_view_gradient "binary:log/$name.g" "$@" \
    >"log/$name" 2>&1 || fail "$name" "log/$name"
  entries "log/$name.g" >"log/$name.entries"
}
hand() {
  local dir=hand lambda=hand/lambda.1.bin method error
  study 0 "$dir" "${box[@]}" "${optimal[@]}" -study_methods itd,fp,cg:3 -study_at 7 -study_samples 2 -study_save_lambda
  check "the lambda of each sample" test "$(find "$dir" -name 'lambda*' | sort | tr '\n' ' ')" = "$dir/lambda.0.bin $lambda "
  hypergrad exact "$lambda" -hg_type exact
  hypergrad itd "$lambda" -hg_type itd -lls_max_it 7 -lls_fpm_step optimal
  hypergrad cg "$lambda" -hg_ksp_type cg -hg_ksp_rtol 0 -hg_ksp_max_it 3 -lls_max_it 7 "${optimal[@]}"
  hypergrad fp "$lambda" -hg_ksp_type richardson -hg_ksp_rtol 0 -hg_ksp_max_it 7 -lls_max_it 7 -lls_fpm_step optimal \
    -hg_fpm_step optimal
  for method in itd fp cg:3; do
    error=$(paste log/exact.entries "log/${method%:3}.entries" | awk '{ s += ($1 - $2) ^ 2 } END { if (NR == 8) printf "%.17g", sqrt(s) }')
    check "error of $method by hand" close "$(column "$dir" error 1 "$method" 7)" "$error" 1e-9
  done
  check "f" close "$(column "$dir" f 1 cg:3 7)" "$(awk '$1 == "objective" { print $3 }' log/cg)" 1e-13
  check "the certificate" close "$(column "$dir" bound 1 cg:3 7)" "$(awk '/^error certificate/ { print $3 }' log/cg)" 1e-6
  check "norm" close "$(column "$dir" norm 1 itd 7)" \
    "$(awk '{ s += $1 ^ 2 } END { printf "%.17g", sqrt(s) }' log/exact.entries)" 1e-12
}
pool hand

# ------------------------------------------------------------------ the parts of aid's error
parts() {
  local dir=parts lambda=parts/lambda.1.bin
  local how=("${box[@]}" -lls_fpm_step optimal -study_methods itd,fp:4,cg:3,cg:80 -study_at 0,7 -study_samples 2 -study_parts)
  study 0 "$dir" "${how[@]}" -study_save_lambda
  study 3 parts32 "${how[@]}" -study_groups 2
  echo >>log/checks
  same "$dir" parts32 || fail "3 ranks, 2 groups: other parts" log/same.parts32
  hypergrad there "$lambda" -hg_ksp_type gmres -hg_ksp_rtol 1e-15 -hg_ksp_max_it 200 -lls_max_it 7 -lls_fpm_step optimal
  hypergrad three "$lambda" -hg_ksp_type cg -hg_ksp_rtol 0 -hg_ksp_max_it 3 -lls_max_it 7 -lls_fpm_step optimal
  hypergrad true "$lambda" -hg_type exact
  distance() { paste "log/$1.entries" "log/$2.entries" | awk '{ s += ($1 - $2) ^ 2 } END { printf "%.17g", sqrt(s) }'; }
  check "the iterate's part" close "$(column "$dir" iterate_error 1 cg:3 7)" "$(distance there true)" 1e-9
  check "the adjoint's part" close "$(column "$dir" adjoint_error 1 cg:3 7)" "$(distance three there)" 1e-9
  check "the iterate's part is the same for all" test \
    "$(column "$dir" iterate_error 1 fp:4 7)" = "$(column "$dir" iterate_error 1 cg:80 7)"
  check "with enough steps it is all" close "$(column "$dir" error 1 cg:80 7)" "$(column "$dir" iterate_error 1 cg:80 7)" 1e-9
  check "itd has no parts" test -z "$(column "$dir" iterate_error 1 itd 7)$(column "$dir" adjoint_error 1 itd 7)"
  check "a part's mean" close "$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
    $1 == "fp:4" && $2 == 7 { print $at["relative_adjoint_error_mean"] }' "$dir/means.csv")" \
    "$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
    $2 == "fp:4" && $3 == 7 { sum += $at["adjoint_error"] / $at["norm"] } END { printf "%.17g", sum / 2 }' "$dir/study.csv")" 1e-12
  # a problem that is a map, whose adjoint is not symmetric: by GMRES
  launch 0 study -quiet -blp_type quadratic -blp_quadratic_symmetric 0 -study_methods gmres:3,gmres:60 -study_at 5 \
    -study_samples 1 -study_parts -output_dir map >log/map 2>&1 || fail "parts of a map" log/map
  check "parts of a map" close "$(column map error 0 gmres:60 5)" "$(column map iterate_error 0 gmres:3 5)" 1e-9
}
pool parts

# ------------------------------------------------------------------ the box
lambdas() { # a box of one point; logarithms; that the draw depends on the seed and the entry alone
  study 0 point -study_lambda_min 1.25 -study_lambda_max 1.25 -study_methods cg -study_at 3 -study_samples 2
  check "a box of one point has one lambda" cmp -s <(sed -n '2s/^[0-9]*//p' point/study.csv) <(sed -n '3s/^[0-9]*//p' point/study.csv)
  study 0 log -study_lambda_min 1e-3 -study_lambda_max 10 -study_lambda_log -study_methods cg -study_at 3 -study_samples 40
  # mu = exp(least lambda) / (c p); of eight numbers log-uniform over four decades the least is mostly below 0.1
  check "logarithms" awk -F, 'NR > 1 { n++; if ($15 * 24 < exp(0.1)) low++; if ($15 * 24 < exp(1e-3)) bad = 1 }
    END { exit bad || !(n == 40 && low > 36) }' log/study.csv
  study 0 seed5 "${box[@]}" -study_methods cg -study_at 3 -study_samples 1
  study 0 seed6 "${box[@]}" -study_methods cg -study_at 3 -study_samples 1 -study_seed 6
  check "another seed, another lambda" test "$(column seed5 norm 0 cg 3)" != "$(column seed6 norm 0 cg 3)"
}
pool lambdas

# ------------------------------------------------------------------ bounds only where they hold
bounds() {
  local how=("${box[@]}" -study_samples 1 -study_at 5)
  study 0 ball "${how[@]}" -study_methods itd,fp,cg -lls_fpm_type heavyball "${optimal[@]}"
  for method in itd fp cg; do check "heavy ball has no theorem: $method" test -z "$(column ball theorem 0 "$method" 5)"; done
  check "itd of heavy ball has no certificate" test "$(column ball bound_standing 0 itd 5)" = unknown
  check "cg of heavy ball has one" test "$(column ball bound_standing 0 cg 5)" = proved
  study 0 cut "${how[@]}" -study_methods itd -lls_fpm_step optimal -hg_itd_truncate 2
  check "itd cut off has no theorem" test -z "$(column cut theorem 0 itd 5)"
  study 0 moving "${how[@]}" -study_methods itd -lls_fpm_step optimal -lls_fpm_differentiate_step
  check "a step that is differentiated has no theorem" test -z "$(column moving theorem 0 itd 5)"
  study 0 scaled "${how[@]}" -study_methods fp,cg -lls_fpm_step optimal -hg_ksp_richardson_scale 0.5
  check "a scaled fixed point has no theorem" test -z "$(column scaled theorem 0 fp 5)"
  check "cg beside it has one" test -n "$(column scaled theorem 0 cg 5)"
  study 0 corrected "${how[@]}" -study_methods cg -lls_fpm_step optimal -hg_certificate both -hg_correct -study_parts
  check "what is corrected has no theorem" test -z "$(column corrected theorem 0 cg 5)"
  check "nor parts" test -z "$(column corrected iterate_error 0 cg 5)"
  check "its bound is above its estimate" awk -v b="$(column corrected bound 0 cg 5)" -v s="$(column corrected estimate 0 cg 5)" \
    'BEGIN { exit !(s > 0 && b > s) }'
  check "its error is less than the estimate" awk -v e="$(column corrected error 0 cg 5)" -v s="$(column corrected estimate 0 cg 5)" \
    'BEGIN { exit !(e > 0 && e < 0.5 * s) }'
  study 0 steps "${how[@]}" -study_methods fp,cg -lls_fpm_step optimal -hg_fpm_type gd -hg_fpm_step 0.5
  check "fp by the map that is told" test "$(column steps error 0 fp 5)" != "$(column scaled error 0 fp 5)"
}
pool bounds

# ------------------------------------------------------------------ what does not come to an end
diverged() {
  launch 2 study "${data[@]}" "${box[@]}" -study_methods itd,cg -study_at 200 -study_samples 2 -lls_fpm_step 1e30 \
    -study_parts -error_if_not_converged -output_dir diverged >log/diverged 2>&1
  check "exit code of a lower level that diverges" test $? = 69
  check "its table is there" test "$(column diverged error 1 cg 200),$(column diverged reason 1 cg 200)" = ,DIVERGED_LOWER
  check "which has no parts" test "$(wc -l <diverged/study.csv),$(column diverged adjoint_error 1 cg 200),$(column diverged \
    iterate_error 1 cg 200)" = 5,,
}
pool diverged
again() { # a run directory is not written over
  study 0 again -study_methods cg -study_at 1 -study_samples 1
  refused 0 64 "-output_dir again|already holds a run" study "${data[@]}" -study_methods cg -study_at 1 -study_samples 1 -output_dir again
}
pool again

# ------------------------------------------------------------------ refused
bad() { # WORDS OPTIONS...: on 1 rank and on 3
  pool refused 0 64 "$1" study "${data[@]}" "${@:2}"
  pool refused 3 64 "$1" study "${data[@]}" "${@:2}"
}
# coverage: off
bad "-study_methods cgg|no such method|closest: cg" -study_methods itd,cgg
bad "-study_methods idt|closest: itd" -study_methods idt
bad "-study_methods cg:x|number of adjoint steps" -study_methods cg:x
bad "-study_methods itd:3|no number of its own" -study_methods itd:3
bad "-study_methods cg,itd,cg|cg is there twice" -study_methods cg,itd,cg
bad "-study_at 5,3|must increase" -study_at 5,3
bad "-study_at 5,x|T1,T2,... or FIRST:LAST:STRIDE" -study_at 5,x
bad "-study_at 0:10:0|must increase" -study_at 0:10:0
bad "-study_at 0:10000000|more than 100000" -study_at 0:10000000
bad "-study_samples 0|positive" -study_samples 0
bad "10000000|rows" -study_samples 100000 -study_at 0:1000
bad "-study_groups 4|number of ranks" -study_groups 4
bad "-study_lambda_min 2|above -study_lambda_max 1|empty in entry 0" -study_lambda_min 2 -study_lambda_max 1
bad "-study_lambda_min 2|above -study_lambda_max 1|empty in entry 1" -study_lambda_min 0,2 -study_lambda_max 1
bad "-study_lambda_log|positive" -study_lambda_log -study_lambda_min 0 -study_lambda_max 1
bad "-study_lambda_max has 9 numbers|8 entries" -study_lambda_max 1,1,1,1,1,1,1,1,1
bad "-study_save_lambda|-output_dir" -study_save_lambda
for option in "-hg_type itd" "-hg_ksp_type cg" "-hg_ksp_max_it 3" "-hg_ksp_rtol 0" "-lls_max_it 3" "-lls_atol 1" -lls_warm_start \
  -hg_warm_start -hg_lanczos "-hg_tol 0.1"; do
  # shellcheck disable=SC2086 # an option and its value
  bad "${option%% *}|-study_methods and -study_at|leave it out" $option
done
bad "-study_samplse|-study_samples" -study_samplse 3
bad "-hg_ksp_type cg needs a symmetric d1Phi" -study_methods itd,cg -hg_fpm_type heavyball -study_samples 1
bad "-hg_exact_max_size is 23" -hg_exact_max_size 23 -study_samples 1 -study_at 1
pool refused 2 64 "-blp_folds 3|each fold has one" study -quiet -blp_data train.svm -blp_folds 3
pool refused 3 66 "cannot read missing.svm" study -quiet -study_groups 3 -blp_train missing.svm -blp_val val.svm
# an error at one lambda, so of one group alone, ends the run of all
logistic=(-blp_type logistic -blp_data synthetic -blp_synthetic_n 20 -blp_synthetic_p 4 -study_samples 12 -study_at 3 -quiet)
pool refused 3 64 "lambda_|must be positive" study "${logistic[@]}" -study_groups 3 -study_lambda_min -0.05
# coverage: on
pool accepted 0 study "${data[@]}" -hg_exact_max_size 24 -study_samples 1 -study_at 1
pool accepted 2 study -help
helped() { # its own options, none that it refuses, and where the others are told
  launch 0 study -help >log/help 2>&1
  check "study -help" grep -q '^  -study_methods ' log/help
  check "what study refuses is in its -help" test -z "$(grep -E '^  -(hg_type|hg_ksp_type|lls_max_it|hg_tol|hg_warm_start)[ :]' log/help)"
  check "what it takes is there, and the rest is told of" test "$(grep -cE '^  -hg_certificate |hypergrad -hg_type itd -help' log/help)" = 2
}
pool helped
finish
