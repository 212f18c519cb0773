#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Documents name what is there, and all of it:
#   every option is in docs/configuration.md and in examples/walpost.yaml, and nothing else is;
#   every command and flag is in docs/walpost.1, and nothing else is;
#   ARCHITECTURE.md has the table of scripts/check-layers.sh; the functions and tests that it and
#   docs/pains.md name exist.
#   check-docs.sh [ROOT]     ROOT: the repository (a test gives it a broken copy)
# shellcheck disable=SC2016 # backquotes are Markdown's here
set -euo pipefail
cd "${1:-$(dirname "$0")/..}"

# --- what the program has ---

# The option table is regular enough for sed. Options of later versions (LATER) are left out.
options() {
    sed -nE 's/^ *\{"([a-z_.]+)", *OPTION_.*/\1/p; s/^ *COLUMN\(([a-z_]+),.*/outbox.columns.\1/p' \
        src/config/option_table.c | sort -u
}

commands() {
    cat src/cli/*.c | sed -nE 's/^ *\.name = "([a-z]+)",$/\1/p' | sort -u
}

flags() {
    cat src/cli/*.c | sed -nE 's/^ *\{"(--[a-z-]+)", *(NULL|").*/\1/p' | sort -u
}

# --- what the documents name ---

# First cells of the tables that begin with | key | default |: | `batch.max_events` | ...
documented_options() {
    awk '
        /^\| key \| default \|/ { inside = 1 }
        /^[^|]|^$/ { inside = 0 }
        inside && match($0, /^\| `[a-z_.]+` \|/) { print substr($0, 4, RLENGTH - 6) }
    ' docs/configuration.md | sort -u
}

# Block style with two spaces a level, which is how the example is written. Below kafka: and
# route.headers: are names of the user's own.
example_options() {
    awk '
        match($0, /^ *[A-Za-z_.]+:/) {
            end = RLENGTH
            indent = match($0, /[^ ]/) - 1
            depth = indent / 2
            key = substr($0, indent + 1, end - indent - 1)
            path = depth == 0 ? key : parents[depth - 1] "." key
            parents[depth] = path
            if (path ~ /^(kafka|route\.headers)$/) {
                print path
            } else if (path !~ /^(kafka|route\.headers)\./ && $0 !~ /: *$/) {
                print path
            }
        }' examples/walpost.yaml | sort -u
}

# roff writes \-\-once and \fBinit\fR.
manual() {
    sed -E 's/\\f[BIRP]//g; s/\\-/-/g' docs/walpost.1
}

documented_commands() {
    manual | sed -nE 's/^\.SS "?walpost ([a-z]+)"?.*/\1/p' | sort -u
}

documented_flags() {
    manual | grep -oE -- '(^|[^a-z-])--[a-z]+(-[a-z]+)*' | grep -oE -- '--[a-z-]+' | sort -u
}

# folder and what it may use, one a line.
layers() {
    sed -n '/^may_use()/,/^}/s/^\([a-z]*\): *\(.*\)$/\1 \2/p' scripts/check-layers.sh |
        sed 's/ *$//' | sort
}

documented_layers() {
    sed -nE 's/^\| `([a-z]+)\/` \| ([^|]*)\|.*/\1 \2/p' ARCHITECTURE.md |
        sed -E 's/ +/ /g; s/ $//' | sort
}

# `file: name` of the table of invariants, and of that of the pains.
named_places() { # DOCUMENT
    grep -oE '`[a-z0-9_/]+\.(c|py): [A-Za-z0-9_]+`' "$1" | tr -d '`' | sort -u
}

# --- do they agree? ---

for document in docs/configuration.md examples/walpost.yaml docs/walpost.1 docs/pains.md ARCHITECTURE.md; do
    [ -f "$document" ] || {
        echo "$document is not there" >&2
        exit 1
    }
done

failures=0

lines() { # TEXT
    [ -z "$1" ] || printf '%s\n' "$1"
}

# compare WHAT WHERE EXPECTED FOUND
compare() {
    local line
    while IFS= read -r line; do
        echo "$2 does not name the $1 $line" >&2
        failures=$((failures + 1))
    done < <(comm -23 <(lines "$3") <(lines "$4"))
    while IFS= read -r line; do
        echo "$2 names the $1 $line, which does not exist" >&2
        failures=$((failures + 1))
    done < <(comm -13 <(lines "$3") <(lines "$4"))
}

# A table that changed its form must not pass for an empty one.
at_least() { # NUMBER WHAT LIST
    local found
    found=$(grep -c . <<< "$3" || true)
    [ "$found" -ge "$1" ] || {
        echo "check-docs.sh found only $found $2 where more were expected: have they changed their form?" >&2
        exit 1
    }
}

check_places() { # DOCUMENT
    local place file name found
    while IFS= read -r place; do
        file=${place%%: *}
        name=${place##*: }
        found=$(find src tests -path "*/$file" | head -n 1)
        if [ -z "$found" ] || ! grep -qw -- "$name" "$found"; then
            echo "$1 names $place, which does not exist" >&2
            failures=$((failures + 1))
        fi
    done <<< "$(named_places "$1")"
}

at_least 30 options "$(options)"
at_least 5 commands "$(commands)"
at_least 5 flags "$(flags)"

compare option docs/configuration.md "$(options)" "$(documented_options)"
compare option examples/walpost.yaml "$(options)" "$(example_options)"
compare command docs/walpost.1 "$(commands)" "$(documented_commands)"
compare flag docs/walpost.1 "$(flags)" "$(documented_flags)"

at_least 10 folders "$(layers)"
at_least 20 places "$(named_places ARCHITECTURE.md)"
at_least 20 places "$(named_places docs/pains.md)"
compare layer ARCHITECTURE.md "$(layers)" "$(documented_layers)"
check_places ARCHITECTURE.md
check_places docs/pains.md

[ "$failures" = 0 ]
