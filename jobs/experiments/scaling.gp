# Pictures of scaling.sh by gnuplot 5.4 or newer: gnuplot -e "dir='runs/scaling'" scaling.gp
# Reads DIR/scaling.csv, model.csv and prediction.csv and writes strong, weak, volume and prediction, as .svg and .png, of
# what there is. Marks are measured, lines are the model's. Steps are those of gradient descent.

grids = "row column square auto"
title_of(g) = g eq "row" ? "row, 1 x P" : g eq "column" ? "column, P x 1" : g eq "square" ? "square" : "auto"
colour(g) = g eq "row" ? "#0072B2" : g eq "column" ? "#C4420A" : g eq "square" ? "#00523B" : "#E69F00"
mark(g) = g eq "row" ? 7 : g eq "column" ? 5 : g eq "square" ? 9 : 6
size(g) = g eq "auto" ? 1.7 : 0.9
width(g) = g eq "auto" ? 4 : 1.8 # below the others, which it coincides with

set datafile separator ","
set datafile columnheaders

# Measured: rows of a kind, a grid (one rank is on all) and gradient descent where a column has a number. Model: likewise.
runs(kind, g, name) = sprintf("< awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; print; next } $1 == \"%s\" && \
  ($3 == \"%s\" || $2 == 1) && $10 == \"step_gd\" && $at[\"%s\"] != \"\"' '%s/scaling.csv'", kind, g, name, dir)
lines(kind, g) = sprintf("< awk -F, 'NR == 1 || $1 == \"%s\" && $2 == \"%s\"' '%s/model.csv'", kind, g, dir)
parts(problem, g) = sprintf("< awk -F, 'NR == 1 || $1 == \"%s\" && $3 == \"%s\"' '%s/prediction.csv'", problem, g, dir)
count(kind, g, name) = int(system(sprintf("awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } $1 == \"%s\" && $3 == \"%s\" \
  && $10 == \"step_gd\" && $at[\"%s\"] != \"\" && $at[\"%s\"] != 0 { n++ } END { print n + 0 }' '%s/scaling.csv'", kind, g, name, name, dir)))
having(kind, name) = (count(kind, "row", name) ? "row " : "") . (count(kind, "column", name) ? "column " : "") . \
  (count(kind, "square", name) ? "square " : "") . (count(kind, "auto", name) ? "auto " : "")
reversed(list) = (words(list) == 0) ? "" : system(sprintf("for g in auto square column row; do case ' %s ' in *\" $g \"*) printf '%%s ' $g ;; esac; done", list))
model = int(system(sprintf("awk -F, 'NR > 1 && $4 != \"\" { n++ } END { print n + 0 }' '%s/model.csv'", dir)))
problems = system(sprintf("awk -F, 'NR > 1 && !seen[$1]++ { printf \"%%s \", $1 }' '%s/prediction.csv' 2>/dev/null", dir))

# ------------------------------------------------------------------ what pictures share
open_svg = "set terminal svg size wide, high font 'Helvetica,13' enhanced background 'white'"
open_png = "set terminal pngcairo size wide, high font 'Helvetica,11' enhanced"
set border 3 lc rgb "#444444"
set grid ytics lt 1 lc rgb "#dcdcdc" lw 1
set xtics out nomirror scale 0.5
set ytics out nomirror scale 0.5
set mxtics 1
set mytics 1
set logscale x 2
set xlabel "ranks, P" offset 0, 0.3
set key at graph 1.03, 0.98 left top reverse Left samplen 2 spacing 1.15 noautotitle

# ------------------------------------------------------------------ strong and weak scaling
# The time on one rank, were all runs as fast as the first.
ideal(kind) = real(system(sprintf("awk -F, '$1 == \"%s\" && $10 == \"step_gd\" && $11 != \"\" { print $11 * $2; exit }' '%s/scaling.csv'", kind, dir)) . "")
do for [terminal in "svg png"] {
  do for [kind in "strong weak"] {
    measured = having(kind, "ms")
    if (words(measured) == 0) { continue }
    wide = 720; high = 400
    eval terminal eq "svg" ? open_svg : open_png
    set output sprintf("%s/%s.%s", dir, kind, terminal)
    set lmargin at screen 0.11; set rmargin at screen 0.66; set tmargin at screen 0.9; set bmargin at screen 0.15
    set xrange [0.9:*]
    set format y "%g"
    shown = reversed(measured)
    if (kind eq "strong") {
      set logscale y
      set yrange [*:*]
      set title "strong scaling: a step of gradient descent"
      set ylabel "time of a step, ms" offset 0.8, 0
      start = ideal(kind)
      plot for [g in (model ? shown : "")] lines(kind, g) using (column("ranks")):(column("ms")) with lines lw width(g) lc rgb colour(g) title "model, ".title_of(g), \
        for [g in shown] runs(kind, g, "ms") using (column("ranks")):(column("ms")):(column("ms_least")):(column("ms_most")) with yerrorbars pt mark(g) ps size(g) lw 1.2 lc rgb colour(g) title "measured, ".title_of(g), \
        lines(kind, "row") using (column("ranks")):(start / column("ranks")) with lines dt (8, 6) lw 1.4 lc rgb "#777777" title "ideal"
    } else {
      unset logscale y
      set yrange [0:110<*]
      set title "weak scaling: a step of gradient descent"
      set ylabel "efficiency, %" offset 0.8, 0
      plot for [g in (model ? shown : "")] lines(kind, g) using (column("ranks")):(100 * column("efficiency")) with lines lw width(g) lc rgb colour(g) title "model, ".title_of(g), \
        for [g in shown] runs(kind, g, "ms") using (column("ranks")):(100 * column("efficiency")) with points pt mark(g) ps size(g) lw 1.2 lc rgb colour(g) title "measured, ".title_of(g), \
        100 with lines dt (8, 6) lw 1.4 lc rgb "#777777" title "ideal"
    }
    unset output
  }

  # ---------------------------------------------------------------- volume
  kinds = (words(having("strong", "sent_bytes")) ? "strong " : "") . (words(having("weak", "sent_bytes")) ? "weak" : "")
  if (words(kinds) > 0) {
    wide = 250 + 400 * words(kinds); high = 400
    eval terminal eq "svg" ? open_svg : open_png
    set output sprintf("%s/volume.%s", dir, terminal)
    set multiplot
    set logscale y
    set yrange [*:*]
    set xrange [1.8:*]
    set format y "%g"
    do for [i = 1:words(kinds)] {
      kind = word(kinds, i)
      shown = reversed(having(kind, "sent_bytes"))
      set lmargin at screen (400.0 * (i - 1) + 70) / wide
      set rmargin at screen (400.0 * i - 15) / wide
      set tmargin at screen 0.9; set bmargin at screen 0.15
      set title kind eq "strong" ? "the same problem on all ranks" : "a problem that grows with the ranks"
      set ylabel "sent by a rank in a step, MB" offset 0.8, 0
      if (i < words(kinds)) { unset key } else { set key at graph 1.03, 0.98 left top reverse Left samplen 2 spacing 1.15 noautotitle }
      plot for [g in shown] lines(kind, g) using (column("ranks") > 1 ? column("ranks") : NaN):(column("sent_bytes") / 1e6) with lines lw width(g) lc rgb colour(g) title "model, ".title_of(g), \
        for [g in shown] runs(kind, g, "sent_bytes") using (column("ranks")):(column("sent_bytes") / 1e6) with points pt mark(g) ps size(g) lw 1.2 lc rgb colour(g) title "counted, ".title_of(g)
    }
    unset multiplot
    unset output
  }

  # ---------------------------------------------------------------- predictions: a row of panels for each problem
  n = words(problems)
  if (n > 0) {
    wide = 4 * 270; high = n * 250 + 60
    legend = 50.0 / high
    eval terminal eq "svg" ? open_svg : open_png
    set output sprintf("%s/prediction.%s", dir, terminal)
    set multiplot
    unset key
    set logscale y
    set format y "10^{%T}"
    set xrange [1:4500]
    set xtics ("1" 1, "16" 16, "256" 256, "4096" 4096)
    do for [i = 1:n] {
      p = word(problems, i)
      top = 1 - (i - 1) * 250.0 / high
      do for [j = 1:4] {
        g = word(grids, j)
        set lmargin at screen ((j - 1) * 270.0 + 62) / wide
        set rmargin at screen (j * 270.0 - 22) / wide
        set tmargin at screen top - 30.0 / high
        set bmargin at screen top - (250.0 - 48) / high
        set title p.": ".title_of(g) offset 0, -0.5 font ",11"
        set yrange [p eq "20news" ? 1e-4 : 1e-3:*]
        if (j == 1) { set ylabel "a step, ms" offset 0.6, 0 } else { unset ylabel }
        plot parts(p, g) using (column("ranks")):(column("total_ms")) with lines lw 4 lc rgb "#bbbbbb", \
          parts(p, g) using (column("ranks")):(column("compute_ms")) with lines lw 1.8 lc rgb "#0072B2", \
          parts(p, g) using (column("ranks")):(column("latency_ms")) with lines lw 1.8 lc rgb "#E69F00", \
          parts(p, g) using (column("ranks")):(column("volume_ms")) with lines lw 1.8 lc rgb "#C4420A"
      }
    }
    unset title; unset xlabel; unset ylabel; unset xtics; unset ytics; unset border; unset grid; unset logscale
    set lmargin at screen 0; set rmargin at screen 1; set bmargin at screen 0; set tmargin at screen legend
    set xrange [0:1]; set yrange [0:1]
    set key at screen 0.5, legend / 2 center center horizontal maxrows 1 samplen 2.6 reverse Left
    plot NaN with lines lw 4 lc rgb "#bbbbbb" title "a whole step", NaN with lines lw 1.8 lc rgb "#0072B2" title "computing", \
      NaN with lines lw 1.8 lc rgb "#E69F00" title "latency of messages", NaN with lines lw 1.8 lc rgb "#C4420A" title "volume of messages"
    unset multiplot
    unset output
    # as before, for the other terminal
    set border 3 lc rgb "#444444"
    set grid ytics lt 1 lc rgb "#dcdcdc" lw 1
    set xtics out nomirror scale 0.5
    set xtics autofreq
    set ytics out nomirror scale 0.5
    set logscale x 2
    set xlabel "ranks, P" offset 0, 0.3
    set key at graph 1.03, 0.98 left top reverse Left samplen 2 spacing 1.15 noautotitle
  }
}
