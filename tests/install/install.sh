#!/usr/bin/env bash
# The installed library as its users meet it: installed, moved to another folder, every public header compiled by
# itself, and the example of docs/example built in C and in C++, with CMake and with pkg-config, and run.
# usage: install.sh BUILD_FOLDER SOURCE_FOLDER
set -euo pipefail

build=$1 source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
  echo "FAILED: $*" >&2
  exit 1
}

cmake --install "$build" --prefix "$work/first" >"$work/log" 2>&1 || { cat "$work/log" && exit 1; }
mkdir "$work/elsewhere"
mv "$work/first" "$work/elsewhere/tree"
tree=$work/elsewhere/tree
if grep -rIl "$work/first" "$tree"; then fail "these name the folder they were installed to"; fi
for file in "$tree"/lib*/pkgconfig/twofold.pc; do PKG_CONFIG_PATH=${file%/*}; done
export PKG_CONFIG_PATH
[ "$(pkg-config --modversion twofold)" = "$("$tree/bin/twofold" -version | awk '{print $2; exit}')" ] ||
  fail "twofold.pc and the program name different versions"
cp -r "$source/docs/example" "$work/example"
cd "$work"

# ------------------------------------------------------------------ headers

read -ra cflags <<<"$(pkg-config --cflags twofold)"
cc=$(pkg-config --variable=ccompiler twofold)
cxx=$(command -v mpicxx || true)
echo 'int main() { return 0; }' >probe.cpp
if ! "${cxx:-false}" probe.cpp -o probe; then
  echo "skipped: there is no C++ compiler behind mpicxx"
  exit 77
fi
flags=(-fsyntax-only -Wall -Wextra -Werror "${cflags[@]}")
headers=0
while IFS= read -r header; do
  headers=$((headers + 1))
  echo "#include <$header>" | tee -a headers.cpp >"header$headers.c"
done < <(cd "$tree/include" && find . -name '*.h' ! -path '*/impl/*' | sed 's|^\./||')
[ "$headers" -gt 10 ] || fail "only $headers headers are installed"
printf '%s\n' header*.c | xargs -P 2 -n 4 "$cc" -std=c11 "${flags[@]}" || fail "a header does not stand alone in C"
"$cxx" -std=c++17 "${flags[@]}" headers.cpp || fail "a header is no C++"

# ------------------------------------------------------------------ the example

# run PROGRAM: the same result on any number of ranks, and an objective that fell
read -ra mpirun <<<"${TWOFOLD_MPIRUN:-mpirun}"
run() {
  local n
  for n in 1 3; do
    "${mpirun[@]}" -n "$n" "$1" >"out.$n" 2>&1 || { cat "out.$n" && fail "$1 on $n ranks"; }
  done
  cmp out.1 out.3 || fail "$1: the result depends on the number of ranks"
  awk '/^start/ { start = $3 } /^end/ { end = $3 } END { exit !(end > 0 && end < 0.7 * start) }' out.1 ||
    { cat out.1 && fail "$1: the objective did not fall"; }
}

# with_cmake SOURCE BUILD
with_cmake() {
  cmake -S "$1" -B "$2" -DCMAKE_PREFIX_PATH="$tree" >"$2.log" 2>&1 || return 1
  cmake --build "$2" >>"$2.log" 2>&1
}
with_cmake example c || { cat c.log && fail "CMake, C"; }
run c/deblur
# with its constants each hypergradient has a bound; with its diagonal a preconditioner
"${mpirun[@]}" -n 2 c/deblur -uls_max_it 2 -hg_certificate bound -hg_monitor -hg_precond jacobi -lls_fpm_step optimal \
  -lls_fpm_differentiate_step >constants 2>&1 || { cat constants && fail "deblur with its constants"; }
[ "$(grep -c 'error bound [0-9.e+-]*$' constants)" = 2 ] || { cat constants && fail "deblur: not a bound for each hypergradient"; }
# and what the chapter shows of the problem is what the example has
while IFS= read -r line; do
  grep -qF "$(sed 's/(blp, /(*blp, /; s/&data/d/; s/ s, s/ d->s, d->s/; s/;.*//; s/^ *//' <<<"$line")" example/deblur.c ||
    fail "not in deblur.c: $line"
done < <(grep '^    BLPUserSet' "$source/docs/own-problem.md")
make -C example >make.log 2>&1 || { cat make.log && fail "pkg-config, C"; }
run example/deblur

cp -r example example++ && mv example++/deblur.c example++/deblur.cpp
sed -i 's/LANGUAGES C)/LANGUAGES CXX)/; s/deblur\.c)/deblur.cpp)/' example++/CMakeLists.txt
with_cmake example++ cxx || { cat cxx.log && fail "CMake, C++"; }
run cxx/deblur
read -ra libs <<<"$(pkg-config --libs twofold)"
"$cxx" -O2 "${cflags[@]}" example++/deblur.cpp -o deblur++ "${libs[@]}" || fail "pkg-config, C++"
run ./deblur++

# ------------------------------------------------------------------ what does not fit is told

sed -i 's/Twofold 0.1 REQUIRED/Twofold 9.0 REQUIRED/' example/CMakeLists.txt
if with_cmake example wrong; then fail "version 9.0 was found"; fi
grep -q 'version: 0\.' wrong.log || fail "a wrong version is not explained"
