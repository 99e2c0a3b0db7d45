#!/usr/bin/env bash
# jobs/experiments/images.sh: each pixel of each image in its place and colour, names, other shapes, what is refused.
# shellcheck source=common.sh
# shellcheck disable=SC2317 # functions that pool runs
. "$(dirname "$0")/common.sh"
experiments=$here/../../jobs/experiments
for program in gnuplot h5dump; do
  command -v "$program" >/dev/null || skip "no $program"
done

images() { # NAME ARGS...: its exit code into $code
  local name=$1
  shift
  bash "$experiments/images.sh" "$@" >"log/$name" 2>"log/$name.err"
  code=$?
}

# ------------------------------------------------------------------ a known lambda
# Two images of 2 x 4 pixels for each of 3 classes; image 4 is the second of class 1. A number a line, pixel by pixel.
samples 60 3 >train.svm
awk 'BEGIN {
  for (pixel = 0; pixel < 8; pixel++)
    for (image = 0; image < 6; image++)
      print image == 4 && pixel == 6 ? 2 : image == 0 && pixel == 0 ? -2 : image == 5 && pixel == 1 ? 1 : 0
}' >lambda.txt
launch 2 solve -blp_type distill -blp_distill_images 2 -blp_train train.svm -blp_val train.svm -blp_lambda_file lambda.txt \
  -lls_fpm_step optimal -lls_max_it 5 -uls_step 1e-9 -uls_max_it 1 -quiet -output_dir run >log/run 2>&1 || fail solve log/run
images known --size 2x4 --names "ant bee cow" run
[ "$code" = 0 ] || fail "exit code $code" log/known.err
check "run/images.png" test -s run/images.png
images best --size 2x4 --best -o best run
check "--best, -o" test "$code" = 0 -a -s best.svg -a -s best.png

# The SVG holds the canvas, two pixels between images.
echo >>log/checks
cat >look.py <<'END'
import base64, re, struct, sys, zlib

def canvas(svg):
  """Pixels of the PNG within: rows of (red, green, blue), 8 bits each, without interlacing."""
  png = base64.b64decode(re.search("base64,([^'\"]*)", svg).group(1))
  w, h, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", png[16:29])
  assert (depth, interlaced) == (8, 0) and colour in (2, 6), "another kind of PNG"
  size, data, at = {2: 3, 6: 4}[colour], b"", 8
  while at < len(png):
    n, kind = struct.unpack(">I4s", png[at:at + 8])
    if kind == b"IDAT": data += png[at + 8:at + 8 + n]
    at += 12 + n
  data, rows, above = zlib.decompress(data), [], [0] * (w * size)
  for y in range(h):
    kind, line = data[y * (w * size + 1)], list(data[y * (w * size + 1) + 1:(y + 1) * (w * size + 1)])
    for x in range(w * size):
      left, corner = (line[x - size], above[x - size]) if x >= size else (0, 0)
      p = left + above[x] - corner
      near = min((abs(p - left), 0, left), (abs(p - above[x]), 1, above[x]), (abs(p - corner), 2, corner))[2]
      line[x] = (line[x] + [0, left, above[x], (left + above[x]) // 2, near][kind]) % 256
    rows.append([tuple(line[x * size:x * size + 3]) for x in range(w)])
    above = line
  return rows

text = open(sys.argv[1]).read()
rows = canvas(text)
assert (len(rows), len(rows[0])) == (6, 16), "the canvas is %d x %d" % (len(rows), len(rows[0]))
marked = {(y, x): rows[y][x] for y in range(6) for x in range(16) if min(rows[y][x]) < 250}
assert sorted(marked) == [(0, 0), (4, 13), (5, 8)], marked
blue, light, red = marked[0, 0], marked[4, 13], marked[5, 8]
assert blue[2] > 2 * blue[0] and red[0] > 4 * red[2] and light[0] > red[0], marked
assert all(re.search(">\\s*%s\\s*<" % name, text) for name in sys.argv[2:]), "names"
END
python3 look.py run/images.svg ant bee cow >log/look 2>&1 || fail "run/images.svg" log/look
echo >>log/checks
python3 look.py best.svg 0 1 2 >log/look 2>&1 || fail "best.svg: names are labels" log/look

# ------------------------------------------------------------------ refused
launch 0 solve -blp_type dataclean -blp_train train.svm -blp_val train.svm -lls_max_it 1 -uls_max_it 0 -quiet -output_dir other \
  >log/other 2>&1 || fail "solve dataclean" log/other
while IFS='@' read -r expected words args; do
  # shellcheck disable=SC2086 # one word an argument
  images refused $args
  check "exit code $code, not $expected: $args" test "$code" = "$expected"
  check "no '$words': $args" grep -qF -e "$words" log/refused.err
done <<'END'
64@usage:@
64@usage:@--quick run
64@usage:@--size 2 run
64@usage:@run run
64@usage:@run --size
64@8 pixels make no square@run
64@has 8 pixels@--size 3x3 run
64@1 names for 3 classes@--size 2x4 --names twonames run
66@there is no missing/solution.h5@missing
66@but of dataclean@other
END
finish
