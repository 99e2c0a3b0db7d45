# What jobs/experiments/memory.sh gathered, as Markdown: awk -F, -f memory.awk memory.csv
# Peak memory of the rank with most against t, with the slope of a least-squares line; then the runs within a limit.

NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
{
  m = $at["method"]; t = $at["t"]; r = $at["ranks"]
  for (name in at) value[m, t, r, name] = $at[name]
  if (m != "revolve" && !((m, r) in column)) { column[m, r] = ++ncolumns; method[ncolumns] = m; ranks[ncolumns] = r }
  if (m == "revolve") { nlong++; long_t[nlong] = t; long_r[nlong] = r }
  if (!(t in known)) {
    known[t] = 1
    for (i = ++nt; i > 1 && ts[i - 1] + 0 > t + 0; i--) ts[i] = ts[i - 1]
    ts[i] = t
  }
}

function told(m, t, r, name, format, factor) {
  return value[m, t, r, name] == "" ? "-" : sprintf(format, factor * value[m, t, r, name])
}
function slope(m, r, i, n, x, y, sx, sy, sxx, sxy, per) { # MB a step
  n = sx = sy = sxx = sxy = 0
  for (i = 1; i <= nt; i++) {
    if (value[m, ts[i], r, "peak_bytes"] == "") continue
    x = ts[i]
    y = 1e-6 * value[m, ts[i], r, "peak_bytes"]
    n++; sx += x; sy += y; sxx += x * x; sxy += x * y
  }
  if (n < 2) return "-"
  per = (n * sxy - sx * sy) / (n * sxx - sx * sx)
  return sprintf("%.2f", per < 0 && per > -0.005 ? 0 : per)
}
function time(m, t, r) { return value[m, t, r, "lower_s"] == "" ? "-" : value[m, t, r, "lower_s"] + value[m, t, r, "adjoint_s"] }

END {
  # itd before aid, few ranks before many
  for (pass = 1; pass <= 2; pass++)
    for (i = 1; i <= ncolumns; i++)
      if (method[i] == (pass == 1 ? "itd" : "aid")) order[++norder] = i
  if (norder) {
    print "Peak memory of the rank with most, MB (time of the lower level and the reverse sweep or the adjoint, s).\n"
    line = "| t |"; rule = "|---|"; last = "| MB a step |"
    for (o = 1; o <= norder; o++) {
      i = order[o]
      line = line sprintf(" %s, %s |", toupper(method[i]), ranks[i] == 1 ? "1 rank" : ranks[i] " ranks")
      rule = rule "---|"
      last = last " " slope(method[i], ranks[i]) " |"
    }
    print line "\n" rule
    for (j = 1; j <= nt; j++) {
      line = "| " ts[j] " |"
      for (o = 1; o <= norder; o++) {
        i = order[o]
        line = line sprintf(" %s (%s) |", told(method[i], ts[j], ranks[i], "peak_bytes", "%.0f", 1e-6),
          time(method[i], ts[j], ranks[i]) == "-" ? "-" : sprintf("%.1f", time(method[i], ts[j], ranks[i])))
      }
      gsub(/ - \(-\) /, " - ", line)
      print line
    }
    print last
  }
  if (!nlong) exit
  print (norder ? "\n" : "") "ITD within a limit, by revolve: differences of hypergradients are relative, in the norm.\n"
  print "| t | ranks | limit, MB | states kept | steps made again | tape, MB | peak, MB | s | from all iterates | from AID, k = 10 |"
  print "|---|---|---|---|---|---|---|---|---|---|"
  for (k = 1; k <= nlong; k++) {
    t = long_t[k]; r = long_r[k]
    printf "| %s | %s | %s | %s | %s | %s | %s | %.1f | %s | %s |\n", t, r, told("revolve", t, r, "limit", "%.0f", 1e-6),
      told("revolve", t, r, "states_kept", "%d", 1), told("revolve", t, r, "steps_again", "%d", 1),
      told("revolve", t, r, "tape_bytes", "%.0f", 1e-6), told("revolve", t, r, "peak_bytes", "%.0f", 1e-6), time("revolve", t, r),
      told("revolve", t, r, "from_itd", "%.2g", 1), told("revolve", t, r, "from_aid", "%.2g", 1)
  }
}
