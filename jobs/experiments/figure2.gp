# Figure 2 by gnuplot 5.4 or newer: gnuplot -e "dir='runs/figure2'; main='0.2'" figure2.gp
# Reads DIR/curves.csv and DIR/rates.csv, writes DIR/figure2.svg and DIR/figure2.png.
# Above f against upper steps with projection and without, and f against the learning rate; below the norm of the hypergradient with
# projection and without, and how far the map contracts. Lines are means over the starts, bands go from the least to the largest;
# thin lines lie on thick ones, so that those that coincide are all seen.

methods = "itd fp cg"
number(m) = m eq "itd" ? 1 : m eq "fp" ? 2 : 3
name(m) = word("'ITD' 'FP, k = t' 'CG, k = t'", number(m))
colour(m) = word("#7FB8DE #C4420A #00523B", number(m))
width(m) = real(word("5 2.4 1.1", number(m)))
mark(m) = int(word("5 7 9", number(m)))

rows_of(kind, m) = sprintf("< awk -F, 'NR == 1 || ($1 == \"%s\" && $2 == \"%s\")' '%s/curves.csv'", kind, m, dir)
rates_of(kind, m) = sprintf("< awk -F, 'NR == 1 || ($1 == \"%s\" && $2 == \"%s\")' '%s/rates.csv'", kind, m, dir)
# awk: which methods have a row
having(kind, file) = system(sprintf("awk -F, '$1 == \"%s\" && !seen[$2]++ { printf \"%%s \", $2 }' '%s/%s'", kind, dir, file))

set datafile separator ","
set datafile columnheaders

curves = "for [m in having(kind, 'curves.csv')] rows_of(kind, m) using (column('upper_step')):(column(what . '_least')):\
  (column(what . '_most')) with filledcurves fc rgb colour(m) fs transparent solid 0.2 noborder notitle, \
  for [m in having(kind, 'curves.csv')] rows_of(kind, m) using (column('upper_step')):(column(what)) with lines \
  lw width(m) lc rgb colour(m) title name(m)"
learning = "for [kind in 'projected free'] for [m in having(kind, 'rates.csv')] rates_of(kind, m) using (column('learning_rate')):\
  (column('shown')) with linespoints lw width(m) * 0.6 dt 1 + (kind eq 'free') pt mark(m) ps 0.7 lc rgb colour(m) \
  title (kind eq 'free' ? name(m) . ', free' : name(m))"
# of the fixed-point method's runs, or those that there are
contraction = "for [kind in 'projected free'] for [i = 1:3] rows_of(kind, word(having(kind, 'curves.csv') . 'fp', 1 + \
  (words(having(kind, 'curves.csv')) > 1))) using (column('upper_step')):(column(word('norm_A local_q_bound local_q', i))) \
  with linespoints pt -1 lw word('5 2.4 1.4', i) dt 1 + (kind eq 'free') lc rgb word('#BBBBBB #E69F00 #8A4B9C', i) \
  title word('|A| bound q', i) . (kind eq 'free' ? ', free' : '')"

wide = 1440
high = 760
do for [terminal in "svg png"] {
  if (terminal eq "svg") {
    set terminal svg size wide, high font "Helvetica,13" enhanced background "white"
  } else {
    set terminal pngcairo size wide, high font "Helvetica,11" enhanced
  }
  set output sprintf("%s/figure2.%s", dir, terminal)
  set multiplot layout 2, 3
  set border 3 lc rgb "#444444"
  set tics out nomirror scale 0.5
  set grid ytics lt 1 lc rgb "#dcdcdc" lw 1
  set bmargin 3.6
  set tmargin 2.2
  set key top right reverse Left samplen 2.6
  set logscale y
  set format y "10^{%T}"
  do for [panel = 1:6] {
    unset logscale x
    set xrange [0:*]
    set xlabel "upper steps" offset 0, 0.4
    kind = panel % 3 == 1 ? "projected" : "free"
    what = panel <= 2 ? "objective" : "hypergradient_norm"
    of = panel <= 2 ? "f" : "hypergradient norm"
    set title sprintf("%s, %s, rate %s", of, kind eq "free" ? "without projection" : "projected", main) offset 0, -0.3
    # lines without projection go anywhere, and are those of the panel beside
    if (panel % 3 == 0) { set key outside right top } else { set key inside top right }
    if (panel % 3 == 2 && having("projected", "curves.csv") ne "") { unset key }
    if (panel == 3) {
      set logscale x
      set xrange [*:*]
      set xlabel "learning rate" offset 0, 0.4
      set title "f by learning rate (100: diverged, or above)" offset 0, -0.3
      if (having("projected", "rates.csv") . having("free", "rates.csv") ne "") {
        eval "plot " . learning
      } else {
        set multiplot next
      }
    } else { if (panel == 6) {
      set title "contraction along the fixed-point method's runs" offset 0, -0.3
      eval "plot " . contraction
    } else { if (having(kind, "curves.csv") ne "") {
      eval "plot " . curves
    } else {
      set multiplot next
    } } }
  }
  unset multiplot
  unset output
}
