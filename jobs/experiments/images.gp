# The images of problem distill by gnuplot 5.4 or newer, called by images.sh.
# Reads a canvas of numbers from the file PIXELS, a line for each row of pixels, writes BASE.svg and BASE.png.

across = classes * (wide + 2) - 2.0
down = each * (high + 2) - 2.0
stats pixels matrix nooutput
greater(a, b) = a > b ? a : b
most = greater(abs(STATS_min), abs(STATS_max))
if (most == 0) { most = 1 } # a white picture

scale = 960.0 / across
left = 10.0
right = 96.0 # the scale of colours
top = 26.0
bottom = 10.0
pagewide = left + right + scale * across
pagehigh = top + bottom + scale * down
if (pagehigh < 110) { bottom = bottom + 110 - pagehigh; pagehigh = 110 }

set palette defined (-1 "#08306b", -0.5 "#4292c6", 0 "#ffffff", 0.5 "#ef6548", 1 "#7f0000")
set cbrange [-most : most]
set xrange [-0.5 : across - 0.5]
set yrange [down - 0.5 : -0.5]
unset xtics; unset ytics; unset border; unset key
set lmargin at screen left / pagewide
set rmargin at screen 1 - right / pagewide
set tmargin at screen 1 - top / pagehigh
set bmargin at screen bottom / pagehigh
set colorbox user origin screen 1 - (right - 12) / pagewide, bottom / pagehigh size 12 / pagewide, 1 - (top + bottom) / pagehigh
set format cb "%.2g"
set cbtics (-most, 0, most) out nomirror scale 0.5
do for [i = 1:classes] {
  set label word(names, i) at (i - 1) * (wide + 2) + (wide - 1) / 2.0, graph 1 offset 0, 0.6 center noenhanced
}
do for [i = 1:classes] {
  do for [k = 1:each] {
    x = (i - 1) * (wide + 2)
    y = (k - 1) * (high + 2)
    set object rectangle from x - 0.5, y - 0.5 to x + wide - 0.5, y + high - 0.5 fs empty border lc rgb "#b0b0b0" lw 0.7 front
  }
}

do for [terminal in "svg png"] {
  if (terminal eq "svg") {
    set terminal svg size pagewide, pagehigh font "Helvetica,13" enhanced background "white"
  } else {
    set terminal pngcairo size pagewide, pagehigh font "Helvetica,11" enhanced
  }
  set output base . "." . terminal
  plot pixels matrix with image
  unset output
}
