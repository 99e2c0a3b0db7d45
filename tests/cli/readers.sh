#!/usr/bin/env bash
# Separated values, HDF5 and -data_scale through the program: what it says, exit codes, conversions there and back, and
# files that Python's h5py wrote (where it is installed) and Parkinson's data of UCI (where they are).
# shellcheck source=common.sh
# shellcheck disable=SC2317 # functions that pool runs
. "$(dirname "$0")/common.sh"

run=(hypergrad -quiet -lls_max_it 3)
bad() { pool refused 0 "$1" "$2" "${run[@]}" "${@:3}"; }
bad2() { pool refused 2 "$1" "$2" "${run[@]}" "${@:3}"; }
said() { # WHAT WANTED TEXT
  echo >>log/checks
  [ "$2" = "$3" ] && return
  echo "$2" >log/wanted."$BASHPID"
  echo "$3" >log/got."$BASHPID"
  fail "$1" log/wanted."$BASHPID" log/got."$BASHPID"
}
convert() { # RANKS INPUT OUTPUT [OPTIONS...]
  launch "$1" data -quiet -data_input "$2" -data_output "$3" "${@:4}" >log/out."$BASHPID" 2>&1 ||
    fail "data $2 -> $3 on $1 ranks" log/out."$BASHPID"
}
same_file() { check "$1 and $2 differ" cmp -s "$1" "$2"; }

# ------------------------------------------------------------------ separated values
printf 'id,"width, cm",height,kind\na,1,2,cat\nb,3,0,dog\nc,0.5,1e-3,cat\nd,2,2,dog\n' >pets.csv
drop=(-data_csv_drop id)
pets='data set pets.csv (csv)
  samples: 4 (0 without a feature)
  features: 2
  nonzeros: 7 (87.5 % dense)
  labels: column 4, kind
  classes: 2
    cat                          2
    dog                          2'
for ranks in 0 3; do
  said "pets on $ranks ranks" "$pets" "$(launch "$ranks" data -quiet -data_input pets.csv "${drop[@]}" 2>&1)"
  convert "$ranks" pets.csv "pets$ranks.svm" "${drop[@]}"
done
said "pets as SVMLight" "0 1:1 2:2
1 1:3
0 1:0.5 2:0.001
1 1:2 2:2" "$(cat pets0.svm)"
same_file pets0.svm pets3.svm
sed 's/,/;/g; s/"width; cm"/width/' pets.csv >semicolons
tr ';' '\t' <semicolons >tabbed
sed 1d semicolons >headless
convert 0 semicolons semicolons.svm "${drop[@]}"
convert 2 tabbed tabbed.svm "${drop[@]}"
convert 0 headless headless.svm -data_csv_drop 1
for file in semicolons tabbed headless; do same_file "$file.svm" pets0.svm; done

bad 65 "pets.csv:2: column 1 (id): 'a' is not a number|-data_csv_drop id" -blp_data pets.csv
bad2 65 "pets.csv:2: column 1 (id): 'a' is not a number|-data_csv_drop id" -blp_data pets.csv
bad 65 "-data_label kidn|pets.csv|closest: kind" -blp_data pets.csv "${drop[@]}" -data_label kidn
bad 65 "-data_csv_drop ie|pets.csv|closest: id" -blp_data pets.csv -data_csv_drop ie
bad 65 "-data_label 5|pets.csv" -blp_data pets.csv "${drop[@]}" -data_label 5
bad 64 "-data_csv_separator x|tab" -blp_data pets.csv -data_csv_separator x
bad 64 "-data_csv_header" -blp_data pets.csv -data_csv_header maybe
bad 64 "-data_lable|-data_label" -blp_train pets.csv -blp_val pets.csv "${drop[@]}" -data_lable kind
bad 66 "cannot read missing.csv" -blp_data missing.csv
sed '4s/0.5/half/' pets.csv >word.csv
sed '4s/0.5//' pets.csv >gap.csv
sed '4s/0.5/nan/' pets.csv >nan.csv
sed '4s/0.5,//' pets.csv >short.csv
sed '4s/0.5/"0.5/' pets.csv >open.csv
sed '4s/cat/cow/' pets.csv >cow.csv
head -n 1 pets.csv >head.csv
: >empty.csv
bad 65 "word.csv:4: column 2 (width, cm): 'half' is not a number|-data_csv_drop 2" -blp_data word.csv "${drop[@]}"
bad 65 "gap.csv:4: column 2 (width, cm): the field is empty" -blp_data gap.csv "${drop[@]}"
bad 65 "nan.csv:4: column 2 (width, cm): 'nan' is not a finite number" -blp_data nan.csv "${drop[@]}"
bad2 65 "short.csv:4: 3 fields, but the first line (1) has 4" -blp_data short.csv "${drop[@]}"
bad 65 "open.csv:4: column 2 (width, cm): a quote is not closed" -blp_data open.csv "${drop[@]}"
bad 65 "head.csv holds no samples, only a header" -blp_data head.csv "${drop[@]}"
bad2 65 "empty.csv holds no samples" -blp_data empty.csv
bad 65 "label 'cow' of cow.csv|2 classes|pets.csv" -blp_train pets.csv -blp_val cow.csv "${drop[@]}"
pool accepted 2 "${run[@]}" -blp_train pets.csv -blp_val pets.csv "${drop[@]}"

# ------------------------------------------------------------------ HDF5
samples 30 1 >train.svm
printf '2 # no features\n1 3:0.1 9:1e-300\n' >>train.svm
convert 0 train.svm direct.svm
there_and_back() { # RANKS
  convert "$1" train.svm "there$1.h5"
  convert "$1" "there$1.h5" "back$1.svm"
}
for ranks in 0 2 7; do pool there_and_back "$ranks"; done
wait
for ranks in 0 2 7; do same_file "back$ranks.svm" direct.svm; done
head -c 900 there0.h5 >cut.h5
bad 65 "cut.h5 is not an HDF5 file, or was cut short" -blp_data cut.h5
bad2 65 "cut.h5 is not an HDF5 file, or was cut short" -blp_data cut.h5
bad 65 "train.svm is not an HDF5 file" -blp_data train.svm -data_format hdf5
bad 65 "there0.h5 holds no data set or group 'Z'|-data_hdf5_x" -blp_data there0.h5 -data_hdf5_x Z
bad2 65 "there0.h5 holds no data set 'labels'|-data_hdf5_y" -blp_data there0.h5 -data_hdf5_y labels
bad 66 "cannot read missing.h5" -blp_data missing.h5
pool refused 0 74 "nofolder/x.h5" data -data_input train.svm -data_output nofolder/x.h5
pool refused 2 74 "nofolder/x.h5" data -data_input train.svm -data_output nofolder/x.h5
wait

python=
for each in python3 /usr/bin/python3; do # the first may be one without the system's packages
  if "$each" -c 'import h5py' 2>/dev/null; then python=$each && break; fi
done
if [ -n "$python" ]; then
  cat >make.py <<'PY'
import h5py, numpy

x = numpy.array([[1.5, 0, 2], [0, 0, 0], [0, -3, 0.25], [4, 0, 0]])
y = numpy.array([3, 1, 1, 3])
with h5py.File("dense.h5", "w") as f:
    f.create_dataset("features", data=x.astype("f4"), chunks=(2, 2), compression="gzip")
    f["target"] = y.astype("u1")
with h5py.File("sparse.h5ad", "w") as f:  # as anndata lays a CSR matrix out
    g = f.create_group("X")
    row, col = x.nonzero()
    g["data"], g["indices"] = x[row, col], col.astype("i4")
    g["indptr"] = numpy.concatenate([[0], numpy.cumsum((x != 0).sum(1))]).astype("i4")
    g.attrs["shape"], g.attrs["encoding-type"], g.attrs["encoding-version"] = x.shape, "csr_matrix", "0.1.0"
    f["obs/kind"] = y
with h5py.File("columns.h5ad", "w") as f:
    f["X/data"], f["X/indices"], f["X/indptr"], f["y"] = [1.0], [0], [0, 1, 1], [0, 1]
    f["X"].attrs["encoding-type"], f["X"].attrs["shape"] = "csc_matrix", (2, 2)
with h5py.File("text.h5", "w") as f:
    f["X"], f["y"] = x, numpy.array(["a", "b", "a", "b"], dtype=h5py.string_dtype())
with h5py.File("there0.h5") as f:  # and what this program wrote, read by h5py
    g = f["X"]
    assert g.attrs["encoding-type"] == "csr_matrix" and tuple(g.attrs["shape"]) == (32, 9)
    with open("python.svm", "w") as out:
        for i in range(32):
            at = range(*g["indptr"][i : i + 2])
            print(int(f["y"][i]), *("%d:%.17g" % (g["indices"][k] + 1, g["data"][k]) for k in at), file=out)
PY
  "$python" make.py 2>log/python || fail "h5py" log/python
  h5='3 1:1.5 3:2
1
1 2:-3 3:0.25
3 1:4'
  convert 0 dense.h5 dense.svm -data_hdf5_x features -data_hdf5_y target
  convert 3 sparse.h5ad sparse.svm -data_hdf5_y obs/kind
  said "a dense file of h5py" "$h5" "$(cat dense.svm)"
  said "a sparse file of h5py" "$h5" "$(cat sparse.svm)"
  convert 0 python.svm again.svm
  same_file again.svm direct.svm
  bad 65 "columns.h5ad: 'X' is compressed by columns|tocsr" -blp_data columns.h5ad
  bad 65 "text.h5: data set 'y' does not hold integers or real numbers" -blp_data text.h5
else
  echo "readers: no h5py: files that Python wrote were not tried" >&2
fi

# ------------------------------------------------------------------ scaling
scaled() { # NAME RANKS ARGS...
  launch "$2" hypergrad -lls_max_it 5 "${@:3}" >"log/$1" 2>"log/$1.err" || fail "$1" "log/$1.err"
}
value() { awk -v name="$2" 'index($0, name) == 1 { print $NF }' "log/$1"; }
close() { # WHAT A B: to 1e-9 relative
  echo >>log/checks
  awk -v a="$2" -v b="$3" 'BEGIN { exit !(a != "" && b != "" && (a - b) ^ 2 <= (1e-9 * a) ^ 2) }' || fail "$1: $2 and $3"
}
# features of size 1 are as they are; the same with other units of measurement must come to the same
awk '{ printf "%s", $1; for (j = 2; j <= 9; j++) printf ",%.6f", $j; print "" }' <(awk 'BEGIN { x = 1
  for (i = 0; i < 40; i++) { printf "%d", i % 2; for (j = 1; j <= 8; j++) { x = (x * 16807) % 2147483647
    printf " %.6f", x / 2147483647 + (i % 2) * (j == 3) } print "" } }') >plain.csv
awk -F, '{ printf "%s", $1; for (j = 2; j <= 9; j++) printf ",%.17g", $j * 2 ^ (3 * j - 12); print "" }' plain.csv >units.csv
same=(-data_label 1 -blp_view)
scaled none 0 -blp_train plain.csv -blp_val plain.csv "${same[@]}"
scaled units 0 -blp_train units.csv -blp_val units.csv "${same[@]}"
for kind in unit standard; do
  scaled "$kind" 0 -blp_train plain.csv -blp_val plain.csv "${same[@]}" -data_scale "$kind"
  scaled "$kind.units" 3 -blp_train units.csv -blp_val units.csv "${same[@]}" -data_scale "$kind"
  close "$kind: f depends on the units" "$(value "$kind" 'objective f')" "$(value "$kind.units" 'objective f')"
  close "$kind: g depends on the units" "$(value "$kind" 'hypergradient norm')" "$(value "$kind.units" 'hypergradient norm')"
  check "$kind: -blp_view does not tell" grep -q "scaled by the training samples: $kind" "log/$kind"
  check "$kind changed nothing" test "$(value "$kind" 'objective f')" != "$(value none 'objective f')"
done
check "the units do not matter anyway" test "$(value none 'objective f')" != "$(value units 'objective f')"
check "-blp_view tells of a scaling there is not" test "$(grep -c 'scaled by' log/none)" = 0
awk 'BEGIN { for (i = 0; i < 100; i++) print i % 2 " " 1 + 20000 * i ":1" }' >wide.svm
# a value is a number and the index of its feature
size=$(awk -v n="$(integer)" 'BEGIN { printf "%.3g GB", 100 * 1980001 * (8 + n) / 1e9 }')
bad 64 "-data_scale standard makes wide.svm dense|100 samples of 1980001 features|$size|-data_scale unit" \
  -blp_train wide.svm -blp_val wide.svm -data_scale standard
bad 64 "-data_scale|none unit standard" -blp_train plain.csv -blp_val plain.csv -data_label 1 -data_scale max

# ------------------------------------------------------------------ Parkinson's data of UCI
park=$here/../../../shared/data/parkinsons.data
[ -f "$park" ] || park=${TWOFOLD_DATA:-/nonexistent}/parkinsons.data
if [ -f "$park" ]; then
  text=$(launch 2 data -quiet -data_input "$park" -data_csv_drop name 2>&1)
  said "parkinsons.data" "  samples: 195 (0 without a feature)
  features: 22
  nonzeros: 4290 (100 % dense)
  labels: column 18, status
  classes: 2
    0                            48
    1                            147" "$(tail -n +2 <<<"$text")"
  bad2 65 "parkinsons.data:2: column 1 (name): 'phon_R01_S01_1' is not a number|-data_csv_drop name" -blp_data "$park"
  pool accepted 2 "${run[@]}" -blp_data "$park" -data_csv_drop name -blp_split third -data_scale standard
else
  echo "readers: no parkinsons.data in ../shared/data or TWOFOLD_DATA: it was not read" >&2
fi
finish
