#!/usr/bin/env bash
# The images that problem distill has learnt, from the solution of a run: a picture with a column for each class.
set -euo pipefail

usage() {
  cat >&2 <<'END'
usage: jobs/experiments/images.sh [OPTION...] RUN_DIR
  RUN_DIR         of a `twofold solve -blp_type distill`: its solution.h5 is read
  --best          the lambda with the lowest objective instead of the last one
  --size HxW      pixels of an image, down and across (default: square)
  --names "A B.." names of the classes, in the order of their labels (default: the labels; of Fashion-MNIST the garments)
  -o BASE         writes BASE.svg and BASE.png (default RUN_DIR/images)
Colours: red above 0, blue below, white 0; the same in all images of the picture. Needs h5dump and gnuplot.
Exit code: 0 done; 64 wrong usage; 66 no such solution; 69 no h5dump or no gnuplot
END
  exit 64
}
say() { echo "images: $*" >&2; }

# ------------------------------------------------------------------ arguments
lambda=lambda size='' names='' base='' dir=''
while [ $# -gt 0 ]; do
  case $1 in
  --best) lambda=lambda_best ;;
  --size | --names | -o)
    [ $# -ge 2 ] || usage
    case $1 in --size) size=$2 ;; --names) names=$2 ;; -o) base=$2 ;; esac
    shift
    ;;
  -*) usage ;;
  *)
    [ -z "$dir" ] || usage
    dir=$1
    ;;
  esac
  shift
done
[ -n "$dir" ] || usage
[[ ${size:-1x1} =~ ^[1-9][0-9]*x[1-9][0-9]*$ ]] || usage
base=${base:-$dir/images}
solution=$dir/solution.h5
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ -s "$solution" ] || { say "there is no $solution" && exit 66; }
for program in h5dump gnuplot; do
  command -v "$program" >/dev/null || { say "no $program: jobs/setup.sh --experiments installs it" && exit 69; }
done

# ------------------------------------------------------------------ what is in the solution
export LC_ALL=C
attribute() { # NAME: of the model; nothing where it has none
  h5dump -a "/model/$1" "$solution" 2>/dev/null | sed -n 's/^ *(0): *"\{0,1\}\([^"]*\)"\{0,1\} *$/\1/p'
}
problem=$(attribute problem)
if [ "$problem" != distill ]; then
  say "$solution is no solution of problem distill${problem:+, but of $problem}"
  exit 66
fi
classes=$(attribute classes) features=$(attribute features) each=$(attribute images)
if [ -z "$size" ]; then
  size=$(awk -v p="$features" 'BEGIN { h = int(sqrt(p) + 0.5); if (h * h == p) print h "x" h }')
  [ -n "$size" ] || { say "$features pixels make no square: give --size HxW" && exit 64; }
fi
high=${size%x*} wide=${size#*x}
if [ $((high * wide)) != "$features" ]; then
  say "--size $size: an image of $solution has $features pixels"
  exit 64
fi
if [ -z "$names" ] && grep -qs '^-blp_.*fashion-mnist' "$dir/options.opts"; then
  names="T-shirt Trouser Pullover Dress Coat Sandal Shirt Sneaker Bag Boot"
fi
numbers() { # DATA SET: one number a line
  h5dump -d "/$1" -y -w 1 -m '%.9g' "$solution" | sed -n 's/^ *\([-+.0-9a-z]*\),\{0,1\} *$/\1/p' | grep '[0-9]'
}
[ -n "$names" ] || names=$(numbers model/class_value | tr '\n' ' ')
read -r -a names <<<"$names"
if [ ${#names[@]} != "$classes" ]; then
  say "${#names[@]} names for $classes classes"
  exit 64
fi

# ------------------------------------------------------------------ the picture
# lambda is p x m, m = K c numbers a pixel; image i is of class i mod c, and the (i div c)-th row of pictures. Here they stand
# on one canvas, a line of numbers for each row of pixels, with two pixels of 0 between images.
pixels=$(mktemp)
trap 'rm -f "$pixels"' EXIT
numbers "$lambda" | awk -v c="$classes" -v each="$each" -v h="$high" -v w="$wide" '
  {
    m = c * each
    i = (NR - 1) % m
    j = int((NR - 1) / m)
    at[int(i / c) * (h + 2) + int(j / w), (i % c) * (w + 2) + j % w] = $1
  }
  END {
    if (NR != c * each * h * w) exit 1
    for (y = 0; y < each * (h + 2) - 2; y++)
      for (x = 0; x < c * (w + 2) - 2; x++) printf "%s%s", at[y, x] + 0, x < c * (w + 2) - 3 ? " " : "\n"
  }' >"$pixels" ||
  { say "$solution: $lambda is not $features x $((classes * each)) numbers" && exit 66; }
gnuplot -e "pixels='$pixels'; base='$base'; classes=$classes; each=$each; high=$high; wide=$wide; names='${names[*]}'" \
  "$here/images.gp"
say "$base.svg, $base.png"
