# What jobs/experiments/dataclean.sh gathered, as Markdown: awk -F, -f dataclean.awk dataclean.csv curve.csv
# Means over the seeds, with the least and the largest in brackets where there are several; then for each seed how far the learnt
# weights are from the right ones, after how many upper steps, and what they say of the labels.

FNR == 1 { file++; delete at; for (i = 1; i <= NF; i++) at[$i] = i; next }
file == 1 {
  if (!($at["seed"] in known)) { known[$at["seed"]] = 1; seeds[++nseeds] = $at["seed"] }
  for (name in at) value[$at["seed"], $at["run"], name] = $at[name]
}
file == 2 {
  seed = $at["seed"]
  curve[seed, $at["step"]] = $at["test_accuracy"]
  if ($at["step"] > last[seed]) last[seed] = $at["step"]
}

function mean(run, what, format, factor, i, x, n, sum, least, most) {
  n = sum = 0
  for (i = 1; i <= nseeds; i++) {
    if (value[seeds[i], run, what] == "") continue
    x = factor * value[seeds[i], run, what]
    if (!n || x < least) least = x
    if (!n || x > most) most = x
    sum += x
    n++
  }
  if (!n) return "-"
  if (n == 1) return sprintf(format, sum)
  return sprintf(format " [" format ", " format "]", sum / n, least, most)
}
# The first upper step from which on the accuracy is at most that much below the oracle's; empty where it never is.
function within(seed, below, step, first) {
  first = ""
  for (step = last[seed]; step >= 0; step--) {
    if (curve[seed, step] == "") continue
    if (curve[seed, step] < value[seed, "oracle", "test_accuracy"] - below) break
    first = step
  }
  return first
}

END {
  print "| weights | validation loss | validation accuracy % | test loss | test accuracy % | upper steps | s |"
  print "|---|---|---|---|---|---|---|"
  nruns = split("unweighted learnt oracle", runs, " ")
  for (r = 1; r <= nruns; r++) {
    if (mean(runs[r], "test_accuracy", "%f", 1) == "-") continue
    printf "| %s | %s | %s | %s | %s | %s | %s |\n", runs[r], mean(runs[r], "val_loss", "%.4f", 1),
      mean(runs[r], "val_accuracy", "%.2f", 100), mean(runs[r], "test_loss", "%.4f", 1),
      mean(runs[r], "test_accuracy", "%.2f", 100), mean(runs[r], "steps", "%d", 1), mean(runs[r], "solve_s", "%.1f", 1)
  }
  print ""
  for (i = 1; i <= nseeds; i++) {
    s = seeds[i]
    if (value[s, "learnt", "steps"] == "") continue
    if (value[s, "oracle", "steps"] != "") {
      two = within(s, 0.02)
      one = within(s, 0.01)
      printf "- seed %s: test accuracy of the learnt weights less that of the right ones %+.2f %%; at most 2 %% below from step %s " \
        "on, at most 1 %% from step %s on\n", s,
        100 * (value[s, "learnt", "test_accuracy"] - value[s, "oracle", "test_accuracy"]), two == "" ? "-" : two,
        one == "" ? "-" : one
    }
    if (value[s, "learnt", "precision"] != "")
      printf "- seed %s: %d wrong labels; a weight below 1/2 tells them with precision %.1f %%, recall %.1f %%\n", s,
        value[s, "learnt", "wrong_labels"], 100 * value[s, "learnt", "precision"], 100 * value[s, "learnt", "recall"]
  }
}
