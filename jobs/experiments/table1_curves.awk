# Curves of jobs/experiments/table1.sh over the splits, from histories FEATURES-SPLIT/METHOD-T/NAME-SIZE/history.csv:
#   awk -F, -v what=curves|sensitivity -f table1_curves.awk HISTORIES
# curves: the objective and the norm of the hypergradient at each upper step. sensitivity: the objective where the grid's steps
# ended, for each step size; a run that broke off has none, and counts as the largest.

function median(x, n, i, j, y) {
  for (i = 2; i <= n; i++) {
    y = x[i]
    for (j = i - 1; j >= 1 && x[j] > y; j--) x[j + 1] = x[j]
    x[j + 1] = y
  }
  return (x[int((n + 1) / 2)] + x[int(n / 2) + 1]) / 2
}
function number(text) { return text ~ /^[-+]?[0-9]/ ? text + 0 : none }
# Median, least and largest of n values in x; empty where there is none.
function three(x, n, m) {
  m = median(x, n)
  return (m >= none / 4 ? "" : m) "," (x[1] >= none ? "" : x[1]) "," (x[n] >= none ? "" : x[n])
}

BEGIN {
  none = 1e300
  OFS = ","
}
FNR == 1 {
  n = split(FILENAME, part, "/")
  kind = part[n - 3]
  sub(/-[0-9]+$/, "", kind)
  cell = kind "," part[n - 2]
  size = part[n - 1]
  sub(/^[a-z]*-/, "", size)
  for (i = 1; i <= NF; i++) at[$i] = i
  run++
  if (!(cell in known)) { known[cell] = 1; cells[++ncells] = cell }
  if (!((cell, size) in known)) { known[cell, size] = 1; sizes[cell, ++nsizes[cell]] = size }
  of[cell, size, ++runs[cell, size]] = run
  next
}
{
  step = $1 + 0
  last[run] = step
  end[run] = number($at["objective"])
  if (run == 1 || step > most) most = step
  if (what != "curves") next
  if (!((cell, step) in count) && step > longest[cell]) longest[cell] = step
  i = ++count[cell, step]
  objective[cell, step, i] = end[run]
  norm[cell, step, i] = number($at["hypergradient_norm"])
}
END {
  if (what == "curves") {
    print "features,cell,step,splits,objective,objective_least,objective_most,norm,norm_least,norm_most"
    for (k = 1; k <= ncells; k++)
      for (step = 0; step <= longest[cells[k]]; step++) {
        n = count[cells[k], step]
        for (i = 1; i <= n; i++) {
          x[i] = objective[cells[k], step, i]
          y[i] = norm[cells[k], step, i]
        }
        print cells[k], step, n, three(x, n), three(y, n)
      }
    exit
  }
  print "features,cell,upper_step,steps,splits,objective,objective_least,objective_most"
  for (k = 1; k <= ncells; k++)
    for (j = 1; j <= nsizes[cells[k]]; j++) {
      size = sizes[cells[k], j]
      n = runs[cells[k], size]
      for (i = 1; i <= n; i++) {
        r = of[cells[k], size, i]
        x[i] = last[r] < most ? none : end[r]
      }
      print cells[k], size, most, n, three(x, n)
    }
}
