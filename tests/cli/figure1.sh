#!/usr/bin/env bash
# jobs/experiments/figure1.sh on small problems: what Figure 1 must show, that it takes up finished panels, and that what
# it must show is looked at indeed.
# shellcheck source=common.sh
# shellcheck disable=SC2016,SC2317 # awk within checks; functions that pool runs
. "$(dirname "$0")/common.sh"
experiments=$here/../../jobs/experiments

export TWOFOLD=$twofold TWOFOLD_LAUNCH="${mpirun[*]} -n 2"
unset SLURM_NTASKS PBS_NP LSB_DJOB_NUMPROC NSLOTS SLURM_SUBMIT_DIR PBS_O_WORKDIR LS_SUBCWD SGE_O_WORKDIR
figure() { # NAME ARGS...: its exit code into $code
  local name=$1
  shift
  timeout -k 5 150 bash "$experiments/figure1.sh" "$@" >"log/$name" 2>"log/$name.err"
  code=$?
}

# ------------------------------------------------------------------ the figure
have=no
command -v gnuplot >/dev/null && have=yes
figure quick --quick -n 2 -o out
check "exit code $code" test "$code" = "$([ $have = yes ] && echo 0 || echo 69)"
[ "$code" = 0 ] || [ $have = no ] || fail "figure1.sh --quick" log/quick.err
# kappa; rate and floor of three methods; three orders; bounds below the error, in logistic two; and three across panels.
# Whether CG is at or below the fixed point in all of them is told, and not what has to be (figure1.awk).
echo >>log/checks
if [ "$(grep -c "^ok " out/figure1.txt)" != $((4 * 11 + 1 + 3)) ] || grep -q "^NOT" out/figure1.txt; then
  fail "not all that the figure must show" <(grep -v "^ok " out/figure1.txt) log/quick.err
fi
check "cg beside fp" test "$(grep -cE '^(yes|no ) .*: mean error cg <= fp: ' out/figure1.txt)" = 4
check "errors of panels in one table" awk -F, '
  NR == 1 { if ($1 != "panel" || $2 != "method" || $3 != "t") exit 1; next }
  { seen[$1 "," $2]++ }
  END { for (key in seen) n++; exit n != 20 }' out/figure1.csv
for format in svg png; do
  [ $have = no ] || check "figure1.$format" test -s "out/figure1.$format"
done
[ $have = no ] || check "figure1.svg is no picture" python3 -c \
  'import sys, xml.dom.minidom as d; sys.exit(len(d.parse("out/figure1.svg").getElementsByTagName("path")) < 40)'

# ------------------------------------------------------------------ why CG may end above the fixed point
# The fixed point's adjoint error cancels part of that of w_t where the lower level shrinks w. On biasedreg with lambda = 0 and
# X^T X near n I, w is theta = n / (n + beta) times what made the data, and CG's error theta / |1 - 2 theta| of the fixed
# point's: above it for beta = n / 3, below it for beta = 3 n.
cancel() { # BETA/N RATIO
  launch 0 study -quiet -blp_type biasedreg -blp_biasedreg_beta "$(awk "BEGIN { print 4000 * $1 }")" -lls_fpm_type gd \
    -lls_fpm_step "$(awk "BEGIN { printf \"%.17g\", 0.1 / (4000 + 4000 * $1) }")" -blp_data synthetic -blp_synthetic_n 4000 \
    -blp_synthetic_nval 4000 -blp_synthetic_p 5 -study_lambda_min 0 -study_lambda_max 0 -study_samples 1 -study_at 100 \
    -study_methods fp,cg -output_dir "cancel$2" >"log/cancel$2" 2>&1 || fail "cancel $1" "log/cancel$2"
  check "CG's error beside the fixed point's, beta = $1 n" awk -F, -v ratio="$2" '
    NR > 1 { e[$1] = $4 }
    END { r = e["cg"] / e["fp"] / ratio; exit !(r > 0.95 && r < 1.05) }' "cancel$2/means.csv"
}
cancel 0.33333333333333333 1.5
cancel 3 0.5

# ------------------------------------------------------------------ going on
rm -r out/krr out/hyperrep/summary.json # as if killed before the one and within the other
touch -d '2001-01-01' out/logistic/study.csv
mv out/figure1.txt before
figure again --quick -n 2 -o out
check "another figure when it went on" cmp -s before out/figure1.txt
check "a finished panel was run again" test "$(date -r out/logistic/study.csv +%Y)" = 2001

# ------------------------------------------------------------------ as a batch system runs it: a copy, from another folder
mkdir spool
cp "$experiments/figure1.sh" spool/slurm_script
echo >>log/checks
(
  unset TWOFOLD_LAUNCH
  export SLURM_NTASKS=1 SLURM_SUBMIT_DIR=$here/../..
  cd spool && bash slurm_script --quick -o "$work/batch" biasedreg
) >log/batch 2>log/batch.err || [ $have = no ] || fail "as a batch job" log/batch.err
check "a batch job's ranks" grep -q ' mpirun -n 1 ' log/batch.err
check "a batch job's panel" test -s batch/biasedreg/summary.json -a ! -e batch/krr

# ------------------------------------------------------------------ without gnuplot: the results, and how to get it
mkdir bin
for tool in timeout bash awk cat tr mkdir tee dirname env id; do ln -s "$(command -v "$tool")" bin/; done
PATH=$PWD/bin figure without --quick -o out logistic
check "exit code without gnuplot" test "$code" = 69
check "the way to gnuplot" grep -q 'jobs/setup.sh --experiments' log/without.err

# ------------------------------------------------------------------ refused
for args in --quack "-n 0" "-n" "-g x" ridge; do
  # shellcheck disable=SC2086 # one word an argument
  figure usage $args
  check "usage: $args" test "$code" = 64 -a "$(grep -c '^usage:' log/usage.err)" = 1
done
TWOFOLD=missing figure missing --quick -o out
check "no program" test "$code" = 66

# ------------------------------------------------------------------ what is not so is found
# spoil PANEL TABLE METHOD T FACTOR COLUMN WORDS: one number changed must be told
spoil() {
  rm -rf spoilt
  mkdir spoilt
  cp -r out/logistic out/krr out/biasedreg out/hyperrep spoilt/
  awk -F, -v OFS=, -v method="$3" -v t="$4" -v factor="$5" -v name="$6" '
    NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
    NR > 1 && $at["method"] == method && (t == "" || $at["t"] + 0 >= t) { $at[name] *= factor }
    { print }' "out/$1/$2" >"spoilt/$1/$2"
  awk -F, -f "$experiments/figure1.awk" spoilt/*/means.csv spoilt/*/study.csv >log/spoilt
  check "exit code of a spoilt table" test $? = 1
  echo >>log/checks
  grep -q "^NOT .*$7" log/spoilt || fail "not found: $*" log/spoilt
}
spoil krr means.csv cg 0 3 relative_error_mean 'krr: mean error cg <= fp or that of an exact adjoint'
spoil logistic means.csv cg 0 1.1 relative_error_mean 'logistic: mean error cg <= fp or that of an exact adjoint'
spoil hyperrep means.csv cg 1 1e6 relative_adjoint_error_mean "hyperrep: the adjoint's part cg <= fp"
spoil logistic means.csv fp 0 4 relative_error_mean 'logistic: mean error fp <= itd'
spoil hyperrep means.csv itd 150 1e6 relative_error_mean 'hyperrep: itd ends at'
spoil hyperrep means.csv itd 1 0.4 relative_error_mean 'hyperrep rises first'
spoil biasedreg study.csv fp 0 1.001 relative_error 'biasedreg: fp and itd are the same number'
spoil logistic study.csv cg 0 1e-20 theorem 'logistic: theorem below the error'
spoil krr study.csv fp:10 0 1e-3 bound 'krr: certificate below the error'
spoil logistic study.csv itd 0 10 L 'logistic: kappa by formula'
spoil krr means.csv fp 60 1000 relative_error_mean 'krr: fp decreases linearly'
finish
