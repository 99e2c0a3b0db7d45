#!/usr/bin/env bash
# 20 newsgroups by date on two ranks: the features, and hypergradients of an independent implementation with automatic
# differentiation: f and norms, which stand here, and the whole vectors where ../shared/reference beside the project
# has them. The corpus is taken from TWOFOLD_20NEWS (the folder it was unpacked to), data/20news in the project, or an
# archive in TWOFOLD_DATA or ../shared/data; without one of them the test is skipped. Nothing is downloaded.
# shellcheck source=common.sh
# shellcheck disable=SC2016 # code of awk
. "$(dirname "$0")/common.sh"

root=$here/../..
reference=$root/../shared/reference

find_corpus() { # the corpus' folder, unpacked here if need be; nothing where there is none
  local archive folder
  for folder in "${TWOFOLD_20NEWS-}" "$root/data/20news"; do
    [ ! -d "$folder/20news-bydate-train" ] || { echo "$folder" && return; }
  done
  for archive in "${TWOFOLD_DATA:-/nonexistent}"/20news-bydate.tar.* "$root"/../shared/data/20news-bydate.tar.*; do
    [ -f "$archive" ] || continue
    if [ -x "$root/jobs/get-data.sh" ]; then
      "$root/jobs/get-data.sh" 20news "$work/news" 2>log/get-data | tail -n 1
    else
      mkdir news && tar xf "$archive" -C news && echo "$work/news"
    fi
    return
  done
}
corpus=$(find_corpus)
[ -d "$corpus/20news-bydate-train" ] || skip "no 20 newsgroups in TWOFOLD_20NEWS, data/20news, TWOFOLD_DATA, ../shared/data"

# ------------------------------------------------------------------ the features
launch 2 data -data_input "$corpus" -data_split bydate -data_output news.bin >log/data 2>log/err || fail "twofold data" log/err
for line in "samples: 11314 (311 without a feature)" "nonzeros: 1103627 " "samples: 7532 " "nonzeros: 665738 "; do
  check "twofold data does not say '$line'" grep -qF "$line" log/data
done
check "not 101631 features in each part" test "$(grep -c '^  features: 101631$' log/data)" = 3

# ------------------------------------------------------------------ a model of text, applied to the test folder
launch 2 solve -blp_data "$corpus" -blp_split bydate -text_weight tfidf -lls_max_it 5 -lls_fpm_step 100 -hg_ksp_max_it 3 \
  -hg_ksp_rtol 0 -uls_step 100 -uls_max_it 1 -quiet -output_dir text >log/text 2>log/err || fail "solve" log/err
launch 3 predict -predict_model text/solution.h5 -data_input "$corpus/20news-bydate-test" -predict_output text.csv \
  >log/predict 2>log/err || fail "predict" log/err
solved=$(sed -n '/"val"/,/}/p' text/summary.json | sed -n 's/.*"accuracy": \([0-9.]*\).*/\1/p')
check "accuracy $solved of solve is not that of predict" awk -v a="$solved" \
  '$1 == "accuracy" { found = (a - $2) ^ 2 < 1e-24 } END { exit !found }' log/predict
check "not a line each document and one more" test "$(wc -l <text.csv)" = 7533
check "the lines are not the accuracy" awk -F, -v a="$solved" \
  'NR > 1 { n += index($1, $2 "/") == 1 } END { exit (n / (NR - 1) - a) ^ 2 > 1e-24 }' text.csv

# ------------------------------------------------------------------ the hypergradients
is() { # WHAT WANTED GOT: to 1e-9 relative
  echo >>log/checks
  awk -v a="$2" -v b="$3" 'BEGIN { exit !(b != "" && (a - b) ^ 2 <= (1e-9 * a) ^ 2) }' || fail "$1 is $3, not $2"
}
integer=$(integer)
entries() { od -A n -t f8 --endian=big -j $((2 * integer)) -N 16 "$1"; } # the first two of a PETSc vector
value() { awk -v name="$1" 'index($0, name) == 1 { print $NF }' "$2"; }
vector() { # NAME: as the reference's file, where it has one
  [ -f "$reference/$1.bin" ] || return
  local difference
  difference=$("$helpers/vecdiff" "$1.bin" "$reference/$1.bin") || difference=1
  check "$1: differs from the reference by $difference" awk -v d="$difference" 'BEGIN { exit !(d <= 1e-9) }'
}

# reproduces NAME F NORM [G0 G1] -- OPTIONS...
reproduces() {
  local name=$1 f=$2 norm=$3 g
  shift 3
  local first=()
  while [ "$1" != -- ]; do first+=("$1") && shift; done
  shift
  launch 2 hypergrad "${data[@]}" -lls_max_it 10 -lls_fpm_step 100 "$@" -hg_view_gradient "binary:$name.bin" >"log/$name" \
    2>log/err || fail "$name" log/err
  is "$name: f" "$f" "$(value 'objective f' "log/$name")"
  is "$name: norm" "$norm" "$(value 'hypergradient norm' "log/$name")"
  if [ ${#first[@]} -gt 0 ]; then
    read -r -a g <<<"$(entries "$name.bin")"
    is "$name: g[0]" "${first[0]}" "${g[0]}"
    is "$name: g[1]" "${first[1]}" "${g[1]}"
  fi
  vector "$name"
}
k10=(-hg_ksp_rtol 0 -hg_ksp_max_it 10)
ball=(-lls_fpm_type heavyball -lls_fpm_momentum 0.9)

# at lambda = 0, from the corpus itself
data=(-quiet -blp_data "$corpus" -blp_split bydate)
reproduces gd_cg 2.587055360273662e+00 1.354135615647034e-04 3.73477444200456048e-06 8.48517236060691561e-07 -- "${k10[@]}"
data=(-quiet -blp_train news.train.bin -blp_val news.val.bin)
reproduces gd_fp 2.587055360273662e+00 1.146360570744018e-05 7.42560443117552363e-07 4.77969162436956678e-08 -- \
  "${k10[@]}" -hg_ksp_type richardson -hg_fpm_step 100
reproduces gd_itd 2.587055360273662e+00 6.129052943446154e-06 3.87129547686931912e-07 2.28989221371601944e-08 -- -hg_type itd

# at lambda_j = sin(j)
awk 'BEGIN { for (j = 0; j < 101631; j++) printf "%.17g\n", sin(j) }' >sin.txt
data+=(-blp_lambda_file sin.txt)
reproduces hb_cg 2.071627353902206e+00 5.827147742831292e-04 -- "${ball[@]}" "${k10[@]}"
reproduces hb_fp 2.071627353902206e+00 1.579105442017115e-04 -- "${ball[@]}" "${k10[@]}" -hg_ksp_type richardson \
  -hg_fpm_type heavyball -hg_fpm_step 100 -hg_fpm_momentum 0.9
reproduces hb_itd 2.071627353902206e+00 5.639779465154146e-05 -- "${ball[@]}" -hg_type itd
reproduces gd_itd_truncated5 2.587077214986339e+00 7.372712892267745e-06 -- -hg_type itd -hg_itd_truncate 5

# the second upper step, from the first's (w, w_prev)
launch 2 solve "${data[@]}" -lls_max_it 10 -lls_fpm_step 100 "${ball[@]}" "${k10[@]}" -lls_warm_start -uls_step 100 \
  -uls_max_it 2 -hg_view_gradient binary:warm_hb_cg.bin -output_dir warm >log/warm 2>log/err || fail "warm_hb_cg" log/err
is "warm_hb_cg: f" 1.659493690057735e+00 "$(awk -F, '$1 == "1" { print $2 }' warm/history.csv)"
is "warm_hb_cg: norm" 9.305191384300994e-04 "$(awk -F, '$1 == "1" { print $3 }' warm/history.csv)"
vector warm_hb_cg

[ -d "$reference" ] || echo "realdata: no ../shared/reference: f and norms were compared, whole vectors were not" >&2
finish
