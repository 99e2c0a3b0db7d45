# Figure 2 of the paper, from the upper steps of all runs that jobs/experiments/figure2.sh gathered:
#   awk -F, -v out=DIR -v main=0.2 -v compare=200 -f figure2.awk DIR/steps.csv
# Writes DIR/figure2.csv, a row a run; DIR/curves.csv, mean, least and largest over the starts at each upper step with learning
# rate `main`; DIR/rates.csv, f after `compare` steps of the first start with each learning rate. Prints a Markdown table and what
# the paper says, "yes" or "no" in front.

BEGIN {
  OFS = ","
  split("itd fp cg", methods, " ")
  split("projected free", kinds, " ")
  called["itd"] = "ITD"; called["fp"] = "FP, k = t"; called["cg"] = "CG on the normal equations, k = t"
  ncolumns = split("objective hypergradient_norm test_accuracy local_q local_q_bound norm_A", columns, " ")
}
function finite(x) { return x != "" && x !~ /[ni]/ }

# ------------------------------------------------------------------ reading
NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
{
  run = $1 SUBSEP $2 SUBSEP $3 SUBSEP $4
  if (!(run in steps)) { runs[++nruns] = run; first[run] = $at["objective"] }
  step = $at["upper_step"]
  steps[run] = step
  reason[run] = $at["reason"]
  f = $at["objective"]
  value[run, step] = f
  last[run] = f
  if (finite($at["test_accuracy"])) { tested[run] = $at["test_accuracy"]; tested_at[run, step] = $at["test_accuracy"] }
  if (finite(f) && (!(run in best) || f < best[run])) best[run] = f
  if (finite(f) && (!(run in worst) || f > worst[run])) worst[run] = f
  norm = $at["hypergradient_norm"]
  if (finite(norm) && (!(run in steepest) || norm > steepest[run])) steepest[run] = norm
  if (finite($at["local_q"]) && $at["local_q"] > most_q[run]) most_q[run] = $at["local_q"]
  if (finite($at["norm_A"]) && $at["norm_A"] > most_A[run]) most_A[run] = $at["norm_A"]
  if ($at["adjoint_s"] != "" && $at["adjoint_products"] != "") {
    n[run]++
    lower[run] += $at["lower_s"]
    adjoint[run] += $at["adjoint_s"]
    k[run] += $at["adjoint_steps"]
    products[run] += $at["adjoint_products"]
  }
  if ($3 + 0 != main + 0) next
  for (i = 1; i <= ncolumns; i++) {
    x = $at[columns[i]]
    if (!finite(x)) continue
    c = $1 SUBSEP $2 SUBSEP step SUBSEP columns[i]
    if (!count[c] || x < least[c]) least[c] = x
    if (!count[c] || x > most[c]) most[c] = x
    sum[c] += x
    count[c]++
  }
  if (step > most_steps) most_steps = step
}

# ------------------------------------------------------------------ what is asked for more than once
function per_step(run, x) { return n[run] ? x[run] / n[run] : "" }
# f after `compare` steps: "" where the run has not come so far, inf where it diverged before.
function compared(run) {
  if ((run, compare) in value) return finite(value[run, compare]) ? value[run, compare] : "inf"
  return reason[run] ~ /DIVERGED/ ? "inf" : ""
}
function is_trained(run, x) {
  x = compared(run)
  return x != "" && x != "inf" && x < 0.5 * first[run]
}
# Over the starts with learning rate `main`: the mean of an array, its range in brackets.
function over(kind, method, x, format, factor, i, p, a, b, s, m) {
  m = s = 0
  for (i = 1; i <= nruns; i++) {
    split(runs[i], p, SUBSEP)
    if (p[1] != kind || p[2] != method || p[3] + 0 != main + 0 || !finite(x[runs[i]])) continue
    if (!m || x[runs[i]] < a) a = x[runs[i]]
    if (!m || x[runs[i]] > b) b = x[runs[i]]
    s += x[runs[i]]
    m++
  }
  if (!m) return "-"
  if (m == 1) return sprintf(format, factor * s)
  return sprintf(format " [" format ", " format "]", factor * s / m, factor * a, factor * b)
}
function note(so, what) { printf "- %s: %s\n", so ? "yes" : "no", what }
function sort(x, m, i, j, t) {
  for (i = 2; i <= m; i++) {
    t = x[i]
    for (j = i - 1; j >= 1 && x[j] > t; j--) x[j + 1] = x[j]
    x[j + 1] = t
  }
}

# ------------------------------------------------------------------ tables
function write_runs(i, run, p, file) {
  file = out "/figure2.csv"
  print "kind,method,learning_rate,seed,reason,upper_steps,objective,best_objective,largest_objective,test_accuracy,objective_compared," \
    "largest_norm,largest_local_q,largest_norm_A,lower_s,adjoint_s,adjoint_steps,adjoint_products" > file
  for (i = 1; i <= nruns; i++) {
    run = runs[i]
    split(run, p, SUBSEP)
    print p[1], p[2], p[3], p[4], reason[run], steps[run], last[run], best[run], worst[run], tested[run], compared(run), steepest[run],
      most_q[run], most_A[run], per_step(run, lower), per_step(run, adjoint), per_step(run, k), per_step(run, products) > file
  }
  close(file)
}
function write_curves(i, j, s, l, c, row, some, file) {
  file = out "/curves.csv"
  row = "kind,method,upper_step"
  for (l = 1; l <= ncolumns; l++) row = row OFS columns[l] OFS columns[l] "_least" OFS columns[l] "_most"
  print row > file
  for (i = 1; i <= 2; i++) for (j = 1; j <= 3; j++) for (s = 0; s <= most_steps; s++) {
    row = kinds[i] OFS methods[j] OFS s
    some = 0
    for (l = 1; l <= ncolumns; l++) {
      c = kinds[i] SUBSEP methods[j] SUBSEP s SUBSEP columns[l]
      some += count[c]
      row = row OFS (count[c] ? sum[c] / count[c] OFS least[c] OFS most[c] : OFS OFS)
    }
    if (some) print row > file
  }
  close(file)
}
# A row a learning rate, of the first start that has it; 100 stands for what diverged or is larger.
function write_rates(i, run, p, f, file, sorted, seen) {
  file = out "/rates.csv"
  sorted = "LC_ALL=C sort -t, -k1,1 -k2,2 -k3,3g >>'" file "'"
  print "kind,method,learning_rate,objective,shown,trained,largest_norm" > file
  close(file)
  for (i = 1; i <= nruns; i++) {
    run = runs[i]
    split(run, p, SUBSEP)
    f = compared(run)
    if (f == "" || ((p[1], p[2], p[3]) in seen)) continue
    seen[p[1], p[2], p[3]] = 1
    tried[p[1], p[2]]++
    trained[p[1], p[2]] += is_trained(run)
    told[p[1], p[2]] = told[p[1], p[2]] (told[p[1], p[2]] == "" ? "" : ", ") p[3] ": " (f == "inf" ? "diverged" : sprintf("%.3g", f))
    print p[1], p[2], p[3], f, (f == "inf" || f > 100 ? 100 : f), is_trained(run), steepest[run] | sorted
  }
  close(sorted)
}

# ------------------------------------------------------------------ statements
# The three curves of a start and a learning rate: the median over the upper steps of how far they are apart, next to the least, and that at the last.
function overlap(i, p, seed, a, b, c, s, m, x, low, high, spread) {
  for (i = 1; i <= nruns; i++) {
    split(runs[i], p, SUBSEP)
    if (p[1] != "projected" || p[2] != "itd") continue
    a = runs[i]
    b = "projected" SUBSEP "fp" SUBSEP p[3] SUBSEP p[4]
    c = "projected" SUBSEP "cg" SUBSEP p[3] SUBSEP p[4]
    if (!(b in steps) || !(c in steps)) continue
    m = 0
    for (s = 1; (a, s) in value && (b, s) in value && (c, s) in value; s++) {
      if (!finite(value[a, s]) || !finite(value[b, s]) || !finite(value[c, s])) break
      low = high = value[a, s]
      if (value[b, s] < low) low = value[b, s]; if (value[b, s] > high) high = value[b, s]
      if (value[c, s] < low) low = value[c, s]; if (value[c, s] > high) high = value[c, s]
      spread[++m] = (high - low) / low
    }
    if (!m) continue
    x = spread[m]
    sort(spread, m)
    note(spread[int((m + 1) / 2)] <= 0.05,
      sprintf("projected, learning rate %s, start %s, the three curves overlap: f differs by %.2g %% in the median over %d upper steps (at most 5 %%), by %.2g %% at the last",
        p[3], p[4], 100 * spread[int((m + 1) / 2)], m, 100 * x))
  }
}
# Seconds of an upper step's lower level and adjoint; steps and products of the adjoint; over all starts at `main`.
function totals(kind, i, p) {
  for (i = 1; i <= nruns; i++) {
    split(runs[i], p, SUBSEP)
    if (p[1] != kind || p[3] + 0 != main + 0) continue
    all_n[p[2]] += n[runs[i]]
    all_s[p[2]] += lower[runs[i]] + adjoint[runs[i]]
    all_adjoint[p[2]] += adjoint[runs[i]]
    all_k[p[2]] += k[runs[i]]
    all_products[p[2]] += products[runs[i]]
  }
}
function times(ratio) {
  totals("projected")
  if (!all_products["fp"] || !all_products["cg"]) return
  if (all_n["itd"])
    note(all_s["fp"] / all_n["fp"] < all_s["cg"] / all_n["cg"] && all_s["fp"] / all_n["fp"] < all_s["itd"] / all_n["itd"],
      sprintf("projected, FP is the fastest: seconds an upper step ITD %.3g, FP %.3g, CG %.3g", all_s["itd"] / all_n["itd"],
        all_s["fp"] / all_n["fp"], all_s["cg"] / all_n["cg"]))
  note(all_products["fp"] == all_k["fp"] && all_products["cg"] == 2 * all_k["cg"] + all_n["cg"],
    sprintf("products with d1Phi or its transpose a hypergradient, that of the residual included: FP %.4g (k = %.4g, the first step needs none), CG %.4g (2 k + 1, k = %.4g)",
      all_products["fp"] / all_n["fp"], all_k["fp"] / all_n["fp"], all_products["cg"] / all_n["cg"], all_k["cg"] / all_n["cg"]))
  ratio = all_adjoint["cg"] / all_products["cg"] / (all_adjoint["fp"] / all_products["fp"])
  note(ratio >= 0.75 && ratio <= 1.25, sprintf("CG's adjoint takes %.2f times as long as its products beside FP's say (0.75 to 1.25)", ratio))
}
function rates(i, j, aid) {
  for (i = 1; i <= 2; i++) for (j = 1; j <= 3; j++)
    if (tried[kinds[i], methods[j]])
      printf "- %s, %s: f after %d upper steps with learning rate %s; below half of where it began with %d of %d\n", kinds[i],
        called[methods[j]], compare, told[kinds[i], methods[j]], trained[kinds[i], methods[j]], tried[kinds[i], methods[j]]
  if (!tried["free", "itd"] || !tried["free", "fp"] || !tried["free", "cg"]) return
  aid = trained["free", "fp"] > trained["free", "cg"] ? trained["free", "fp"] : trained["free", "cg"]
  note(2 * trained["free", "fp"] < tried["free", "fp"] && 2 * trained["free", "cg"] < tried["free", "cg"],
    "without projection FP and CG are unstable with most learning rates")
  note(trained["free", "itd"] > aid, "without projection ITD suffers less")
}

END {
  write_runs()
  write_curves()
  write_rates()
  printf "Learning rate %s, upper steps as each run has made them by now; mean [least, largest] over the starts.\n\n", main
  print "| | method | upper steps | f | largest f | test % | largest norm of the hypergradient | largest local q | largest norm of A | s a hypergradient |"
  print "|---|---|---|---|---|---|---|---|---|---|"
  for (i = 1; i <= nruns; i++) total[runs[i]] = n[runs[i]] ? (lower[runs[i]] + adjoint[runs[i]]) / n[runs[i]] : ""
  for (i = 1; i <= 2; i++) for (j = 1; j <= 3; j++) {
    if (over(kinds[i], methods[j], steps, "%d", 1) == "-") continue
    printf "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", kinds[i], called[methods[j]],
      over(kinds[i], methods[j], steps, "%d", 1), over(kinds[i], methods[j], last, "%.4f", 1),
      over(kinds[i], methods[j], worst, "%.3g", 1), over(kinds[i], methods[j], tested, "%.1f", 100),
      over(kinds[i], methods[j], steepest, "%.3g", 1), over(kinds[i], methods[j], most_q, "%.3g", 1),
      over(kinds[i], methods[j], most_A, "%.3g", 1), over(kinds[i], methods[j], total, "%.3g", 1)
  }
  print ""
  overlap()
  times()
  rates()
}
