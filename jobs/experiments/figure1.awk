# What Figure 1 must show, from the tables of its panels: awk -f figure1.awk DIR/PANEL/means.csv... DIR/PANEL/study.csv...
# One line a statement with the figures behind it, "ok" or "NOT" in front; exit code 1 if one is NOT so. What the paper found
# and need not be so everywhere has "yes" or "no" in front. That CG with k = t is at or below the fixed point is of that kind:
# the error has two parts, of w_t and of the adjoint (columns iterate_error, adjoint_error); CG's second part is nearly
# nothing, so that its error is that of an exact adjoint, while the fixed point's second part may cancel some of the first.
# What must be so: CG is at or below the fixed point or as good as an exact adjoint, and its second part is the smaller one.
# A panel is the name of the folder its tables are in.

function panel_of(path, part, n) {
  n = split(path, part, "/")
  return part[n - 1]
}
function tell(good, what) {
  printf "%-3s %s\n", good ? "ok" : "NOT", what
  if (!good) failures++
}
function note(so, what) { printf "%-3s %s\n", so ? "yes" : "no", what }
function exists(panel) { return panel in last }

# ------------------------------------------------------------------ reading
FNR == 1 {
  panel = panel_of(FILENAME)
  split("", at)
  for (i = 1; i <= NF; i++) at[$i] = i
  means = "relative_error_mean" in at
  if (means) { panels[++npanels] = panel; last[panel] = 0 }
  next
}
means {
  t = $at["t"] + 0
  m = $at["method"]
  if (m == "itd") { step[panel, last[panel]++] = t } # each t once: itd comes in all panels
  e[panel, m, t] = $at["relative_error_mean"]
  iterate[panel, m, t] = $at["relative_iterate_error_mean"]
  adjoint[panel, m, t] = $at["relative_adjoint_error_mean"]
  bound[panel, m, t] = $at["relative_theorem_mean"] != "" ? $at["relative_theorem_mean"] : $at["relative_bound_mean"]
  next
}
{
  key = panel SUBSEP $at["sample"] SUBSEP $at["t"]
  m = $at["method"]
  relative = $at["relative_error"]
  kappa = $at["L"] / $at["mu"]
  if (!(panel in kappa_least) || kappa < kappa_least[panel]) kappa_least[panel] = kappa
  if (!(panel in kappa_most) || kappa > kappa_most[panel]) kappa_most[panel] = kappa
  if (m == "itd") itd[key] = relative
  if (m == "fp" && key in itd) {
    d = relative - itd[key]
    if (d < 0) d = -d
    if (d > apart[panel]) apart[panel] = d
  }
  if (m == "fp" && $at["iterate_error"] > 0 && $at["adjoint_error"] > 1e-12 * $at["norm"] && between(relative)) {
    a = $at["iterate_error"]; b = $at["adjoint_error"]
    angles[panel]++
    cosine[panel] += ($at["error"] ^ 2 - a ^ 2 - b ^ 2) / (2 * a * b)
  }
  rounding = 100 * 2.2e-16 * kappa * $at["norm"]
  for (i = 1; i <= 2; i++) {
    value = $at[i == 1 ? "theorem" : "bound"]
    if (value == "") continue
    values[panel, i]++
    if ($at["error"] > value + rounding) below[panel, i]++
  }
}

# ------------------------------------------------------------------ statements
# slope of log(mean error) over the t where it is in [1e-9, 1e-1] and above twice its floor, and how straight it is
function fit(panel, m, table,    i, t, y, n, st, sy, stt, sty, syy, low, s, r) {
  low = floor_of(panel, m) * 2
  if (low < 1e-9) low = 1e-9
  n = st = sy = stt = sty = syy = 0
  for (i = 0; i < last[panel]; i++) {
    t = step[panel, i]
    if (!(e[panel, m, t] >= low && e[panel, m, t] <= 1e-1)) continue
    y = table == "bound" ? bound[panel, m, t] : e[panel, m, t]
    if (y == "" || y <= 0) continue
    y = log(y)
    n++; st += t; sy += y; stt += t * t; sty += t * y; syy += y * y
  }
  if (n < 3) return 0
  s = (n * sty - st * sy) / (n * stt - st * st)
  r = (n * sty - st * sy) ^ 2 / ((n * stt - st * st) * (n * syy - sy * sy))
  straight = r
  points = n
  return exp(s)
}
function floor_of(panel, m,    i, t, low) {
  low = 1e300
  for (i = 0; i < last[panel]; i++) {
    t = step[panel, i]
    if (e[panel, m, t] != "" && e[panel, m, t] + 0 < low) low = e[panel, m, t] + 0
  }
  return low
}
function between(x) { return x != "" && x + 0 >= 1e-9 && x + 0 <= 1e-1 }
# The mean error of a method beside another's, where both are between 1e-9 and 1e-1, with 5 % of slack: sets n, n without
# bad, and the largest ratio and its t. With `spared`, a t does not count as bad where the first is as good as an exact adjoint.
function compare(panel, better, worse, spared,    i, t, ratio, limit) {
  n = bad = worst = at_t = 0
  for (i = 0; i < last[panel]; i++) {
    t = step[panel, i]
    if (!between(e[panel, better, t]) || !between(e[panel, worse, t])) continue
    n++
    limit = e[panel, worse, t] + 0
    if (spared && iterate[panel, better, t] + 0 > limit) limit = iterate[panel, better, t] + 0
    ratio = e[panel, better, t] / limit
    if (ratio > worst) { worst = ratio; at_t = t }
    if (ratio > 1.05) bad++
  }
  return sprintf("at %d of %d t; largest ratio %.4f (t = %d)", n - bad, n, worst, at_t)
}
# The mean of the part of CG's error that is the adjoint's beside the fixed point's, above rounding.
function compare_adjoints(panel,    i, t, ratio, sum) {
  n = bad = worst = sum = 0
  for (i = 1; i < last[panel]; i++) {
    t = step[panel, i]
    if (t == 0 || !(adjoint[panel, "fp", t] > 1e-12)) continue
    n++
    ratio = adjoint[panel, "cg", t] / adjoint[panel, "fp", t]
    if (ratio > worst) { worst = ratio; at_t = t }
    if (ratio > 1.05) bad++
    sum += log(ratio > 1e-16 ? ratio : 1e-16)
  }
  return sprintf("at %d of %d t; largest ratio %.2g (t = %d), geometric mean %.2g", n - bad, n, worst, at_t, n ? exp(sum / n) : 0)
}

END {
  split("itd fp cg", whole, " ")
  for (p = 1; p <= npanels; p++) {
    panel = panels[p]
    tell(kappa_least[panel] >= 10 && kappa_most[panel] <= 1000,
         sprintf("%s: kappa by formula %.3g to %.3g, within 10 .. 1000", panel, kappa_least[panel], kappa_most[panel]))
    for (j = 1; j <= 3; j++) {
      m = whole[j]
      rate = fit(panel, m, "error")
      s = straight
      n = points
      b = fit(panel, m, "bound")
      tell(rate > 0 && rate < 1 && s > 0.97, sprintf("%s: %s decreases linearly: rate %.4f a step over %d t (r^2 %.4f)%s", panel, m, rate, n, s,
           b > 0 ? sprintf("; its bound's %.4f", b) : "; no bound"))
      tell(floor_of(panel, m) < 1e-12, sprintf("%s: %s ends at a mean relative error of %.2e, below 1e-12", panel, m, floor_of(panel, m)))
    }
    figures = compare(panel, "cg", "fp")
    note(n > 0 && !bad, sprintf("%s: mean error cg <= fp: %s; cosine of the two parts of fp's error %.2f", panel, figures,
         angles[panel] ? cosine[panel] / angles[panel] : 0))
    figures = compare(panel, "cg", "fp", 1)
    tell(n > 0 && !bad, sprintf("%s: mean error cg <= fp or that of an exact adjoint: %s", panel, figures))
    figures = compare_adjoints(panel)
    tell(n > 0 && !bad, sprintf("%s: the adjoint's part cg <= fp: %s", panel, figures))
    figures = compare(panel, "fp", "itd")
    tell(n > 0 && !bad, sprintf("%s: mean error fp <= itd: %s", panel, figures))
    for (i = 1; i <= 2; i++)
      if (values[panel, i])
        tell(!below[panel, i], sprintf("%s: %s below the error: %d of %d", panel, i == 1 ? "theorem" : "certificate", below[panel, i], values[panel, i]))
    cg10 = e[panel, "cg:10", step[panel, last[panel] - 1]]
    fp10 = e[panel, "fp:10", step[panel, last[panel] - 1]]
    if (cg10 != "" && fp10 != "") {
      compared++
      if (cg10 + 0 < fp10 + 0) better++
      ten = ten sprintf("%s%s %.1e and %.1e", compared > 1 ? "; " : "", panel, cg10, fp10)
    }
  }
  if (exists("biasedreg"))
    tell(apart["biasedreg"] <= 1e-12, sprintf("biasedreg: fp and itd are the same number: relative errors apart by %.1e at most", apart["biasedreg"]))
  if (exists("hyperrep")) {
    most = 0
    for (i = 1; i < last["hyperrep"]; i++) {
      t = step["hyperrep", i]
      if (e["hyperrep", "itd", t] > most) { most = e["hyperrep", "itd", t]; when = t }
    }
    tell(most > e["hyperrep", "itd", 0], sprintf("hyperrep rises first: relative error of itd %.3g at t = 0, %.3g at t = %d", e["hyperrep", "itd", 0], most, when))
  }
  if (compared)
    tell(better >= 3 || better == compared, sprintf("CG with k = 10 ends below the fixed point with k = 10 in %d of %d: %s", better, compared, ten))
  exit failures > 0 || npanels == 0
}
