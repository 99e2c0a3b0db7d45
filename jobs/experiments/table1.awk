# The paper's Table 1, or Table 2, from what jobs/experiments/table1.sh gathered:
#   awk -F, -v data=20news|parkinson|fashion-mnist -v table=1|2 -f table1.awk table1.csv
# For each kind of features a Markdown table, medians over the splits with the least and the largest in brackets. Table 1 has the
# paper's numbers beside, and behind it what the paper's shows, "yes" or "no" in front; where splits are many, methods are compared
# split by split, beside what differs from split to split.

BEGIN {
  # objective, test accuracy in per cent
  if (data == "parkinson") {
    cells_of("itd-100 2.39 75.8 fp-100 2.37 81.8 cg-100 2.37 78.8 fp10-100 2.71 80.3 cg10-100 2.33 77.3")
    cells_of("itd-150 2.11 69.7 fp-150 2.20 77.3 cg-150 2.20 77.3 fp10-150 2.60 78.8 cg10-150 2.02 77.3")
  } else if (data == "fashion-mnist") {
    cells_of("itd-5 0.41 84.1 fp-5 0.41 84.1 cg-5 0.42 83.9")
    cells_of("itd-10 0.43 83.8 fp-10 0.43 83.8 cg-10 0.42 84.0 fp5-10 0.42 83.9 cg5-10 0.42 84.0")
  } else {
    cells_of("itd-10 1.08 61.3 fp-10 1.03 62.1 cg-10 0.93 63.7")
    cells_of("itd-25 0.97 62.8 fp-25 1.02 62.3 cg-25 0.78 63.3 fp10-25 0.94 63.6 cg10-25 0.82 64.3")
    cells_of("itd-50 0.89 64.2 fp-50 0.84 64.4 cg-50 0.64 63.1 fp10-50 0.97 63.0 cg10-50 0.75 64.2")
  }
}
function cells_of(text, i, n, part) {
  n = split(text, part, " ")
  for (i = 1; i <= n; i += 3) {
    cells[++ncells] = part[i]
    paper_f[part[i]] = part[i + 1]
    paper_test[part[i]] = part[i + 2]
  }
}
function method(cell) { sub(/-.*/, "", cell); return cell }
function steps(cell) { sub(/.*-/, "", cell); return cell }
function called(cell, k) {
  k = method(cell)
  gsub(/[a-z]/, "", k)
  return toupper(cell ~ /^itd/ ? "itd" : substr(cell, 1, 2)) (cell ~ /^itd/ ? "" : k == "" ? ", k = t" : ", k = " k)
}

# ------------------------------------------------------------------ reading
NR == 1 { for (i = 1; i <= NF; i++) name[i] = $i; next }
{
  if (!($1 in known)) { known[$1] = 1; weights[++nweights] = $1 }
  if (!(($1, $2) in split_known)) { split_known[$1, $2] = 1; splits[$1, ++nsplits[$1]] = $2 }
  for (i = 4; i <= NF; i++) value[$1, $2, $3, name[i]] = $i
}

# ------------------------------------------------------------------ telling
# x[1..n] in increasing order; their median.
function median(x, n, i, j, y) {
  for (i = 2; i <= n; i++) {
    y = x[i]
    for (j = i - 1; j >= 1 && x[j] > y; j--) x[j + 1] = x[j]
    x[j + 1] = y
  }
  return (x[int((n + 1) / 2)] + x[int(n / 2) + 1]) / 2
}
# The median over the splits that have it, and where they are several its range.
function over(weight, cell, what, format, factor, i, x, n, y) {
  n = 0
  for (i = 1; i <= nsplits[weight]; i++) {
    y = value[weight, splits[weight, i], cell, what]
    if (y != "") x[++n] = factor * y
  }
  if (!n) return "-"
  y = median(x, n)
  if (n == 1) return sprintf(format, y)
  return sprintf(format " [" format ", " format "]", y, x[1], x[n])
}
# The step sizes chosen, each with the number of splits where they are several; in italics one at an end of the grid.
function chosen(weight, cell, i, s, n, step, text, times, order) {
  n = 0
  for (i = 1; i <= nsplits[weight]; i++) {
    s = weight SUBSEP splits[weight, i] SUBSEP cell SUBSEP
    step = value[s "upper_step"]
    if (step == "") continue
    if (step + 0 == value[s "least_tried"] + 0 || step + 0 == value[s "most_tried"] + 0) step = "*" step "*"
    if (!times[step]++) order[++n] = step
  }
  text = ""
  for (i = 1; i <= n; i++)
    text = text (i > 1 ? ", " : "") order[i] (nsplits[weight] > 1 ? " (" times[order[i]] ")" : "")
  return text
}
function has(weight, s, cell) { return value[weight, s, cell, "objective"] != "" }
function f(weight, s, cell) { return value[weight, s, cell, "objective"] + 0 }
function test(weight, s, cell) { return 100 * value[weight, s, cell, "test_accuracy"] }
function note(so, what) { printf "- %s: %s\n", so ? "yes" : "no", what }

function table1(w, j, c) {
  print "| t | method | f at w_t | test % | f at w(lambda) | test % | paper: f (test %) | upper step | s | MB a rank |"
  print "|---|---|---|---|---|---|---|---|---|---|"
  for (j = 1; j <= ncells; j++) {
    c = cells[j]
    if (over(w, c, "objective", "%.3f", 1) == "-") continue
    printf "| %s | %s | %s | %s | %s | %s | %s (%s) | %s | %s | %s |\n", steps(c), called(c),
      over(w, c, "objective", "%.3f", 1), over(w, c, "test_accuracy", "%.1f", 100),
      over(w, c, "exact_objective", "%.3f", 1), over(w, c, "exact_test_accuracy", "%.1f", 100), paper_f[c], paper_test[c],
      chosen(w, c), over(w, c, "solve_s", "%.0f", 1), over(w, c, "peak_bytes", "%.0f", 1e-6)
  }
}
function table2(w, j, c, i, s) {
  for (j = 1; j <= ncells; j++)
    for (i = 1; i <= nsplits[w]; i++) {
      s = w SUBSEP splits[w, i] SUBSEP cells[j] SUBSEP
      if (value[s "exact_objective"] != "") value[s "moved"] = value[s "exact_objective"] - value[s "objective"]
    }
  print "| t | method | f at w(lambda) | test % | test loss | less f at w_t | \\|\\|Phi(w) - w\\|\\| / \\|\\|w\\|\\| | s |"
  print "|---|---|---|---|---|---|---|---|"
  for (j = 1; j <= ncells; j++) {
    c = cells[j]
    if (over(w, c, "objective", "%.3f", 1) == "-") continue
    printf "| %s | %s | %s | %s | %s | %s | %s | %s |\n", steps(c), called(c), over(w, c, "exact_objective", "%.3f", 1),
      over(w, c, "exact_test_accuracy", "%.1f", 100), over(w, c, "exact_test_loss", "%.3f", 1), over(w, c, "moved", "%.3f", 1),
      over(w, c, "exact_change", "%.0e", 1), over(w, c, "exact_s", "%.1f", 1)
  }
}

# ------------------------------------------------------------------ what the paper's shows
function order(weight, s, t, i, a, b) {
  split("cg-" t " cg10-" t " cg10-" t " cg10-" t, a, " ")
  split("cg10-" t " fp-" t " fp10-" t " itd-" t, b, " ")
  for (i = 1; i <= 4; i++)
    if (has(weight, s, a[i]) && has(weight, s, b[i]))
      note(f(weight, s, a[i]) < f(weight, s, b[i]),
        sprintf("split %s, %s below %s: %.4f, %.4f", s, a[i], b[i], f(weight, s, a[i]), f(weight, s, b[i])))
}
# In each split the objectives of all cells against a limit, and the accuracies: their own, or the paper's and `slack` above it.
function limits(w, s, limit, least, slack, j, c, n, above, lower) {
  above = lower = n = 0
  for (j = 1; j <= ncells; j++) {
    c = cells[j]
    if (!has(w, s, c)) continue
    n++
    if (f(w, s, c) > (limit ? limit : paper_f[c] + slack)) above++
    if (test(w, s, c) < (least ? least : paper_test[c])) lower++
  }
  note(!above, sprintf("split %s, objectives at most %s: %d of %d", s, limit ? limit : slack " above the paper's", n - above, n))
  note(!lower, sprintf("split %s, test accuracies %s: %d of %d", s, least ? "at least " least : "no lower", n - lower, n))
}
# Of each cell the splits that come to the paper's objective and `slack` more.
function reached(w, slack, j, i, c, n, below, least) {
  for (j = 1; j <= ncells; j++) {
    c = cells[j]
    n = below = 0
    for (i = 1; i <= nsplits[w]; i++) {
      if (!has(w, splits[w, i], c)) continue
      if (!n++ || f(w, splits[w, i], c) < least) least = f(w, splits[w, i], c)
      if (f(w, splits[w, i], c) <= paper_f[c] + slack) below++
    }
    if (n) note(below, sprintf("%s at most %.2f in %d of %d splits, %.3f in the best", c, paper_f[c] + slack, below, n, least))
  }
}
# Methods with the same t, split by split.
function differences(w, a, b, i, n, x, y, lower, m) {
  print ""
  print "| cell | beside | median of the differences of f [least, largest] | lower in | f of the former differs between splits by |"
  print "|---|---|---|---|---|"
  for (a = 1; a <= ncells; a++)
    for (b = a + 1; b <= ncells; b++) {
      if (steps(cells[a]) != steps(cells[b])) continue
      n = lower = 0
      for (i = 1; i <= nsplits[w]; i++) {
        if (!has(w, splits[w, i], cells[a]) || !has(w, splits[w, i], cells[b])) continue
        x[++n] = f(w, splits[w, i], cells[a]) - f(w, splits[w, i], cells[b])
        y[n] = f(w, splits[w, i], cells[a])
        if (x[n] < 0) lower++
      }
      if (n < 2) continue
      median(y, n)
      m = median(x, n)
      printf "| %s | %s | %.4f [%.4f, %.4f] | %d of %d | %.3f |\n", cells[a], cells[b], m, x[1], x[n], lower, n, y[n] - y[1]
    }
}

END {
  for (i = 1; i <= nweights; i++) {
    w = weights[i]
    printf "%sFeatures: %s.%s%s\n\n", (i > 1 ? "\n" : ""), w,
      (nsplits[w] > 1 ? " Medians over " nsplits[w] " splits [least, largest]." : ""),
      (table == 2 ? "" : " Italics: a step size at an end of the grid.")
    if (table == 2) {
      table2(w)
      continue
    }
    table1(w)
    print ""
    if (data == "parkinson") {
      reached(w, 0.1)
      if (nsplits[w] > 1) differences(w)
      continue
    }
    for (k = 1; k <= nsplits[w]; k++) {
      s = splits[w, k]
      if (data == "fashion-mnist") {
        limits(w, s, 0.43, 83.8, 0)
        continue
      }
      order(w, s, 25)
      order(w, s, 50)
      limits(w, s, 0, 0, 0.03)
    }
  }
}
