# The picture of memory against steps by gnuplot 5.4 or newer: gnuplot -e "dir='runs/memory'" memory.gp
# Reads DIR/memory.csv, writes DIR/memory.svg and DIR/memory.png. One colour a method, one mark a number of ranks.

set datafile separator ","
set datafile columnheaders
file = dir . "/memory.csv"
colour(m) = m eq "itd" ? "#C4420A" : m eq "aid" ? "#00523B" : "#7FB8DE"
name(m) = m eq "itd" ? "ITD" : m eq "aid" ? "AID" : "ITD by revolve"
having = system(sprintf("awk -F, 'NR > 1 && !seen[$1 \"-\" $3]++ { print $1 \"-\" $3 }' '%s'", file))
m(s) = s[1 : strstrt(s, "-") - 1]
r(s) = s[strstrt(s, "-") + 1 : *]
mark(s) = int(r(s)) == 1 ? 7 : int(r(s)) == 2 ? 4 : 8
dashes(s) = m(s) eq "revolve" ? 2 : 1
rows(s) = sprintf("< awk -F, 'NR == 1 || ($1 == \"%s\" && $3 == %s)' '%s'", m(s), r(s), file)

do for [terminal in "svg png"] {
  if (terminal eq "svg") {
    set terminal svg size 640, 400 font "Helvetica,13" enhanced background "white"
  } else {
    set terminal pngcairo size 640, 400 font "Helvetica,11" enhanced
  }
  set output sprintf("%s/memory.%s", dir, terminal)
  set border 3 lc rgb "#444444"
  set tics out nomirror scale 0.5
  set grid ytics lt 1 lc rgb "#dcdcdc" lw 1
  set logscale xy
  set xrange [* : *] noextend
  set offsets graph 0.04, graph 0.04, 0, 0
  set xlabel "steps of the lower level, t" offset 0, 0.4
  set ylabel "peak memory of a rank, MB"
  set key outside right center reverse Left samplen 2.6
  plot for [s in having] rows(s) using "t":(1e-6 * column("peak_bytes")) with linespoints lw 2 pt mark(s) ps 0.8 \
    lc rgb colour(m(s)) dt dashes(s) title sprintf("%s, %s rank%s", name(m(s)), r(s), int(r(s)) == 1 ? "" : "s")
  unset output
}
