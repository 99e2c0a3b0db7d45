# Pictures of table1.sh by gnuplot 5.4 or newer: gnuplot -e "dir='runs/table1'; kinds='count tfidf'" table1.gp
# Reads DIR/curves.csv and DIR/sensitivity.csv and writes curves-KIND, norms-KIND and sensitivity-KIND for each kind of features,
# as .svg and .png, with a panel for each number of lower-level steps. Lines are medians over the splits, bands reach from
# the least to the largest; thin lines lie on thick ones and CG's have marks, so that those that coincide are all seen.

# A method's place, by what it is and whether it has its own k.
number(m) = m eq "itd" ? 1 : m eq "fp" ? 2 : m eq "cg" ? 3 : m[1:2] eq "fp" ? 4 : 5
name(m) = m eq "itd" ? "ITD" : (m[1:2] eq "fp" ? "FP" : "CG") . ", k = " . (strlen(m) > 2 ? m[3:] : "t")
colour(m) = word("#7FB8DE #C4420A #00523B #E69F00 #8A4B9C", number(m))
width(m) = real(word("5 2.2 1.1 2.2 1.1", number(m)))
mark(m) = m eq "cg" ? 7 : 5
is_cg(m) = m[1:2] eq "cg"

set datafile separator ","
set datafile columnheaders

# Rows of a cell that all splits have, in the order of the first number beside it; a kind's numbers of steps, and its methods or those of one number,
# thick lines first.
rows_of(file, kind, m, t) = sprintf("< awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i } NR == FNR { \
  if ($1 == \"%s\" && $at[\"splits\"] > most) most = $at[\"splits\"]; next } FNR == 1 || $1 == \"%s\" && $2 == \"%s-%s\" && \
  $at[\"splits\"] == most' '%s/%s.csv' '%s/%s.csv' | sort -t, -g -k3,3", kind, kind, m, t, dir, file, dir, file)
panels_of(kind) = system(sprintf("awk -F, '$1 == \"%s\" { sub(/.*-/, \"\", $2); if (!seen[$2]++) print $2 }' '%s/curves.csv' | \
  sort -n | tr '\\n' ' '", kind, dir))
methods_of(kind, t) = system(sprintf("awk -F, '$1 == \"%s\" && $2 ~ /-%s$/ { sub(/-.*/, \"\", $2); seen[$2] = 1 } END { \
  n = split(\"itd fp cg fp5 fp10 cg5 cg10\", m, \" \"); for (i = 1; i <= n; i++) if (m[i] in seen) printf \"%%s \", m[i] }' \
  '%s/curves.csv'", kind, t, dir))
# Tics at the sizes of the grid, as "label" place.
tics_of(kind) = system(sprintf("awk -F, '$1 == \"%s\" && !seen[$3]++ { printf \"%%s\\\"%%s\\\" %%.15f\", (n++ ? \", \" : \"\"), $3, $3 }' \
  '%s/sensitivity.csv'", kind, dir))
range_of(kind) = system(sprintf("awk -F, '$1 == \"%s\" { x = $3 + 0; if (!n++ || x < a) a = x; if (x > b) b = x } \
  END { printf \"[%%.15f : %%.15f]\", a / 1.3, b * 1.3 }' '%s/sensitivity.csv'", kind, dir))
# The largest of a column that is worth seeing: f where a run starts.
start_of(kind) = real(system(sprintf("awk -F, '$1 == \"%s\" && $3 == 0 && $7 > most { most = $7 } END { print most + 0 }' \
  '%s/curves.csv'", kind, dir)))
steps_of(kind) = real(system(sprintf("awk -F, '$1 == \"%s\" && $3 > most { most = $3 } END { print most + 0 }' '%s/curves.csv'", \
  kind, dir)))

band = "for [m in here] rows_of(file, kind, m, t) using (column(across)):(column(up . '_least')):(column(up . '_most')) \
  with filledcurves fc rgb colour(m) fs transparent solid 0.13 noborder"
line = "for [m in here] rows_of(file, kind, m, t) using (column(across)):(column(up)) with lines lw width(m) lc rgb colour(m)"
marks = "for [m in here] rows_of(file, kind, m, t) every every_nth using (column(across)):(is_cg(m) ? column(up) : NaN) \
  with points pt mark(m) ps 0.55 lw 1.2 lc rgb colour(m)"

do for [kind in kinds] {
  panels = panels_of(kind)
  methods = methods_of(kind, ".*")
  n = words(panels)
  wide = n * 400 + 20
  high = 400
  legend = 50.0 / high # its part of the height
  do for [picture in "curves norms sensitivity"] {
    file = picture eq "sensitivity" ? "sensitivity" : "curves"
    across = picture eq "sensitivity" ? "upper_step" : "step"
    up = picture eq "norms" ? "norm" : "objective"
    every_nth = picture eq "sensitivity" ? 1 : int(steps_of(kind) / 12 + 1)
    do for [terminal in "svg png"] {
      if (terminal eq "svg") {
        set terminal svg size wide, high font "Helvetica,13" enhanced background "white"
      } else {
        set terminal pngcairo size wide, high font "Helvetica,11" enhanced
      }
      set output sprintf("%s/%s-%s.%s", dir, picture, kind, terminal)
      set multiplot
      unset key
      set border 3 lc rgb "#444444"
      set xtics out nomirror scale 0.5
      set ytics out nomirror scale 0.5
      set grid ytics lt 1 lc rgb "#dcdcdc" lw 1
      unset logscale
      set format "%g"
      set autoscale
      set xlabel picture eq "sensitivity" ? "step size of the upper level" : "upper steps" offset 0, 0.4
      set ylabel picture eq "norms" ? "norm of the hypergradient" : picture eq "sensitivity" ? \
        "objective after the grid's steps" : "objective" offset 0.5, 0
      if (picture eq "norms") {
        set logscale y
        set format y "10^{%T}"
      } else {
        set yrange [* : 1.05 * start_of(kind)]
      }
      if (picture eq "sensitivity") {
        set logscale x
        eval "set xtics (" . tics_of(kind) . "); set xrange " . range_of(kind)
      } else {
        set xtics steps_of(kind) / 5
      }
      do for [i = 1:n] {
        t = word(panels, i)
        here = methods_of(kind, t)
        left = (i - 1) * 400.0 / wide
        set lmargin at screen left + 75.0 / wide
        set rmargin at screen left + 395.0 / wide
        set tmargin at screen 1 - 34.0 / high
        set bmargin at screen legend + 62.0 / high
        set title "t = " . t offset 0, -0.3
        eval "plot " . (picture eq "sensitivity" ? "" : band . ", ") . line . ", " . marks
      }
      # the legend, in a strip of its own
      unset title; unset xlabel; unset ylabel; unset xtics; unset ytics; unset border; unset grid; unset logscale
      set lmargin at screen 0; set rmargin at screen 1; set bmargin at screen 0; set tmargin at screen legend
      set xrange [0:1]; set yrange [0:1]
      set key at screen 0.5, legend / 2 center center horizontal maxrows 1 samplen 2.4 width -0.5 reverse Left
      plot for [m in methods] NaN with linespoints lw width(m) pt mark(m) ps (is_cg(m) ? 0.55 : 0) lc rgb colour(m) title name(m)
      unset multiplot
      unset output
    }
  }
}
