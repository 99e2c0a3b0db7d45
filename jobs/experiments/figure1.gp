# Figure 1 by gnuplot 5.4 or newer: gnuplot -e "dir='runs/figure1'; panels='logistic krr'" figure1.gp
# Reads DIR/PANEL/means.csv, writes DIR/figure1.svg and DIR/figure1.png.
# Lines are means over the lambdas of the relative error, bands the mean and the standard deviation beside it, above the
# least of the errors; thin lines lie on thick ones and CG's have marks, so that those that coincide are all seen. Dashed are
# the means of the certificates, dotted those of the theorems' bounds.

methods = "itd fp cg fp:10 cg:10"
number(m) = m eq "itd" ? 1 : m eq "fp" ? 2 : m eq "cg" ? 3 : m eq "fp:10" ? 4 : 5
name(m) = word("'ITD' 'FP, k = t' 'CG, k = t' 'FP, k = 10' 'CG, k = 10'", number(m))
colour(m) = word("#7FB8DE #C4420A #00523B #E69F00 #8A4B9C", number(m))
width(m) = real(word("5 2.2 1.1 2.2 1.1", number(m)))
mark(m) = m eq "cg" ? 7 : 5
first(m) = m eq "cg" ? 0 : 2 # beside one another where the two are the same
title_of(p) = p eq "logistic" ? "logistic regression, gradient descent" : \
  p eq "krr" ? "kernel ridge regression, heavy ball" : \
  p eq "biasedreg" ? "biased regularisation, heavy ball" : \
  p eq "hyperrep" ? "hyper-representation, heavy ball" : p

# A method's rows; the methods that have numbers in a column.
rows_of(p, m) = sprintf("< awk -F, 'NR == 1 || $1 == \"%s\"' '%s/%s/means.csv'", m, dir, p)
having(p, name) = system(sprintf("awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == \"%s\") at = i; next } \
  $at != \"\" && !seen[$1]++ { printf \"%%s \", $1 }' '%s/%s/means.csv'", name, dir, p))

# A mean less its deviation is no positive number where errors are of many sizes: the band ends at the least error there.
least = 1e-16
greater(a, b) = a > b ? a : b
low(mean, deviation, smallest) = greater(greater(mean - deviation, smallest), least)

bands = "for [m in methods] rows_of(p, m) using (column('t')): \
  (low(column('relative_error_mean'), column('relative_error_deviation'), column('relative_error_least'))): \
  (column('relative_error_mean') + column('relative_error_deviation') + least) \
  with filledcurves fc rgb colour(m) fs transparent solid 0.13 noborder"
certificates = "for [m in having(p, 'relative_bound_mean')] rows_of(p, m) using (column('t')): \
  (column('relative_bound_mean')) with lines dt (14, 7) lw 1.2 lc rgb colour(m)"
theorems = "for [m in having(p, 'relative_theorem_mean')] rows_of(p, m) using (column('t')): \
  (column('relative_theorem_mean')) with lines dt (3, 6) lw 1.5 lc rgb colour(m)"
lines = "for [m in methods] rows_of(p, m) using (column('t')):(column('relative_error_mean')) \
  with lines lw width(m) lc rgb colour(m), for [m in 'cg cg:10'] rows_of(p, m) every 5::first(m) using (column('t')): \
  (column('relative_error_mean')) with points pt mark(m) ps 0.55 lw 1.2 lc rgb colour(m)"

set datafile separator ","
set datafile columnheaders

n = words(panels)
columns = n > 1 ? 2 : 1
wide = columns * 480
rows = (n + columns - 1) / columns
high = rows * 360 + 60
legend = 60.0 / high # its part of the height

do for [terminal in "svg png"] {
  if (terminal eq "svg") {
    set terminal svg size wide, high font "Helvetica,13" enhanced background "white"
  } else {
    set terminal pngcairo size wide, high font "Helvetica,11" enhanced
  }
  set output sprintf("%s/figure1.%s", dir, terminal)
  set multiplot
  unset key
  set logscale y
  set format y "10^{%T}"
  set xrange [0:*]
  set mytics 1
  set ytics 1e4 out nomirror scale 0.5
  set xtics out nomirror scale 0.5
  set border 3 lc rgb "#444444"
  set grid ytics lt 1 lc rgb "#dcdcdc" lw 1
  set xlabel "steps of the lower level, t" offset 0, 0.4
  set ylabel "relative error of the hypergradient" offset 0.5, 0
  do for [i = 1:n] {
    p = word(panels, i)
    left = ((i - 1) % columns) * 1.0 / columns
    height = (1 - legend) / rows
    top = 1 - ((i - 1) / columns) * height
    set lmargin at screen left + 75.0 / wide
    set rmargin at screen left + 1.0 / columns - 20.0 / wide
    set tmargin at screen top - 34.0 / high
    set bmargin at screen top - height + 62.0 / high
    set title title_of(p) offset 0, -0.3
    set yrange [least : having(p, "relative_theorem_mean") eq "" ? 1e8 : 1e16] # where the theorems' bounds are
    eval "plot " . bands . (having(p, "relative_bound_mean") eq "" ? "" : ", " . certificates) . \
      (having(p, "relative_theorem_mean") eq "" ? "" : ", " . theorems) . ", " . lines
  }
  # the legend, in a strip of its own
  unset title; unset xlabel; unset ylabel; unset xtics; unset ytics; unset border; unset grid; unset logscale y
  set lmargin at screen 0; set rmargin at screen 1; set bmargin at screen 0; set tmargin at screen legend
  set xrange [0:1]; set yrange [0:1]
  set key at screen 0.5, legend / 2 center center horizontal maxrows 1 samplen 2.6 width -0.5 reverse Left
  plot for [m in "itd fp"] NaN with lines lw width(m) lc rgb colour(m) title name(m), \
       NaN with linespoints lw width("cg") pt mark("cg") ps 0.55 lc rgb colour("cg") title name("cg"), \
       NaN with lines lw width("fp:10") lc rgb colour("fp:10") title name("fp:10"), \
       NaN with linespoints lw width("cg:10") pt mark("cg:10") ps 0.55 lc rgb colour("cg:10") title name("cg:10"), \
       NaN with lines dt (14, 7) lw 1.2 lc rgb "#444444" title "certificate", \
       NaN with lines dt (3, 6) lw 1.5 lc rgb "#444444" title "theorem"
  unset multiplot
  unset output
}
