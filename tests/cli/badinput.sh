#!/usr/bin/env bash
# Bad data and files: each run ends with the right exit code and one message that names the file, and where there
# is one the line and the way out. Nothing hangs, on any number of ranks.
# shellcheck source=common.sh
# shellcheck disable=SC2317 # functions that pool runs
. "$(dirname "$0")/common.sh"

samples 30 1 >train.svm
samples 30 2 >val.svm
good=(-blp_train train.svm -blp_val val.svm)
run=(hypergrad -quiet -lls_max_it 3)

# bad CODE WORDS OPTIONS...: without mpirun; bad2: on two ranks, bad3: on three
bad() { pool refused 0 "$1" "$2" "${run[@]}" "${@:3}"; }
bad2() { pool refused 2 "$1" "$2" "${run[@]}" "${@:3}"; }
bad3() { pool refused 3 "$1" "$2" "${run[@]}" "${@:3}"; }

# ------------------------------------------------------------------ files that are not there
bad 66 "cannot read missing.svm" -blp_train missing.svm -blp_val val.svm
bad 66 "cannot read missing.svm" -blp_train train.svm -blp_val missing.svm
bad 66 "cannot read missing.svm" "${good[@]}" -blp_test missing.svm
bad 66 "cannot read missing" -blp_data missing
bad 66 "cannot read missing.txt" "${good[@]}" -blp_lambda_file missing.txt
bad 66 "cannot read missing.bin" "${good[@]}" -blp_lambda_file missing.bin
bad 66 "cannot read missing.h5" "${good[@]}" -blp_lambda_file missing.h5
bad 64 "no data|-blp_train FILE|-blp_data FILE" -blp_train train.svm
bad 64 "no data|-blp_train FILE|-blp_data FILE"
bad2 66 "cannot read missing.svm" -blp_train missing.svm -blp_val val.svm
pool refused 0 66 "cannot read missing.svm" data -data_input missing.svm
pool refused 0 64 "no data|-data_input FILE" data

# ------------------------------------------------------------------ SVMLight
svm() { # NAME LINE...: writes NAME.svm
  local name=$1
  shift
  printf '%s\n' "$@" >"$name.svm"
}
svm word "1 1:1" "0 2:1 3:x"
svm index "1 1:1" "0 2:1 b:3"
svm negative "1 1:1" "0 -2:1"
svm nan "1 1:1" "0 2:nan"
svm inf "1 1:1" "0 2:1e999"
svm order "1 1:1" "0 3:1 2:1"
svm twice "1 1:1" "0 3:1 3:1"
svm colon "1 1:1" "0 3"
svm label "1 1:1" "cat 3:1"
svm zero "1 0:1" "0 2:1"
svm large "1 1:1" "0 99999999999999999999:1"
bad 65 "word.svm:2: '3:x'|finite number" -blp_train word.svm -blp_val val.svm
bad 65 "index.svm:2: 'b:3'|whole number" -blp_train index.svm -blp_val val.svm
bad 65 "negative.svm:2: '-2:1'|whole number" -blp_train negative.svm -blp_val val.svm
bad 65 "nan.svm:2: '2:nan'|finite number" -blp_train nan.svm -blp_val val.svm
bad 65 "inf.svm:2: '2:1e999'|finite number" -blp_train inf.svm -blp_val val.svm
bad 65 "order.svm:2: '2:1'|index 3|sort" -blp_train order.svm -blp_val val.svm
bad 65 "twice.svm:2: '3:1'|index 3|once" -blp_train twice.svm -blp_val val.svm
bad 65 "colon.svm:2: '3'|no colon" -blp_train colon.svm -blp_val val.svm
bad 65 "label.svm:2: 'cat'|label" -blp_train label.svm -blp_val val.svm
bad 65 "zero.svm:1: '0:1'|-data_index_base 0" -blp_train zero.svm -blp_val zero.svm -data_index_base 1
bad 65 "large.svm:2: '99999999999999999999:1'|too large" -blp_train large.svm -blp_val val.svm
bad 65 "label.svm:2" "${good[@]}" -blp_test label.svm
{
  samples 400 3
  echo "1 1:1 2:1e"
} >late.svm # the fault lies on the last rank only
bad3 65 "late.svm:401: '2:1e'|finite number" -blp_train late.svm -blp_val val.svm
: >empty.svm
printf '# nothing\n\n' >comments.svm
bad 65 "empty.svm holds no samples" -blp_train empty.svm -blp_val val.svm
bad 65 "comments.svm holds no samples" -blp_train train.svm -blp_val comments.svm
bad2 65 "empty.svm holds no samples" -blp_train empty.svm -blp_val val.svm

# what is unusual but right: labels alone, lines longer than any block that is read, no end of line, CR LF
{
  cat train.svm
  echo 1
  echo "2 # no features"
} >alone.svm
{
  cat train.svm
  awk 'BEGIN { printf "1"; for (j = 1; j <= 40000; j++) printf " %d:1.5", j; printf "\n0 1:1 40000:2\n" }'
} >long.svm
sed 's/$/\r/' train.svm >crlf.svm
head -c -1 train.svm >open.svm
pool accepted 0 "${run[@]}" -blp_train alone.svm -blp_val val.svm
pool accepted 3 "${run[@]}" -blp_train long.svm -blp_val val.svm
pool accepted 0 "${run[@]}" -blp_train crlf.svm -blp_val open.svm
svm trailing "0 1:1" "1 2:1" "2 3:1"
pool accepted 0 "${run[@]}" -blp_train train.svm -blp_val trailing.svm
pool accepted 0 "${run[@]}" -blp_train trailing.svm -blp_val val.svm

# ------------------------------------------------------------------ sets that do not fit
svm one "1 1:1" "1 2:1"
svm other "1 1:1" "7 2:1"
bad 65 "one.svm has 1 class|at least two" -blp_train one.svm -blp_val one.svm
bad 65 "label 7|other.svm|3 classes|train.svm" -blp_train train.svm -blp_val other.svm
bad2 65 "label 7|other.svm|3 classes|train.svm" -blp_train train.svm -blp_val other.svm
convert() { launch 0 data -quiet -data_input "$1" -data_output "$2" >/dev/null || fail "data -data_input $1"; }
svm narrow "0 1:1" "1 2:1" "2 5:1"
convert train.svm train.bin
convert narrow.svm narrow.bin
head -c 100 train.bin >short.bin
bad 65 "narrow.bin has 5 features|8" -blp_train train.bin -blp_val narrow.bin
bad2 65 "narrow.bin has 5 features|8" -blp_train train.bin -blp_val narrow.bin
bad 65 "short.bin" -blp_train short.bin -blp_val val.svm
bad 64 "-data_features 20|train.bin|8" -blp_train train.bin -blp_val train.bin -data_features 20
bad 65 "train.svm|PETSc" "${good[@]}" -data_format binary
bad 65 "train.svm" "${good[@]}" -data_format idx

# ------------------------------------------------------------------ IDX: two images of 2 x 2
printf '\0\0\010\003\0\0\0\002\0\0\0\002\0\0\0\002abcdefgh' >images-idx3
printf '\0\0\010\001\0\0\0\002\0\001' >labels-idx1
head -c 21 images-idx3 >cut-images-idx3
cp labels-idx1 cut-labels-idx1
cp images-idx3 few-images-idx3
printf '\0\0\010\001\0\0\0\001\0' >few-labels-idx1
gzip -c images-idx3 | head -c 30 >gz-images-idx3
cp labels-idx1 gz-labels-idx1
cp images-idx3 pictures
cp images-idx3 lone-images-idx3
idx() { echo -blp_train "$1" -blp_val "$1"; }
# shellcheck disable=SC2046 # options and values
{
  pool accepted 0 "${run[@]}" $(idx images-idx3)
  bad 65 "cut-images-idx3 has 21 bytes|24" $(idx cut-images-idx3)
  bad3 65 "cut-images-idx3 has 21 bytes|24" $(idx cut-images-idx3)
  bad 65 "few-images-idx3 has 2 images|few-labels-idx1 has 1" $(idx few-images-idx3)
  bad 65 "gz-images-idx3" $(idx gz-images-idx3)
  bad 65 "pictures|-data_labels" $(idx pictures)
  bad 66 "lone-labels-idx1" $(idx lone-images-idx3)
}

# ------------------------------------------------------------------ text corpora
mkdir -p empty none/a none/b lonely/a
echo "Subject: x

some words stand here" >lonely/a/1
bad 65 "corpus empty|class folders" -blp_data empty
bad 65 "corpus none|documents" -blp_data none
bad 65 "lonely|too few" -blp_data lonely -blp_split 0.5,0.5
bad 64 "-blp_train lonely|text corpus|-blp_data" -blp_train lonely -blp_val lonely
bad2 65 "corpus none|documents" -blp_data none

# ------------------------------------------------------------------ a rank that fails alone takes the others down
alone() {
  local got err=log/alone
  echo >>log/checks
  timeout -k 5 "$limit" "${mpirun[@]}" -n 1 "$twofold" "${run[@]}" "${good[@]}" : \
    -n 1 "$twofold" "${run[@]}" "${good[@]}" -lls_max_it abc : -n 1 "$twofold" "${run[@]}" "${good[@]}" >log/out.alone 2>"$err"
  got=$?
  [ "$got" = 64 ] || fail "exit code $got of a rank that fails alone" "$err"
  check "no message of the rank that failed alone" grep -q '^twofold: error on rank 1: -lls_max_it abc:' "$err"
  check "the ranks that waited for it have something to say" test "$(grep -c '^twofold: error' "$err")" = 1
}
pool alone

# ------------------------------------------------------------------ splits
bad 64 "-blp_split bydate|train.svm" -blp_data train.svm -blp_split bydate
bad 64 "-blp_split half|third" -blp_data train.svm -blp_split half
bad 64 "-blp_split 0.9,0.9|sum" -blp_data train.svm -blp_split 0.9,0.9
bad 64 "-blp_split 0.5|validation" -blp_data train.svm -blp_split 0.5
head -n 2 train.svm >two.svm
bad 65 "-blp_split third|two.svm|too few" -blp_data two.svm

# ------------------------------------------------------------------ lambda
seq 5 >short.txt
{
  seq 7
  echo x
} >word.txt
{
  seq 7
  echo nan
} >nan.txt
seq 8 >right.txt
printf '1\n2\n\n# c\n3 \n4\n5\n6\n7\n8' >gaps.txt
bad 65 "short.txt holds 5 numbers|8" "${good[@]}" -blp_lambda_file short.txt
bad2 65 "short.txt holds 5 numbers|8" "${good[@]}" -blp_lambda_file short.txt
bad 65 "word.txt:8: 'x'|one number a line" "${good[@]}" -blp_lambda_file word.txt
bad 65 "nan.txt:8: 'nan'" "${good[@]}" -blp_lambda_file nan.txt
bad 65 "train.bin holds a Mat" "${good[@]}" -blp_lambda_file train.bin
bad 65 "train.svm is not a PETSc binary file" "${good[@]}" -blp_lambda_file train.svm
cp train.svm train.h5
bad 65 "train.h5 is not an HDF5 file" "${good[@]}" -blp_lambda_file train.h5
pool accepted 0 "${run[@]}" "${good[@]}" -blp_lambda_file right.txt
pool accepted 2 "${run[@]}" "${good[@]}" -blp_lambda_file gaps.txt

# ------------------------------------------------------------------ the run directory
solve=(solve "${good[@]}" -quiet -lls_max_it 3 -uls_max_it 1)
launch 0 "${solve[@]}" -output_dir made >/dev/null || fail "no run directory to test with"
cp -r made lost
rm -r lost/checkpoint
cp -r made broken
rm broken/checkpoint/*
head -c 1000 made/checkpoint/step-00000001.h5 >broken/checkpoint/step-00000001.h5
pool refused 0 64 "-output_dir made already holds a run|-resume|another directory" "${solve[@]}" -output_dir made
pool refused 2 64 "-output_dir made already holds a run|-resume|another directory" "${solve[@]}" -output_dir made
pool refused 0 64 "-output_dir lost already holds a run: name another" "${solve[@]}" -output_dir lost
bad 64 "-output_dir made already holds a run: name another" "${good[@]}" -output_dir made
pool refused 0 66 "-resume: there is no checkpoint in new/checkpoint|leave -resume out" "${solve[@]}" -output_dir new -resume
pool refused 2 66 "-resume: there is no checkpoint in lost/checkpoint|another directory" "${solve[@]}" -output_dir lost -resume
pool refused 0 65 "no checkpoint is whole|broken/checkpoint/step-00000001.h5|cut off" "${solve[@]}" -output_dir broken -resume
pool refused 0 64 "-uls_max_it 0|made/checkpoint/step-00000001.h5|step 1" "${solve[@]}" -output_dir made -resume -uls_max_it 0
pool refused 0 64 "-uls_momentum 0.5|without it" "${solve[@]}" -output_dir made -resume -uls_max_it 2 -uls_momentum 0.5
svm wide "0 1:1" "1 2:1" "2 11:1"
pool refused 0 65 "made/checkpoint/step-00000001.h5 holds 8 numbers|11" "${solve[@]}" -blp_train wide.svm -output_dir made \
  -resume -uls_max_it 2
pool refused 0 64 "-output_dir train.svm/x|Not a directory" "${solve[@]}" -output_dir train.svm/x
pool refused 2 64 "-output_dir /proc/x" "${solve[@]}" -output_dir /proc/x
if [ "$(id -u)" != 0 ]; then # root may write anywhere
  mkdir -m 555 locked
  pool refused 0 64 "-output_dir locked|Permission denied" "${solve[@]}" -output_dir locked
  pool refused 0 74 "locked/x.svm" data -data_input train.svm -data_output locked/x.svm
fi
pool refused 0 74 "nofolder/x.svm" data -data_input train.svm -data_output nofolder/x.svm
pool refused 0 74 "nofolder/x.bin" data -data_input train.svm -data_output nofolder/x.bin
wait
check "a refused resume changed the run directory" cmp -s made/options.opts lost/options.opts
check "a refused resume made a directory" test ! -e new
finish
