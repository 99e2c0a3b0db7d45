#!/usr/bin/env bash
# twofold predict: from a user's own files over solve to predictions, on any number of ranks; labels as they were
# given; files that do not fit; and the Python script of the README, which reads the results.
# shellcheck source=common.sh
# shellcheck disable=SC2317,SC2016 # functions that pool runs; code of awk and sed
. "$(dirname "$0")/common.sh"

how=(-lls_max_it 10 -lls_fpm_step 1 -uls_step 5 -uls_max_it 2 -quiet)
python=
for candidate in python3 /usr/bin/python3; do
  "$candidate" -c 'import h5py, numpy' 2>/dev/null && python=$candidate && break
done

# labelled N SEED P LABEL...: samples whose classes 0, 1, 2 are called so
labelled() {
  local n=$1 seed=$2 p=$3
  shift 3
  samples "$n" "$seed" "$p" | awk -v names="$*" '{ split(names, name, " "); $1 = name[$1 % split(names, name, " ") + 1] } 1'
}
solve() { # DIR TRAIN VAL OPTIONS...
  local dir=$1 train=$2 val=$3
  shift 3
  launch 2 solve -blp_train "$train" -blp_val "$val" "${how[@]}" -output_dir "$dir" "$@" >log/solve."$dir" 2>&1 ||
    fail "solve $dir" log/solve."$dir"
}
predict() { # RANKS MODEL INPUT OUTPUT OPTIONS...: what it prints is left in OUTPUT.log
  local ranks=$1 model=$2 input=$3 output=$4
  shift 4
  launch "$ranks" predict -predict_model "$model" -data_input "$input" -predict_output "$output" "$@" >"$output.log" \
    2>log/err."$output" || fail "predict $output: exit code $?" log/err."$output"
}
says() { # FILE WORDS: a line holds the words
  echo >>log/checks
  grep -qF -e "$2" "$1" || fail "$1 does not say '$2'" "$1"
}
summary() { # DIR KEY: of the validation samples
  sed -n '/"val"/,/}/p' "$1/summary.json" | sed -n 's/.*"'"$2"'": \([-0-9.e+]*\).*/\1/p'
}
printed() { awk -v key="$1" '$1 == key { print $2 }' "$2"; }
close() { # WHAT A B
  echo >>log/checks
  awk -v a="$2" -v b="$3" 'BEGIN { exit !(a != "" && b != "" && (a - b) ^ 2 <= (1e-12 * a) ^ 2) }' || fail "$1: $2 and $3"
}

# ------------------------------------------------------------------ labels come back as they were given
labels() { # NAME OPTIONS... -- LABEL...
  local name=$1 ranks options=()
  shift
  while [ "$1" != -- ]; do options+=("$1") && shift; done
  shift
  labelled 60 1 20 "$@" >"$name.train"
  labelled 45 2 20 "$@" >"$name.val"
  solve "$name" "$name.train" "$name.val" "${options[@]}"
  for ranks in 0 1 3; do
    predict "$ranks" "$name/solution.h5" "$name.val" "$name.$ranks.csv"
    check "$name: not a line each sample and one more" test "$(wc -l <"$name.$ranks.csv")" = 46
    cmp -s "$name.$ranks.csv" "$name.0.csv" || fail "$name: predictions differ on $ranks ranks" "$name.$ranks.csv"
    close "$name: accuracy" "$(summary "$name" accuracy)" "$(printed accuracy "$name.$ranks.csv.log")"
    close "$name: cross-entropy" "$(summary "$name" loss)" "$(printed cross-entropy "$name.$ranks.csv.log")"
  done
  check "$name: a label of no class" test -z "$(tail -n +2 "$name.0.csv" | grep -vxF -e "$(printf '%s\n' "$@")")"
  # the accuracy once more, from the lines themselves
  close "$name: accuracy by hand" "$(printed accuracy "$name.0.csv.log")" \
    "$(paste -d' ' <(cut -d' ' -f1 "$name.val") <(tail -n +2 "$name.0.csv") | awk '{ n += $1 == $2 } END { printf "%.15g", n / NR }')"
}
pool labels signs -- -1 1
pool labels tens -blp_bias -- 10 20 30
pool labels ties -blp_lambda_tie class -blp_bias -- 3 2 1
pool labels one -blp_lambda_tie scalar -- 1 2
pool labels half -data_scale standard -blp_bias -- 0.5 -2 1000000
wait
check "files left aside" test -z "$(find . -name '*.tmp')"
says tens.0.csv.log "label \ predicted"
check "the header is not label" test "$(head -n 1 tens.0.csv)" = label

# ------------------------------------------------------------------ probabilities
probabilities() {
  local ranks
  for ranks in 0 3; do predict "$ranks" tens/solution.h5 tens.val "p$ranks.csv" -predict_probabilities; done
  check "header of probabilities" test "$(head -n 1 p0.csv)" = "label,p(10),p(20),p(30)"
  check "probabilities" awk -F, '
    NR > 1 { top = 2; for (k = 3; k <= 4; k++) if ($k > $top) top = k
             s = $2 + $3 + $4; if (NF != 4 || (s - 1) ^ 2 > 1e-16 || $1 != 10 * (top - 1)) exit 1 }' p0.csv
  check "probabilities on 3 ranks" awk -F, '
    NR == FNR { for (k = 1; k <= NF; k++) a[FNR, k] = $k; next }
    FNR > 1 { for (k = 1; k <= NF; k++) if ((a[FNR, k] - $k) ^ 2 > 1e-17) exit 1 }' p0.csv p3.csv
  predict 3 tens/solution.h5 tens.val p.h5 -predict_probabilities
}
pool probabilities

# ------------------------------------------------------------------ samples that do not fit
misfits() {
  awk '{ print (NR % 9 ? $0 : "7" substr($0, 3)) }' tens.val >unknown.svm
  predict 2 tens/solution.h5 unknown.svm unknown.csv
  says unknown.csv.log "unknown labels         5 of 45 samples"
  says unknown.csv.log "of 40 samples)"
  cmp -s unknown.csv tens.0.csv || fail "labels change predictions" unknown.csv
  cut -d' ' -f2- tens.val | sed 's/^/0 /' >unlabelled.svm
  predict 2 tens/solution.h5 unlabelled.svm unlabelled.csv
  says unlabelled.csv.log "unknown labels         45 of 45 samples"
  check "an accuracy without labels" test -z "$(printed accuracy unlabelled.csv.log)"
  sed 's/$/ 25:1 30:2/' tens.val >more.svm
  predict 3 tens/solution.h5 more.svm more.csv
  says more.csv.log "left out               90 entries of 45 samples"
  cmp -s more.csv tens.0.csv || fail "unseen features change predictions" more.csv
  sed 's/ \(1[5-9]\|20\):[^ ]*//g' tens.val >fewer.svm
  sed 's/$/ 20:0/' fewer.svm >padded.svm
  predict 3 tens/solution.h5 fewer.svm fewer.csv
  predict 0 tens/solution.h5 padded.svm padded.csv
  cmp -s fewer.csv padded.csv || fail "missing features are not zero" fewer.csv padded.csv
}
pool misfits

# a format of fixed width must have the model's; labels of another format are the same classes
formats() {
  accepted 0 data -data_input tens.val -data_output tens.bin
  predict 2 tens/solution.h5 tens.bin tens.bin.csv
  cmp -s tens.bin.csv tens.0.csv || fail "PETSc binary gives other predictions" tens.bin.csv
  accepted 0 data -data_input more.svm -data_output more.bin
  refused 2 65 "30 features|20" predict -predict_model tens/solution.h5 -data_input more.bin
  awk '{ printf "%s", $1; for (j = 1; j <= 20; j++) v[j] = 0
         for (i = 2; i <= NF; i++) { split($i, e, ":"); v[e[1]] = e[2] }
         for (j = 1; j <= 20; j++) printf ",%s", v[j]; printf "\n" }' tens.val | sed '1i kind'"$(seq -s, -f 'f%g' 0 20 | sed 's/^f0//')" >tens.csv
  solve csv tens.csv tens.csv -data_label kind
  predict 0 csv/solution.h5 tens.csv csv.csv
  close "csv: accuracy" "$(summary csv accuracy)" "$(printed accuracy csv.csv.log)"
  sed '2,$ { s/^10,/"red, dark",/; s/^20,/green,/; s/^30,/blue,/ }' tens.csv >names.csv
  solve names names.csv names.csv -data_label kind
  predict 3 names/solution.h5 names.csv names.out.csv -predict_probabilities
  check "header with names" test "$(head -n 1 names.out.csv)" = 'label,p(blue),p(green),"p(red, dark)"'
  close "names: accuracy" "$(summary csv accuracy)" "$(printed accuracy names.out.csv.log)"
}

# the index base is the model's: here no line of the new samples has an index 0
bases() {
  sed 's/ 1:/ 0:/' tens.train >base.train
  sed 's/ 1:/ 0:/' tens.val >base.val
  sed 's/ 0:[^ ]*//' base.val >base.svm
  solve base base.train base.val
  predict 0 base/solution.h5 base.svm base.csv
  predict 2 base/solution.h5 base.svm base0.csv -data_index_base 0
  cmp -s base.csv base0.csv || fail "the index base is not the model's" base.csv base0.csv
}
wait
pool formats
pool bases

# ------------------------------------------------------------------ hypergrad writes a model too
single() {
  launch 0 hypergrad -blp_train tens.train -blp_val tens.val -lls_max_it 5 -quiet -output_dir single >/dev/null || fail "hypergrad"
  predict 2 single/solution.h5 tens.val single.csv
}
pool single

# ------------------------------------------------------------------ refused
head -c 3000 tens/solution.h5 >cut.h5
mkdir corpus corpus/10
printf 'Header: x\n\nwords of a document\n' >corpus/10/1
no() { # RANKS CODE WORDS MODEL OPTIONS...
  local ranks=$1 code=$2 words=$3 model=$4
  shift 4
  refused "$ranks" "$code" "$words" predict -predict_model "$model" "$@"
}
for ranks in 0 2; do
  pool no "$ranks" 66 "cannot read none.h5" none.h5 -data_input tens.val
  pool no "$ranks" 66 "cannot read none.svm" tens/solution.h5 -data_input none.svm
  pool no "$ranks" 65 "cut.h5|cut short" cut.h5 -data_input tens.val
  pool no "$ranks" 65 "tens.val|not an HDF5 file" tens.val -data_input tens.val
  pool no "$ranks" 65 "step-00000002.h5 is not a model|solution.h5" tens/checkpoint/step-*.h5 -data_input tens.val
  pool no "$ranks" 65 "corpus|no vocabulary|svmlight" tens/solution.h5 -data_input corpus
done
pool no 0 64 "no data: give -data_input" tens/solution.h5
pool no 0 64 "-predict_probabilities|-predict_output" tens/solution.h5 -data_input tens.val -predict_probabilities
pool no 0 64 "-predict_output nowhere/p.csv" tens/solution.h5 -data_input tens.val -predict_output nowhere/p.csv
pool no 0 64 "-data_scale is not used|a model knows its scaling" tens/solution.h5 -data_input tens.val -data_scale unit
pool refused 0 64 "no model: give -predict_model" predict -data_input tens.val
pool refused 0 64 "-predict_model is not used|twofold predict" data -data_input tens.val -predict_model tens/solution.h5
wait
if [ -n "$python" ]; then
  "$python" - <<'END'
import h5py, numpy, shutil
def change(name, what):
    shutil.copy("tens/solution.h5", name)
    with h5py.File(name, "r+") as f:
        what(f)
change("other.h5", lambda f: f["model"].attrs.__setitem__("problem", numpy.bytes_("ridge")))
change("newer.h5", lambda f: f["model"].attrs.__setitem__("layout", 2))
change("lacks.h5", lambda f: f["model"].attrs.__delitem__("bias"))
change("now.h5", lambda f: f.__delitem__("w"))
change("wide.h5", lambda f: f["model"].attrs.__setitem__("features", 21))
change("few.h5", lambda f: f["model"].attrs.__setitem__("classes", 2))
END
  pool no 2 65 "other.h5 is a model of problem 'ridge'|softmax" other.h5 -data_input tens.val
  pool no 2 65 "layout 2" newer.h5 -data_input tens.val
  pool no 2 65 "lacks.h5|model/bias|damaged" lacks.h5 -data_input tens.val
  pool no 2 65 "now.h5|'w'" now.h5 -data_input tens.val
  pool no 2 65 "wide.h5|63 numbers|66 entries" wide.h5 -data_input tens.val
  pool no 2 65 "few.h5|class_value" few.h5 -data_input tens.val
fi

# ------------------------------------------------------------------ the script of the README
script() { # FILE: its block of Python
  sed -n '/^```python$/,/^```$/p' "$1" | grep -v '^```'
}
readme() {
  script "$here/../../README.md" >script.py
  check "no script in the README" test -s script.py
  cmp -s script.py <(script "$here/../../docs/manual.md") || fail "the manual has another script than the README"
  mkdir run1
  cp tens/solution.h5 run1
  launch 2 hypergrad -blp_train tens.train -blp_val tens.val -blp_bias -lls_max_it 5 -quiet \
    -hg_view_gradient binary:gradient.bin >log/gradient || fail "hypergrad for the script"
  cat script.py - >whole.py <<'END'
assert lam.shape == (20,) and w.shape == (21, 3) and classes == [10, 20, 30], (lam.shape, w.shape, classes)
assert gradient.shape == (20,)
print("norm %.15e" % numpy.linalg.norm(gradient))
X = numpy.zeros((45, 21))
X[:, 20] = 1
for i, line in enumerate(open("tens.val")):
    for entry in line.split()[1:]:
        X[i, int(entry.split(":")[0]) - 1] = float(entry.split(":")[1])
Z = numpy.exp(X @ w)
P = Z / Z.sum(axis=1, keepdims=True)
written = numpy.loadtxt("p0.csv", delimiter=",", skiprows=1)
assert numpy.abs(written[:, 1:] - P).max() < 1e-8, numpy.abs(written[:, 1:] - P).max()
with h5py.File("p.h5") as f:
    assert (f["label"][:] == written[:, 0]).all() and list(f["classes/value"]) == classes
    assert numpy.abs(f["probability"][:] - P).max() < 1e-12
with h5py.File("names/solution.h5") as f:
    assert list(f["model/class_name"]) == [b"blue", b"green", b"red, dark"]
END
  "$python" whole.py >log/script 2>&1 || fail "the script of the README" log/script
  close "norm of the gradient read by the script" "$(awk '/^hypergradient norm/ { print $3 }' log/gradient)" \
    "$(awk '$1 == "norm" { print $2 }' log/script)"
}
if [ -n "$python" ]; then
  readme
else
  echo "predict: python3 has no h5py: the script of the README and damaged models were not tried" >&2
fi
finish
