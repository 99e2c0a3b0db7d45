# Tables of scaling.sh: awk -v out=DIR -v ... -f scaling_model.awk -f scaling.awk DIR/RUN/time/summary.json...
#   DIR/RUN/sent/summary.json... DIR/RUN/sent/sent.json...
# RUN is strong-RANKS-GRID, weak-RANKS-GRID or calibrate-RANKS-SAMPLES. Writes, in DIR,
#   scaling.csv      a row for each run and step: times, bandwidth, volumes and messages, measured and by the model
#   scaling.md       the same as tables
#   model.csv        the model's times and volumes for the sizes of the strong and the weak runs, for lines in pictures
#   prediction.csv, prediction.md   the model's times for the problems in `problems`, "NAME:n,p,c,nnz ..."
#   parameters.csv   the model's parameters as measured
# -v network="LATENCY_US GB_S RANKS_A_NODE", -v gather_rounds=ring|log, -v most=RANKS of the lines (16),
# -v statistic=median|least of a step's times

# ------------------------------------------------------------------ reading JSON, a key a line, as twofold writes it
FNR == 1 {
  parts = split(FILENAME, part, "/")
  run = part[parts - 2]
  which = part[parts] == "sent.json" ? "count" : part[parts - 1]
  if (!(run in seen)) { seen[run] = 1; order[++runs] = run }
  depth = 0
}
{
  gsub(/,$/, "")
  key = $1
  gsub(/[":]/, "", key)
}
$NF == "{" && NF > 1 { path[++depth] = key; next }
$1 == "}" { depth--; next }
NF > 1 {
  name = key
  for (i = depth; i >= 1; i--) name = path[i] "." name
  value[run, which, name] = $2 == "null" ? "" : $2
}

# ------------------------------------------------------------------ helpers
function has(run, which, name) { return (run, which, name) in value && value[run, which, name] != "" }
function get(run, which, name) { return has(run, which, name) ? value[run, which, name] + 0 : "" }
function either(run, name) { return has(run, "time", name) ? get(run, "time", name) : get(run, "sent", name) }
function show(x, format) { return x == "" ? "" : sprintf(format, x) }
function ratio(a, b) { return a == "" || b == "" || b == 0 ? "" : a / b }
function kind_of(run, w) { split(run, w, "-"); return w[1] }
function ranks_of(run, w) { split(run, w, "-"); return w[2] + 0 }
function grid_of(run, w) { split(run, w, "-"); return w[3] }

# Runs by kind, ranks, then as they came.
function sort_runs(i, j, held) {
  for (i = 2; i <= runs; i++) {
    held = order[i]
    for (j = i - 1; j >= 1 && after(order[j], held); j--) order[j + 1] = order[j]
    order[j + 1] = held
  }
}
function after(a, b) {
  if (kind_of(a) != kind_of(b)) return kind_of(a) > kind_of(b)
  if (ranks_of(a) != ranks_of(b)) return ranks_of(a) > ranks_of(b)
  if (kind_of(a) == "calibrate") return grid_of(a) + 0 > grid_of(b) + 0
  return index("row column square auto", grid_of(a)) > index("row column square auto", grid_of(b))
}

# ------------------------------------------------------------------ parameters
# The rates of messages are those of the calibration on a node with most samples, or of whatever was measured on ranks of a node.
function learn_messages(run, kinds, k, i) {
  k = split("gather reduce_scatter sum", kinds, " ")
  for (i = 1; i <= k; i++) {
    if (!has(run, "time", kinds[i] ".latency_us")) continue
    message[kinds[i], "us"] = get(run, "time", kinds[i] ".latency_us")
    message[kinds[i], "gb_s"] = has(run, "time", kinds[i] ".gb_s") ? get(run, "time", kinds[i] ".gb_s") : 1e6
  }
}
function learn_all(i, run, c) {
  message["gather", "us"] = message["reduce_scatter", "us"] = message["sum", "us"] = network_us
  message["gather", "gb_s"] = message["reduce_scatter", "gb_s"] = message["sum", "gb_s"] = 1e6
  for (i = 1; i <= runs; i++) if (ranks_of(order[i]) <= node) learn_messages(order[i])
  for (i = 1; i <= runs; i++) if (kind_of(order[i]) == "calibrate") learn_messages(order[i])
  for (i = 1; i <= runs; i++) {
    run = order[i]
    if (kind_of(run) != "calibrate" || !has(run, "time", "step_gd.ms." statistic)) continue
    c = ranks_of(run) == 1 ? "one" : "node"
    learn(c, ranks_of(run), get(run, "time", "training.samples"), get(run, "time", "training.features"),
      get(run, "time", "training.columns"), get(run, "time", "training.nonzeros"), get(run, "time", "step_gd.ms." statistic))
  }
  calibrated = ("one", "n") in machine || ("node", "n") in machine
}
function write_parameters(file, configs, c, i) {
  file = out "/parameters.csv"
  print "parameter,where,bytes,value,unit" >file
  split("one node", configs, " ")
  for (c = 1; c <= 2; c++) {
    if (!((configs[c], "n") in machine)) continue
    printf "w,%s,,%.4g,ns a number\n", configs[c], machine[configs[c], "w_ns"] >file
    for (i = 1; i <= machine[configs[c], "n"]; i++)
      printf "entry,%s,%.0f,%.4g,ns a column\n", configs[c], machine[configs[c], "minor", i], machine[configs[c], "entry_ns", i] >file
  }
  split("gather reduce_scatter sum", configs, " ")
  for (c = 1; c <= 3; c++) {
    printf "%s,node,,%.4g,us a message\n", configs[c], message[configs[c], "us"] >file
    if (c < 3) printf "%s,node,,%.4g,GB/s a rank\n", configs[c], message[configs[c], "gb_s"] >file
  }
  printf "message,network (assumed),,%.4g,us\n", network_us >file
  printf "rate,network (assumed),,%.4g,GB/s a node of %d ranks\n", network_gb_s, node >file
  close(file)
}

# ------------------------------------------------------------------ runs
# Time of the run with fewest ranks of this kind, and that number.
function base_of(kind, step, i, run) {
  for (i = 1; i <= runs; i++) {
    run = order[i]
    if (kind_of(run) != kind || !has(run, "time", step ".ms." statistic)) continue
    base_ranks = ranks_of(run)
    return get(run, "time", step ".ms." statistic)
  }
  base_ranks = 1
  return ""
}
function row_of(run, step, kind, n, p, c, nnz, t, base, gb, sums) {
  kind = kind_of(run)
  n = either(run, "training.samples"); p = either(run, "training.features")
  c = either(run, "training.columns"); nnz = either(run, "training.nonzeros")
  Pr = either(run, "training.grid_rows"); Pc = either(run, "training.grid_columns")
  split("", row)
  row["ms"] = t = get(run, "time", step ".ms." statistic)
  row["low"] = get(run, "time", step ".ms.least")
  row["high"] = get(run, "time", step ".ms.most")
  base = base_of(kind, step)
  row["efficiency"] = t == "" || base == "" ? "" : base / t * (kind == "weak" ? 1 : base_ranks / ranks_of(run))
  row["speedup"] = kind == "weak" || row["efficiency"] == "" ? "" : row["efficiency"] * ranks_of(run)
  row["gb_s"] = t == "" ? "" : get(run, "time", step ".model_bytes") / (1e6 * t)
  row["triad"] = get(run, "time", "triad_gb_s.median")
  row["fraction"] = ratio(row["gb_s"], row["triad"])
  row["sent_model"] = either(run, step ".model_sent_bytes_a_rank")
  row["sent"] = get(run, "count", step ".bytes_a_rank")
  row["messages"] = get(run, "count", step ".messages_a_rank")
  sums = step == "step_gd" ? 1 : step == "step_cg" ? 3 : ""
  row["messages_model"] = sums == "" ? "" : messages(Pr, Pc, sums)
  row["model"] = step == "step_gd" && calibrated && t != "" ? step_ms(n, p, c, nnz, Pr, Pc) : ""
  return t != "" || row["sent"] != ""
}
function csv_row(run, step, file) {
  printf "%s,%d,%s,%d,%d,%d,%d,%d,%.0f,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s\n", kind_of(run), ranks_of(run), grid_of(run), Pr,
    Pc, either(run, "training.samples"), either(run, "training.features"), either(run, "training.columns"),
    either(run, "training.nonzeros"), step, show(row["ms"], "%.6g"), show(row["low"], "%.6g"), show(row["high"], "%.6g"),
    show(row["model"], "%.6g"), show(row["speedup"], "%.4f"), show(row["efficiency"], "%.4f"), show(row["gb_s"], "%.4f"),
    show(row["triad"], "%.4f"), show(row["fraction"], "%.4f"), show(row["sent_model"], "%.0f"), show(row["sent"], "%.1f"),
    show(row["messages_model"], "%d"), show(row["messages"], "%.2f") >file
}
function md_row(run, step, file) {
  printf "| %d | %s %d,%d | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", ranks_of(run), grid_of(run), Pr, Pc, step,
    show(row["ms"], "%.3f"), show(row["model"], "%.3f"), show(ratio(row["ms"], row["model"]), "%.2f"), show(row["speedup"], "%.2f"),
    show(row["efficiency"] == "" ? "" : 100 * row["efficiency"], "%.0f %%"),
    show(row["fraction"] == "" ? "" : 100 * row["fraction"], "%.0f %%"), show(row["sent_model"] == "" ? "" : row["sent_model"] / 1e6, "%.3f"),
    show(row["sent"] == "" ? "" : row["sent"] / 1e6, "%.3f"), show(row["messages_model"], "%d"), show(row["messages"], "%.1f") >file
}
function write_runs(csv, md, i, k, run, kind, last) {
  csv = out "/scaling.csv"
  md = out "/scaling.md"
  print "kind,ranks,grid,grid_rows,grid_columns,samples,features,columns,nonzeros,step,ms,ms_least,ms_most,model_ms,speedup," \
    "efficiency,gb_s,triad_gb_s,triad_fraction,model_sent_bytes,sent_bytes,model_messages,messages" >csv
  steps = split("step_gd step_heavyball step_nesterov hessian step_cg reverse_gd reverse_heavyball upper evaluate", step, " ")
  printf "" >md
  for (i = 1; i <= runs; i++) {
    run = order[i]
    kind = kind_of(run)
    if (kind == "calibrate") continue
    if (kind != last) {
      printf "%s%s scaling. Bytes and messages are those that a rank sends; of the triad: of the bandwidth in the same run.\n\n",
        last == "" ? "" : "\n", kind == "weak" ? "Weak" : "Strong" >md
      print "| ranks | grid | step | ms | ms, model | measured / model | speedup | efficiency | of the triad | MB, model | MB | messages, model | messages |" >md
      print "|---|---|---|---|---|---|---|---|---|---|---|---|---|" >md
    }
    last = kind
    for (k = 1; k <= steps; k++) {
      if (!row_of(run, step[k])) continue
      csv_row(run, step[k], csv)
      md_row(run, step[k], md)
    }
  }
  close(csv)
  close(md)
}

# ------------------------------------------------------------------ the model's lines
# For the sizes of a kind's run with fewest ranks, which grow with the ranks if weak.
function line_of(kind, file, i, run, least, g, grids, P, n, p, c, nnz, factor, t, one) {
  for (i = 1; i <= runs && least == ""; i++) if (kind_of(order[i]) == kind) least = order[i]
  if (least == "") return
  g = split("row column square auto", grids, " ")
  for (i = 1; i <= g; i++)
    for (P = 1; P <= most; P *= 2) {
      factor = kind == "weak" ? P / ranks_of(least) : 1
      n = factor * either(least, "training.samples"); p = factor * either(least, "training.features")
      c = either(least, "training.columns"); nnz = factor * either(least, "training.nonzeros")
      choose(grids[i], n, p, P)
      t = calibrated ? step_ms(n, p, c, nnz, Pr, Pc) : ""
      if (P == 1) one = t
      printf "%s,%s,%d,%s,%s,%.0f\n", kind, grids[i], P, show(t, "%.6g"),
        t == "" ? "" : show(one / t / (kind == "weak" ? 1 : P), "%.4f"), sent_bytes(n, p, c, Pr, Pc) >file
    }
}
function write_lines(file) {
  file = out "/model.csv"
  print "kind,grid,ranks,ms,efficiency,sent_bytes" >file
  line_of("strong", file)
  line_of("weak", file)
  close(file)
}

# ------------------------------------------------------------------ predictions
function predict(problem, csv, name, size, P, g, grids, i, n, p, c, nnz, best, least, total) {
  split(problem, name, ":")
  if (split(name[2], size, ",") != 4) return
  n = size[1] + 0; p = size[2] + 0; c = size[3] + 0; nnz = size[4] + 0
  g = split("row column square auto", grids, " ")
  for (P = 1; P <= 4096; P *= 2) {
    for (i = 1; i <= g; i++) {
      choose(grids[i], n, p, P)
      total = step_ms(n, p, c, nnz, Pr, Pc)
      printf "%s,%d,%s,%d,%d,%.6g,%.6g,%.6g,%.6g,%.0f,%.4g\n", name[1], P, grids[i], Pr, Pc, compute_ms(n, p, c, nnz, Pr, Pc),
        latency_ms(Pr, Pc), volume_ms(n, p, c, Pr, Pc), total, sent_bytes(n, p, c, Pr, Pc), memory_gb(n, p, c, nnz, Pr, Pc) >csv
      if (P >= 16 && P == 4 ^ log4(P)) md_prediction(name[1], P, grids[i], n, p, c, nnz, total)
    }
    least = ""
    for (r = 1; r <= P; r *= 2) {
      total = step_ms(n, p, c, nnz, r, P / r)
      if (least == "" || total < least) { least = total; best = r }
    }
    choose("auto", n, p, P)
    winners[name[1]] = winners[name[1]] sprintf("| %s | %d | %d,%d | %.4g | %d,%d | %.4g |\n", name[1], P, Pr, Pc,
      step_ms(n, p, c, nnz, Pr, Pc), best, P / best, least)
  }
  return name[1]
}
function log4(P) { return int(log(P) / log(4) + 0.5) }
function md_prediction(name, P, grid, n, p, c, nnz, total) {
  predicted = predicted sprintf("| %s | %d | %s %d,%d | %.4g | %.4g | %.4g | %.4g | %.4g | %.3g |\n", name, P, grid, Pr, Pc,
    compute_ms(n, p, c, nnz, Pr, Pc), latency_ms(Pr, Pc), volume_ms(n, p, c, Pr, Pc), total, sent_bytes(n, p, c, Pr, Pc) / 1e6,
    memory_gb(n, p, c, nnz, Pr, Pc))
}
function write_predictions(csv, md, k, list, i, name) {
  csv = out "/prediction.csv"
  md = out "/prediction.md"
  print "problem,ranks,grid,grid_rows,grid_columns,compute_ms,latency_ms,volume_ms,total_ms,sent_bytes,memory_gb" >csv
  k = split(problems, list, " ")
  for (i = 1; i <= k; i++) name[i] = predict(list[i], csv)
  print "| problem | ranks | grid | computing, ms | latency, ms | volume, ms | a step, ms | MB sent a rank | GB a rank |" >md
  print "|---|---|---|---|---|---|---|---|---|" >md
  printf "%s\n", predicted >md
  print "Of all grids of powers of two, the one whose step is fastest by the model, beside the one that moves least:\n" >md
  print "| problem | ranks | least volume | ms | fastest | ms |" >md
  print "|---|---|---|---|---|---|" >md
  for (i = 1; i <= k; i++) printf "%s", winners[name[i]] >md
  close(csv)
  close(md)
}

END {
  split(network, net, " ")
  network_us = net[1] + 0
  network_gb_s = net[2] + 0
  node = net[3] + 0
  sort_runs()
  learn_all()
  write_runs()
  write_lines()
  if (calibrated) {
    write_parameters()
    write_predictions()
  }
}
