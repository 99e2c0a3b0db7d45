#!/usr/bin/env bash
# The table of docs/methods.md from tests/matrix.txt, which t51-matrix keeps true: a row a problem, a column for all
# methods that do the same with each problem. Without arguments it compares; with -update it writes the table anew.
set -eu
tests=$(cd "$(dirname "$0")" && pwd)
matrix=$tests/matrix.txt
page=$tests/../docs/methods.md

table() {
  awk '
    function letter(map) { return map == "-" ? "" : substr(map, 1, 1) }

    # number of a reason, in which the names of maps, solvers and problems do not matter
    function reason(text, i) {
      gsub(/problem type [a-z]+ gives/, "the problem gives", text)
      gsub(/-(lls|hg)_fpm_type/, "-lls_fpm_type (or -hg_fpm_type)", text)
      sub(/^(gd|heavyball|nesterov) is made/, "a map like this is made", text)
      sub(/; (gd|heavyball|nesterov|problem) is not:/, "; this map is not:", text)
      gsub(/, or -lls_fpm_type .or -hg_fpm_type. gd$/, ", or for a loss -hg_fpm_type gd", text)
      gsub(/use -hg_ksp_type gmres$/, "use -hg_ksp_type gmres, or for a loss -hg_fpm_type gd", text)
      for (i = 1; i <= nreasons; i++) if (reasons[i] == text) return i
      reasons[++nreasons] = text
      return nreasons
    }

    # what came of a method with a map
    function note(problem, method, map, verdict, k) {
      if (!((method) in known)) { known[method] = 1; methods[++nmethods] = method }
      if (verdict == "pass") pass[problem, method] = pass[problem, method] " " letter(map)
      else if (sub(/^refused: /, "", verdict)) {
        k = reason(verdict)
        no[problem, method, k] = no[problem, method, k] " " letter(map)
      } else bad[problem, method] = verdict
    }

    function cell(problem, method, text, k) {
      if ((problem, method) in bad) return "**" bad[problem, method] "**"
      text = (problem, method) in pass ? pass[problem, method] : ""
      sub(/^ /, "", text)
      if ((problem, method) in pass && text == "") text = "yes"
      for (k = 1; k <= nreasons; k++)
        if ((problem, method, k) in no)
          text = text (text == "" ? "not" : ", not") no[problem, method, k] " (" k ")"
      return text
    }

    /^#/ { next }
    {
      verdict = $6
      for (i = 7; i <= NF; i++) verdict = verdict " " $i
      if (!($1 in seen)) { seen[$1] = 1; problems[++nproblems] = $1 }
    }
    $2 != "aid" { note($1, $2, $3, verdict); next }
    $4 == "*" { next } # the map of the lower level: as with itd
    !($1 in full) { full[$1] = $3; if ($5 != "*") all = $5 }
    # with other maps of the lower level one solver stands for all
    $3 != full[$1] { if (verdict != "pass" && verdict !~ /^refused/) note($1, "aid " $5, $4, verdict); next }
    $5 == "*" { # a map of the adjoint that no solver takes
      pending[++npending] = $1 SUBSEP $4 SUBSEP verdict
      next
    }
    {
      n = split($5, name, ",")
      for (i = 1; i <= n; i++) { note($1, "aid " name[i], $4, verdict); solver[name[i]] = 1 }
    }

    END {
      for (i = 1; i <= npending; i++) {
        split(pending[i], part, SUBSEP)
        for (m = 1; m <= nmethods; m++)
          if (methods[m] ~ /^aid /) note(part[1], methods[m], part[2], part[3])
      }
      # methods with the same column
      for (m = 1; m <= nmethods; m++) {
        column = methods[m] ~ /^aid / ? "aid" : ""
        for (p = 1; p <= nproblems; p++) column = column "|" cell(problems[p], methods[m])
        if (!(column in of)) { of[column] = ++ncolumns; columns[ncolumns] = methods[m] }
        else columns[of[column]] = columns[of[column]] ", " methods[m]
        if (!(of[column] in first)) first[of[column]] = methods[m]
      }
      printf "| problem"
      for (c = 1; c <= ncolumns; c++) {
        gsub(/, aid /, ", ", columns[c])
        printf " | %s", columns[c]
      }
      printf " |\n|---"
      for (c = 1; c <= ncolumns; c++) printf "|---"
      printf "|\n"
      for (p = 1; p <= nproblems; p++) {
        printf "| `%s`", problems[p]
        for (c = 1; c <= ncolumns; c++) printf " | %s", cell(problems[p], first[c])
        printf " |\n"
      }
      printf "\n"
      for (k = 1; k <= nreasons; k++) printf "%d. %s\n", k, reasons[k]
    }' "$matrix"
}

# The page with the table between its marks.
expected() {
  sed '/<!-- table: begin -->/q' "$page"
  table
  sed -n '/<!-- table: end -->/,$p' "$page"
}

new=$(mktemp)
trap 'rm -f "$new"' EXIT
expected >"$new"
if [ "${1:-}" = -update ]; then
  cat "$new" >"$page"
elif ! diff -u "$page" "$new"; then
  echo "docs/methods.md is not what tests/matrix.txt says: run tests/methods.sh -update" >&2
  exit 1
fi
