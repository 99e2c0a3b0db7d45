#!/usr/bin/env bash
# twofold data: what it says about a data set, conversions there and back, splits; on any number of ranks.
# shellcheck source=common.sh
# shellcheck disable=SC2317 # functions that pool runs
. "$(dirname "$0")/common.sh"

samples 30 1 >train.svm
printf '2 # no features\n1 3:0.1 9:1e-300\n0 1:-123456789.125 2:3.0000000000000004\n' >>train.svm

convert() { # RANKS INPUT OUTPUT [OPTIONS...]
  local ranks=$1 input=$2 output=$3
  shift 3
  launch "$ranks" data -quiet -data_input "$input" -data_output "$output" "$@" >log/out."$BASHPID" 2>&1 ||
    fail "data $input -> $output on $ranks ranks" log/out."$BASHPID"
}
same_file() { check "$1 and $2 differ" cmp -s "$1" "$2"; }
lines() { check "$1 has not $2 lines" test "$(wc -l <"$1")" = "$2"; }

# ------------------------------------------------------------------ there and back
there_and_back() {
  local ranks=$1 d=back$1
  mkdir "$d"
  convert "$ranks" train.svm "$d/direct.svm"
  convert "$ranks" train.svm "$d/there.bin"
  convert "$ranks" "$d/there.bin" "$d/back.svm"
  convert "$ranks" "$d/back.svm" "$d/again.bin"
  same_file "$d/direct.svm" "$d/back.svm"
  same_file "$d/there.bin" "$d/again.bin"
}
for ranks in 0 2 3; do pool there_and_back "$ranks"; done
wait
for ranks in 2 3; do
  same_file "back$ranks/back.svm" back0/back.svm
  same_file "back$ranks/there.bin" back0/there.bin
done
# each word says the same as in the file it came from: numbers print the same, also with all their digits
words() { sed 's/ *#.*//' "$1" | tr -s ' ' '\n' | awk -F: '{ if (NF == 2) printf "%s:%.17g\n", $1, $2; else print $1 + 0 }'; }
check "a number changed on the way" cmp -s <(words train.svm) <(words back0/back.svm)
sed 's/ \([0-9]*\):/ \1:/; s/#.*//' train.svm | awk '
  { printf "%s", $1; for (i = 2; i <= NF; i++) { split($i, e, ":"); printf " %d:%s", e[1] - 1, e[2] } printf "\n" }' >zero.svm
convert 0 zero.svm zero-based.svm # indices that begin with 0
same_file zero-based.svm back0/direct.svm

# ------------------------------------------------------------------ what it says
said() { # WHAT WANTED TEXT
  echo >>log/checks
  [ "$2" = "$3" ] && return
  echo "$2" >log/wanted."$BASHPID"
  echo "$3" >log/got."$BASHPID"
  fail "$1" log/wanted."$BASHPID" log/got."$BASHPID"
}
printf '3 1:1 4:2\n-1 2:1\n3 # none\n3 1:1 2:1 3:1 4:1\n' >four.svm
four='data set four.svm (svmlight)
  samples: 4 (1 without a feature)
  features: 4
  nonzeros: 7 (43.75 % dense)
  classes: 2
    -1                           1
    3                            3'
for ranks in 0 2; do said "summary on $ranks ranks" "$four" "$(launch "$ranks" data -data_input four.svm -quiet 2>&1)"; done
text=$(launch 0 data -data_input four.svm -data_features 6 -data_output six.svm 2>&1)
said "features at least" "  features: 6" "$(grep features: <<<"$text")"
said "a line for the file written" "wrote six.svm" "$(tail -n 1 <<<"$text")"
check "a line for the time" grep -q '^read in [0-9.]* s$' <<<"$text"

# ------------------------------------------------------------------ splits: parts of the whole, by the key alone
split() { # RANKS RULE NAME OPTIONS...
  local ranks=$1 rule=$2 name=$3
  shift 3
  convert "$ranks" back0/direct.svm "$name.svm" -data_split "$rule" "$@"
}
pool split 0 third third
pool split 3 third third3
pool split 0 third seeded -data_seed 1
pool split 0 0.5,0.25,0.25 fractions
pool split 0 0.5,0.5 halves
pool split 2 0.5,0.5 halves2
pool split 0 0.2,0.2,0.2 strata -data_stratified
wait
for part in train val test; do
  same_file "third.$part.svm" "third3.$part.svm"
  lines "third.$part.svm" 11
  lines "strata.$part.svm" 6
  check "strata.$part.svm has not 2 samples of each class" \
    test "$(cut -d ' ' -f1 "strata.$part.svm" | sort | uniq -c | awk '{ print $1 }' | tr '\n' ' ')" = "2 2 2 "
done
lines fractions.train.svm 16
lines halves.train.svm 16
same_file halves.val.svm halves2.val.svm
check "two fractions gave a third part" test ! -e halves.test.svm
check "the parts are not the whole" cmp -s <(sort third.*.svm) <(sort back0/direct.svm)
check "another key gave the same parts" test "$(cmp third.train.svm seeded.train.svm 2>&1)" != ""
text=$(launch 0 data -data_input train.svm -data_split 0.5,0.5 2>&1)
said "parts that are named" "part train:
part val:" "$(grep '^part' <<<"$text")"
check "a split without -data_output wrote something" test ! -e .train

# ------------------------------------------------------------------ a corpus of four documents
mkdir -p news/x-train/a news/x-train/b news/x-test/a news/x-test/b
printf 'From: me\nSubject: header\n\nbanana apple Apple a\n' >news/x-train/a/1
printf 'From: me\n\nJohn writes:\n> quoted words\ncherry banana\n--\nfooter words\n' >news/x-train/b/1
printf 'From: you\n\nbanana durian\n' >news/x-test/a/1
printf 'From: you\n\nnothing known\n' >news/x-test/b/2
corpus='0 1:0.8944271909999159 2:0.4472135954999579
1 2:0.7071067811865475 3:0.7071067811865475
0 2:1
1' # apple, banana, cherry: (2, 1, 0) and (0, 1, 1), scaled to unit length
for ranks in 0 3; do
  convert "$ranks" news "news$ranks.svm"
  said "corpus on $ranks ranks" "$corpus" "$(cat "news$ranks.svm")"
done
said "corpus summary" "data set news (text)
  samples: 4 (1 without a feature)
  features: 3
  nonzeros: 5 (41.67 % dense)
  classes: 2
    a                            2
    b                            2" "$(launch 0 data -quiet -data_input news 2>&1)"
convert 0 news dates.svm -data_split bydate
said "its training part" "$(head -n 2 <<<"$corpus")" "$(cat dates.train.svm)"
said "its test part" "$(tail -n 2 <<<"$corpus")" "$(cat dates.val.svm)"
convert 0 news weights.svm -text_weight tfidf
awk '{ s = 0; for (i = 2; i <= NF; i++) { split($i, e, ":"); s += e[2] ^ 2 } if (NF > 1 && (s - 1) ^ 2 > 1e-20) bad = 1 }
  NR == 2 { split($2, e, ":"); split($3, g, ":"); if ((g[2] / e[2] - (log(3 / 2) + 1)) ^ 2 > 1e-20) bad = 1 }
  END { exit bad }' weights.svm || fail "tfidf: not counts times ln((1 + n)/(1 + df)) + 1, scaled to unit length" weights.svm
finish
