#!/usr/bin/env bash
# Checkpoints: how many are kept and how often they are written, and that a run goes on from the newest that is whole,
# whatever became of the others.
# shellcheck source=common.sh
# shellcheck disable=SC2317 # functions that pool runs
. "$(dirname "$0")/common.sh"

samples 60 1 20 >train.svm
samples 45 2 20 >val.svm
files=(-blp_train train.svm -blp_val val.svm)
data=("${files[@]}" -lls_max_it 5 -lls_warm_start -uls_step 5 -uls_momentum 0.5 -quiet)

run() { # RANKS DIR OPTIONS...
  local ranks=$1 dir=$2
  shift 2
  launch "$ranks" solve "${data[@]}" -output_dir "$dir" "$@" >log/out."$dir" 2>log/err."$dir" ||
    fail "$dir: exit code $?" log/err."$dir"
}
numbers() { cut -d, -f1-10,14 "$1/history.csv"; }
steps() { find "$1/checkpoint" -name 'step-*.h5' -printf '%f ' | tr ' ' '\n' | sort | tr -cd '0-9\n' | sed 's/^0*\(.*\)5$/\1/' | xargs; }

# ------------------------------------------------------------------ how many, how often
run 2 kept -uls_max_it 7 -checkpoint_every 2
check "not the newest two: $(steps kept)" test "$(steps kept)" = "6 7"
run 0 four -uls_max_it 7 -checkpoint_every 1it -checkpoint_keep 4
check "not the newest four: $(steps four)" test "$(steps four)" = "4 5 6 7"
run 0 last -uls_max_it 7 -checkpoint_every 0 -checkpoint_keep 9
check "not the last alone: $(steps last)" test "$(steps last)" = "7"
run 2 often -uls_max_it 7 -checkpoint_every 1e-9s -checkpoint_keep 9 # a clock that always says it is time
check "not each: $(steps often)" test "$(steps often)" = "1 2 3 4 5 6 7"
run 0 seldom -uls_max_it 7 -checkpoint_every 2h -checkpoint_keep 9
check "not the last alone: $(steps seldom)" test "$(steps seldom)" = "7"

# ------------------------------------------------------------------ damage
run 0 whole -uls_max_it 9
run 0 part -uls_max_it 6 -checkpoint_every 1 -checkpoint_keep 3
newest=checkpoint/step-00000006.h5
bytes=$(stat -c %s "part/$newest")
# flip OFFSET: another bit of that byte
flip() { # FILE OFFSET
  local byte
  byte=$(od -An -tu1 -j "$2" -N 1 "$1")
  printf '%b' "\\x$(printf %02x $((byte ^ (1 << (RANDOM % 8)))))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}
damaged() { # RANKS NAME: goes on from step 5 and ends as if nothing had happened
  local ranks=$1 name=$2
  run "$ranks" "$name" -uls_max_it 9 -resume
  check "$name: the damage is not told" grep -q "$name/$newest is damaged, and now .*damaged: " "log/out.$name"
  check "$name: not resumed at step 5" grep -q '"resumed_at": 5,' "$name/summary.json"
  check "$name: the damaged file is not kept" test -e "$name/$newest.damaged"
  if [ "$ranks" = 0 ]; then check "$name: another history" cmp -s <(numbers "$name") <(numbers whole); fi
}
RANDOM=7
for k in 0 1 2 3 4 5 6 7; do
  cp -r part "flip$k"
  flip "flip$k/$newest" $((k * (bytes - 1) / 7)) # the first byte, the seal's last, and some between
  pool damaged $((k % 3 ? 0 : 2)) "flip$k"
done
for cut in 0 1 64 65 $((bytes / 2)) $((bytes - 1)); do # bytes that are left
  cp -r part "cut$cut"
  head -c "$cut" "part/$newest" >"cut$cut/$newest"
  pool damaged $((cut % 2 ? 0 : 2)) "cut$cut"
done
cp -r part longer
echo >>"longer/$newest"
pool damaged 0 longer
cp -r part aside # one that was being written when the run was killed
mv "aside/$newest" "aside/$newest.tmp"
run 0 aside -uls_max_it 9 -resume
check "not resumed at step 5" grep -q '"resumed_at": 5,' aside/summary.json
wait

# ------------------------------------------------------------------ options that contradict
on=(solve "${data[@]}" -output_dir part -resume -uls_max_it 7)
pool refused 2 64 "-uls_momentum 0.6|part/$newest|0.5|-blp_lambda_file" "${on[@]}" -uls_momentum 0.6
pool refused 0 64 "-lls_rtol 1e-3|without it|part/$newest" "${on[@]}" -lls_rtol 1e-3
pool refused 0 64 "-resume|-uls_step 5, which is missing|part/$newest" solve "${files[@]}" -lls_max_it 5 -lls_warm_start \
  -uls_momentum 0.5 -output_dir part -resume -uls_max_it 7
cp train.svm moved.svm # the same samples elsewhere, numbers written otherwise, limits and output
cp -r part other
run 2 other -blp_train moved.svm -uls_momentum 5e-1 -uls_max_it 7 -checkpoint_every 3s -uls_eval_every 1 -resume
check "not resumed at step 6" grep -q '"resumed_at": 6,' other/summary.json
wait

# ------------------------------------------------------------------ nothing left that is whole
cp -r part lost
for file in lost/checkpoint/step-*.h5; do flip "$file" 1000; done
pool refused 2 65 "-resume: no checkpoint is whole|lost/$newest|checksum" solve "${data[@]}" -output_dir lost -resume -uls_max_it 9
finish
