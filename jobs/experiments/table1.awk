# The paper's Table 1 and 2 on 20 newsgroups, from what jobs/experiments/table1.sh gathered: awk -F, -f table1.awk table1.csv
# For each kind of features a Markdown table, means over the splits with the least and the largest in brackets, the paper's
# numbers beside; then what the paper's table shows, "yes" or "no" in front, for each split.

BEGIN {
  # objective, test accuracy in per cent
  paper["itd-10"] = "1.08 61.3"; paper["itd-25"] = "0.97 62.8"; paper["itd-50"] = "0.89 64.2"
  paper["fp-10"] = "1.03 62.1"; paper["fp-25"] = "1.02 62.3"; paper["fp-50"] = "0.84 64.4"
  paper["cg-10"] = "0.93 63.7"; paper["cg-25"] = "0.78 63.3"; paper["cg-50"] = "0.64 63.1"
  paper["fp10-25"] = "0.94 63.6"; paper["fp10-50"] = "0.97 63.0"
  paper["cg10-25"] = "0.82 64.3"; paper["cg10-50"] = "0.75 64.2"
  ncells = split("itd-10 fp-10 cg-10 itd-25 fp-25 cg-25 fp10-25 cg10-25 itd-50 fp-50 cg-50 fp10-50 cg10-50", cells, " ")
  called["itd"] = "ITD"; called["fp"] = "FP, k = t"; called["cg"] = "CG, k = t"
  called["fp10"] = "FP, k = 10"; called["cg10"] = "CG, k = 10"
}

# ------------------------------------------------------------------ reading
NR == 1 { for (i = 1; i <= NF; i++) name[i] = $i; next }
{
  if (!($1 in known)) { known[$1] = 1; weights[++nweights] = $1 }
  if (!(($1, $2) in split_known)) { split_known[$1, $2] = 1; splits[$1, ++nsplits[$1]] = $2 }
  for (i = 4; i <= NF; i++) value[$1, $2, $3, name[i]] = $i
}

# ------------------------------------------------------------------ telling
# The mean over the splits that have it, and where they are several its range.
function mean(weight, cell, what, format, factor, i, x, n, sum, least, most) {
  n = sum = 0
  for (i = 1; i <= nsplits[weight]; i++) {
    if (value[weight, splits[weight, i], cell, what] == "") continue
    x = factor * value[weight, splits[weight, i], cell, what]
    if (!n || x < least) least = x
    if (!n || x > most) most = x
    sum += x
    n++
  }
  if (!n) return "-"
  if (n == 1) return sprintf(format, sum)
  return sprintf(format " [" format ", " format "]", sum / n, least, most)
}
# The step sizes chosen; in italics one at an end of the grid.
function chosen(weight, cell, i, s, step, text) {
  text = ""
  for (i = 1; i <= nsplits[weight]; i++) {
    s = weight SUBSEP splits[weight, i] SUBSEP cell SUBSEP
    step = value[s "upper_step"]
    if (step == "") continue
    if (step + 0 == value[s "least_tried"] + 0 || step + 0 == value[s "most_tried"] + 0) step = "*" step "*"
    text = text (text == "" ? "" : ", ") step
  }
  return text
}
function has(weight, s, cell) { return value[weight, s, cell, "objective"] != "" }
function f(weight, s, cell) { return value[weight, s, cell, "objective"] + 0 }
function note(so, what) { printf "- %s: %s\n", so ? "yes" : "no", what }

function order(weight, s, t, i, a, b) {
  split("cg-" t " cg10-" t " cg10-" t " cg10-" t, a, " ")
  split("cg10-" t " fp-" t " fp10-" t " itd-" t, b, " ")
  for (i = 1; i <= 4; i++)
    if (has(weight, s, a[i]) && has(weight, s, b[i]))
      note(f(weight, s, a[i]) < f(weight, s, b[i]),
        sprintf("split %s, %s below %s: %.4f, %.4f", s, a[i], b[i], f(weight, s, a[i]), f(weight, s, b[i])))
}

END {
  for (i = 1; i <= nweights; i++) {
    w = weights[i]
    printf "%sFeatures: %s. Italics: a step size at an end of the grid.\n\n", (i > 1 ? "\n" : ""), w
    print "| t | method | f at w_t | test % | f at w(lambda) | test % | paper: f (test %) | upper step | s | MB a rank |"
    print "|---|---|---|---|---|---|---|---|---|---|"
    for (j = 1; j <= ncells; j++) {
      c = cells[j]
      if (mean(w, c, "objective", "%.3f", 1) == "-") continue
      split(c, m, "-")
      split(paper[c], p, " ")
      printf "| %s | %s | %s | %s | %s | %s | %s (%s) | %s | %s | %s |\n", m[2], called[m[1]],
        mean(w, c, "objective", "%.3f", 1), mean(w, c, "test_accuracy", "%.1f", 100),
        mean(w, c, "exact_objective", "%.3f", 1), mean(w, c, "exact_test_accuracy", "%.1f", 100), p[1], p[2],
        chosen(w, c), mean(w, c, "solve_s", "%.0f", 1), mean(w, c, "peak_bytes", "%.0f", 1e-6)
    }
    print ""
    for (k = 1; k <= nsplits[w]; k++) {
      s = splits[w, k]
      order(w, s, 25)
      order(w, s, 50)
      above = lower = n = 0
      for (j = 1; j <= ncells; j++) {
        c = cells[j]
        if (!has(w, s, c)) continue
        n++
        split(paper[c], p, " ")
        if (f(w, s, c) > p[1] + 0.03) above++
        if (100 * value[w, s, c, "test_accuracy"] < p[2]) lower++
      }
      note(!above, sprintf("split %s, objectives at most 0.03 above the paper's: %d of %d", s, n - above, n))
      note(!lower, sprintf("split %s, test accuracies no lower: %d of %d", s, n - lower, n))
    }
  }
}
