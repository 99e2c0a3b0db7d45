# The picture of hyper-cleaning by gnuplot 5.4 or newer: gnuplot -e "dir='runs/dataclean'" dataclean.gp
# Reads DIR/dataclean.csv, DIR/curve.csv and DIR/weights.csv, writes DIR/dataclean.svg and DIR/dataclean.png.
# Left: test accuracy against upper steps, mean over the seeds and the band from the least to the largest, with the lines of no
# weights and of the right ones. Right: weights that were learnt, of samples with right and with wrong labels.

set datafile separator ","
set datafile columnheaders

# of a run, its test accuracies: the least, the mean, the largest
level(run) = system(sprintf("awk -F, '$2 == \"%s\" { x = 100 * $8; if (!n || x < a) a = x; if (!n || x > b) b = x; s += x; n++ } \
  END { if (n) print a, s / n, b }' '%s/dataclean.csv'", run, dir))
curve = sprintf("< awk -F, 'NR == 1 { print \"step,least,mean,most\"; next } { x = 100 * $5; n[$2]++; s[$2] += x; \
  if (n[$2] == 1 || x < a[$2]) a[$2] = x; if (n[$2] == 1 || x > b[$2]) b[$2] = x; if ($2 > m) m = $2 } \
  END { for (i = 0; i <= m; i++) if (n[i]) print i \",\" a[i] \",\" s[i] / n[i] \",\" b[i] }' '%s/curve.csv'", dir)
colour(run) = run eq "learnt" ? "#C4420A" : run eq "oracle" ? "#00523B" : "#E69F00"
name(run) = run eq "learnt" ? "learnt weights" : run eq "oracle" ? "right weights" : "no weights"

stats curve using 1 skip 1 nooutput
steps = STATS_max > 0 ? STATS_max : 1
there = ""
do for [run in "oracle unweighted"] { if (level(run) ne "") { there = there . " " . run } }
band = "for [run in there] [0:steps] '+' using 1:(real(word(level(run), 1))):(real(word(level(run), 3))) \
  with filledcurves fc rgb colour(run) fs transparent solid 0.18 noborder notitle"
flat = "for [run in there] real(word(level(run), 2)) with lines lw 2 dt (10, 5) lc rgb colour(run) title name(run)"

wide = 960
high = 360
do for [terminal in "svg png"] {
  if (terminal eq "svg") {
    set terminal svg size wide, high font "Helvetica,13" enhanced background "white"
  } else {
    set terminal pngcairo size wide, high font "Helvetica,11" enhanced
  }
  set output sprintf("%s/dataclean.%s", dir, terminal)
  set multiplot layout 1, 2
  set border 3 lc rgb "#444444"
  set tics out nomirror scale 0.5
  set grid ytics lt 1 lc rgb "#dcdcdc" lw 1
  set bmargin 3.6
  set tmargin 2.2

  set title "test accuracy, %" offset 0, -0.3
  set xlabel "upper steps" offset 0, 0.4
  set xrange [0:steps]
  set yrange [*:*]
  set offsets 0, 0, 1, 1
  set key at graph 0.98, graph 0.45 right center reverse Left samplen 2.6
  set samples 2
  eval "plot " . (there eq "" ? "" : band . ", ") . \
    "curve using 'step':'least':'most' with filledcurves fc rgb colour('learnt') fs transparent solid 0.18 noborder notitle, " . \
    "curve using 'step':'mean' with lines lw 2.2 lc rgb colour('learnt') title name('learnt')" . (there eq "" ? "" : ", " . flat)

  set title "weights learnt, number of samples" offset 0, -0.3
  set xlabel "weight {/Symbol s}({/Symbol l}_i)" offset 0, 0.4
  set xrange [0:1]
  set yrange [0:*]
  set offsets 0, 0, 0, 0
  set key at graph 0.5, graph 0.97 center top reverse Left samplen 1.5
  set style fill solid 0.85 noborder
  plot sprintf("%s/weights.csv", dir) using (column("from") + 0.0145):(column("right")):(0.019) with boxes \
      lc rgb "#00523B" title "right labels", \
    "" using (column("from") + 0.0355):(column("wrong")):(0.019) with boxes lc rgb "#C4420A" title "wrong labels"
  unset multiplot
  unset output
}
