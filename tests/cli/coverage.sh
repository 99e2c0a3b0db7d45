#!/usr/bin/env bash
# Every option of the program is used by some test, or stands in tests/options-not-yet.txt; nothing stands there that
# is used or no longer exists. The program tells its commands and their options itself, by -help: those of each type, of
# made samples and of folds, too, since words are chosen from the lists in it until no new option appears. Uses are
# looked for in the strings of C tests and in the shell scripts beside this one, without comments. What a run is refused
# for is no use of it: lines that say "refused", and all between "# coverage: off" and "# coverage: on", do not count.
# shellcheck source=common.sh
# shellcheck disable=SC2317 # functions that pool runs
. "$(dirname "$0")/common.sh"
tests=$(dirname "$here")
not_yet=$tests/options-not-yet.txt

# ------------------------------------------------------------------ what there is
# options: of a help text on standard input, one a line
options() { sed -n 's/^  -\([A-Za-z0-9_]*\).*/-\1/p'; }
# choices: its lists of types and of words, as "-option word" lines, and the number that no list tells
choices() {
  sed -n -e 's/^  \(-[A-Za-z0-9_]*\) <now .*(\(choose \)\{0,1\}one of) \(.*\) ([^()]*)$/\1 \3/p' \
    -e 's/^  \(-blp_folds\) .*/\1 2/p' | awk '{ for (i = 2; i <= NF; i++) print $1, $i }'
}
# look FILE COMMAND [-OPTION WORD]...: the help text with these chosen
look() {
  local file=$1 text
  shift
  if text=$(launch 0 "$@" -help 2>&1); then
    echo "$text" >"help/$file"
  elif [ $# = 1 ] || [[ $text != *"twofold: error: ${*: -2:1} ${*: -1}: "* ]]; then
    # a type that the program refuses, as one of callbacks, has no options here
    fail "$* -help" <(echo "$text")
  fi
}

# Each command with nothing chosen; then, two at a time, with each word of each list that appears, behind the choices that
# made the list appear; and so on. A word is chosen once: what it brings does not depend on the command.
mkdir help
declare -A seen=()
queue=()
while read -r command; do queue+=("$command"); done < <(launch 0 -help | sed -n 's/^  \([a-z]*\)  *[a-z].*/\1/p')
check "the program tells no commands" test "${#queue[@]}" -gt 0
for ((first = 0; first < ${#queue[@]}; first = last)); do
  last=${#queue[@]}
  for ((i = first; i < last; i++)); do
    # shellcheck disable=SC2086 # a command, options and their values
    pool look "$i" ${queue[i]}
  done
  wait
  for ((i = first; i < last; i++)); do
    [ -e "help/$i" ] || continue
    while read -r choice; do
      [ -n "${seen[$choice]:-}" ] || queue+=("${queue[i]} $choice")
      seen[$choice]=1
    done < <(choices <"help/$i")
  done
done
cat help/* | options | sort -u >known
check "too few options for a look at them all" test "$(wc -l <known)" -gt 40

# ------------------------------------------------------------------ what is used
# strings: the string literals of C files, a line each
strings() {
  cat "$@" | awk '
    BEGIN { RS = "\001" }
    {
      n = length($0)
      for (i = 1; i <= n; i++) {
        c = substr($0, i, 1)
        two = c substr($0, i + 1, 1)
        if (state == "comment") {
          if (two == "*/") { state = ""; i++ }
        } else if (state == "line") {
          if (c == "\n") state = ""
        } else if (state == "char") {
          if (c == "\\") i++
          else if (c == "\047") state = ""
        } else if (state == "string") {
          if (c == "\\") i++
          else if (c == "\"") { state = ""; print text }
          else text = text c
        } else if (two == "/*") { state = "comment"; i++ }
        else if (two == "//") { state = "line"; i++ }
        else if (c == "\047") state = "char"
        else if (c == "\"") { state = "string"; text = "" }
      }
    }'
}

# lines: those of shell scripts without comments and without what does not count; a # in quotes begins no comment
lines() {
  cat "$@" | sed -e ':join' -e '/\\$/N; s/\\\n//; t join' | awk '
    /^ *# coverage: off/ { off = 1 }
    /^ *# coverage: on/ { off = 0 }
    off || /refused/ { next }
    {
      quote = ""
      for (i = 1; i <= length($0); i++) {
        c = substr($0, i, 1)
        if (quote != "") { if (c == quote) quote = "" }
        else if (c == "\\") i++
        else if (c == "\"" || c == "\047") quote = c
        else if (c == "#" && (i == 1 || substr($0, i - 1, 1) ~ /[ \t]/)) break
      }
      print substr($0, 1, i - 1)
    }'
}

{
  strings "$tests"/*.[ch]
  lines "$here"/*.sh
} | tr -c 'A-Za-z0-9_-' '\n' | grep -- '^-[A-Za-z]' | sort -u >used
check "no option is used at all" test -s used

# ------------------------------------------------------------------ compare
sed 's/#.*//; s/ *$//; /^$/d' "$not_yet" | sort >listed
each() { # FILE WHAT: fails once a line
  while read -r option; do fail "$option $2"; done <"$1"
  echo >>log/checks
}
comm -23 known used >open
comm -23 open listed >missing
comm -13 known listed >gone
comm -12 used listed >covered
each missing "is used by no test: add one, or list it in tests/options-not-yet.txt"
each gone "stands in tests/options-not-yet.txt but is no option of the program (any more): drop it there"
each covered "stands in tests/options-not-yet.txt but is used by a test: drop it there"
finish
