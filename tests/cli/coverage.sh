#!/usr/bin/env bash
# Every option of the program is used by some test, or stands in tests/options-not-yet.txt; nothing stands there that
# is used or no longer exists. The program tells its commands and their options itself, by -help: those of each type,
# too, since types are chosen from the lists in it until no new option appears. Uses are looked for in the strings of
# C tests and in the shell scripts beside this one, without comments. What a run is refused for is no use of it: lines
# that say "refused", and all between "# coverage: off" and "# coverage: on", do not count.
# shellcheck source=common.sh
# shellcheck disable=SC2317 # functions that pool runs
. "$(dirname "$0")/common.sh"
tests=$(dirname "$here")
not_yet=$tests/options-not-yet.txt

# ------------------------------------------------------------------ what there is
# options: of a help text on standard input, one a line
options() { sed -n 's/^  -\([A-Za-z0-9_]*\).*/-\1/p'; }
# choices: its lists of types, as "-option type" lines
choices() {
  sed -n 's/^  \(-[A-Za-z0-9_]*\) <now .*(one of) \(.*\) ([^()]*)$/\1 \2/p' |
    awk '{ for (i = 2; i <= NF; i++) print $1, $i }'
}

# explore COMMAND: -help with no type chosen, then with each type of each list that appears, and so on
explore() {
  local command=$1 queue=("") chosen choice text
  declare -A seen=()
  while [ ${#queue[@]} -gt 0 ]; do
    chosen=${queue[0]}
    queue=("${queue[@]:1}")
    # shellcheck disable=SC2086 # options and their values
    if ! text=$(launch 0 "$command" $chosen -help 2>&1); then
      # a type that the program refuses, as one of callbacks, has no options here
      if [ -n "$chosen" ] && [[ $text == *"twofold: error: -${chosen##*-}: "* ]]; then
        continue
      fi
      fail "$command $chosen -help" <(echo "$text")
    fi
    options <<<"$text"
    while read -r choice; do
      [ -z "${seen[$choice]:-}" ] || continue
      seen[$choice]=1
      queue+=("$chosen $choice")
    done < <(choices <<<"$text")
  done >"all.$command"
}

launch 0 -help | sed -n 's/^  \([a-z]*\)  *[a-z].*/\1/p' >commands
check "the program tells no commands" test -s commands
while read -r command; do pool explore "$command"; done <commands
wait
sort -u all.* >options
check "too few options for a look at them all" test "$(wc -l <options)" -gt 40

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
comm -23 options used >open
comm -23 open listed >missing
comm -13 options listed >gone
comm -12 used listed >covered
each missing "is used by no test: add one, or list it in tests/options-not-yet.txt"
each gone "stands in tests/options-not-yet.txt but is no option of the program (any more): drop it there"
each covered "stands in tests/options-not-yet.txt but is used by a test: drop it there"
finish
