# The time of a step of gradient descent by formula: functions for scaling.awk. docs/scaling.md derives them.
#
# Parameters, by read_parameters() and learn():
#   machine[c, "w_ns"]         ns for reading and writing a number of w, on each of c ranks at work; c is "one" or "node"
#   machine[c, "minor", i]     bytes of the block's shorter side, increasing; i = 1 .. machine[c, "n"]
#   machine[c, "entry_ns", i]  ns for an entry of X and a column, there and back
#   message[k, "us"], message[k, "gb_s"]   a message's latency, a rank's rate: k is gather, reduce_scatter or sum, as measured
#                              between the ranks of a node
#   network_us, network_gb_s, node   assumed: a message's latency and a node's rate between nodes; ranks of a node
#   gather_rounds              ring: size - 1 messages for a gather; log: log2 size
# Sizes: n samples, p features, c columns, nnz entries; a grid of Pr x Pc ranks. Times are in ms.

function log2up(size, rounds) {
  for (rounds = 0; 2 ^ rounds < size; rounds++);
  return rounds
}
function larger(a, b) { return a > b ? a : b }
function smaller(a, b) { return a < b ? a : b }

# ------------------------------------------------------------------ work
# A step is one sweep, which reads and writes w once. Elsewhere X w and X^T r go once each through the block's longer side, and
# the update reads w and the gradient and writes w: 24 bytes beside the sweep's 16.
function fused(n, p, Pr, Pc) { return Pr == 1 && p / Pc >= n }
function stream(n, p, c, Pr, Pc) {
  if (fused(n, p, Pr, Pc)) return p * c / Pc
  return c * larger(n / Pr, p / Pc) + 1.5 * p * c / (Pr * Pc)
}
function minor_bytes(n, p, c, Pr, Pc) { return 8 * c * smaller(n / Pr, p / Pc) }
function entry_ns(config, bytes, i, n, at) { # between what was measured by the logarithm of the size, else the nearest
  n = machine[config, "n"]
  if (bytes <= machine[config, "minor", 1]) return machine[config, "entry_ns", 1]
  for (i = 2; i <= n; i++) {
    if (bytes > machine[config, "minor", i]) continue
    at = log(bytes / machine[config, "minor", i - 1]) / log(machine[config, "minor", i] / machine[config, "minor", i - 1])
    return (1 - at) * machine[config, "entry_ns", i - 1] + at * machine[config, "entry_ns", i]
  }
  return machine[config, "entry_ns", n]
}
function config_of(P) { return P == 1 && ("one", "n") in machine || !(("node", "n") in machine) ? "one" : "node" }
function compute_ms(n, p, c, nnz, Pr, Pc, config) {
  config = config_of(Pr * Pc)
  return 1e-6 * (machine[config, "w_ns"] * stream(n, p, c, Pr, Pc) + \
    entry_ns(config, minor_bytes(n, p, c, Pr, Pc)) * c * nnz / (Pr * Pc))
}

# ------------------------------------------------------------------ messages
# Ranks of a grid row follow one another, those of a grid column are Pc apart: a row may be within a node, a column is only
# where all ranks are.
function row_within(Pr, Pc) { return Pr * Pc <= node || (Pc <= node && node % Pc == 0) }
function column_within(Pr, Pc) { return Pr * Pc <= node }
function gather_messages(size) { return gather_rounds == "log" ? log2up(size) : size - 1 }
function us(kind, within) { return within ? message[kind, "us"] : network_us }
# A rank's rate. Between nodes those that send beyond their node at the same time share its rate: in a ring along a grid row one
# rank of a node does, along grid columns one of each column on the node; otherwise all of them.
function gb_s(kind, within, streams) {
  if (kind != "gather" || gather_rounds == "log") streams = node
  return within ? message[kind, "gb_s"] : smaller(network_gb_s / streams, message[kind, "gb_s"])
}
function messages(Pr, Pc, sums) {
  return gather_messages(Pc) + log2up(Pc) + gather_messages(Pr) + log2up(Pr) + sums * log2up(Pr * Pc)
}
function latency_ms(Pr, Pc, row, column) {
  row = row_within(Pr, Pc)
  column = column_within(Pr, Pc)
  return 1e-3 * (gather_messages(Pc) * us("gather", row) + log2up(Pc) * us("reduce_scatter", row) + \
    gather_messages(Pr) * us("gather", column) + log2up(Pr) * us("reduce_scatter", column) + \
    log2up(Pr * Pc) * us("sum", column))
}
function row_bytes(n, c, Pr, Pc) { return 8 * c * n / Pr * (1 - 1 / Pc) } # of a gather or a reduce-scatter
function column_bytes(p, c, Pr, Pc) { return 8 * c * p / Pc * (1 - 1 / Pr) }
function sent_bytes(n, p, c, Pr, Pc) { return 2 * (row_bytes(n, c, Pr, Pc) + column_bytes(p, c, Pr, Pc)) }
function volume_ms(n, p, c, Pr, Pc, row, column) {
  if (Pr * Pc == 1) return 0
  row = row_within(Pr, Pc)
  column = column_within(Pr, Pc)
  return 1e-6 * (row_bytes(n, c, Pr, Pc) * (1 / gb_s("gather", row, 1) + 1 / gb_s("reduce_scatter", row)) + \
    column_bytes(p, c, Pr, Pc) * (1 / gb_s("gather", column, smaller(Pc, node)) + 1 / gb_s("reduce_scatter", column)))
}
function step_ms(n, p, c, nnz, Pr, Pc) {
  return compute_ms(n, p, c, nnz, Pr, Pc) + latency_ms(Pr, Pc) + volume_ms(n, p, c, Pr, Pc)
}

# What a rank has of X, both whole sides twice, w, its gradient and four vectors of a solver, in GB.
function memory_gb(n, p, c, nnz, Pr, Pc) {
  return 1e-9 * (12 * nnz / (Pr * Pc) + 16 * c * ((Pc > 1 ? n / Pr : 0) + (Pr > 1 ? p / Pc : 0)) + 48 * c * p / (Pr * Pc))
}

# ------------------------------------------------------------------ grids
# Sets Pr and Pc for P ranks: row, column, square (the nearest, no more rows than columns), auto (what -data_grid auto takes).
function choose(grid, n, p, P, r, best, v) {
  Pr = 1
  if (grid == "column") Pr = P
  if (grid == "square") for (r = 1; r * r <= P; r++) if (P % r == 0) Pr = r
  if (grid == "auto") {
    best = sent_bytes(n, p, 1, 1, P)
    for (r = 2; r <= P; r++) {
      if (P % r) continue
      v = sent_bytes(n, p, 1, r, P / r)
      if (v < best) { best = v; Pr = r }
    }
  }
  Pc = P / Pr
}

# ------------------------------------------------------------------ what was measured
# A calibration run: c ranks in a row of blocks, ms for a step. Runs are taken up in the order of n, the smallest first, whose
# few entries are left out of account: it tells w_ns.
function learn(config, ranks, n, p, c, nnz, ms, i) {
  # messages that took longer by themselves than within the step are not all of it
  ms = larger(ms - latency_ms(1, ranks) - volume_ms(n, p, c, 1, ranks), 0.1 * ms)
  if (!((config, "w_ns") in machine)) {
    machine[config, "w_ns"] = 1e6 * ms / (p * c / ranks)
    return
  }
  i = ++machine[config, "n"]
  machine[config, "minor", i] = minor_bytes(n, p, c, 1, ranks)
  machine[config, "entry_ns", i] = larger(0, 1e6 * ms - machine[config, "w_ns"] * stream(n, p, c, 1, ranks)) / (c * nnz / ranks)
}
