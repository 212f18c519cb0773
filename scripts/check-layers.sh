#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a folder of src/ may include, and other rules that grep can hold: see ARCHITECTURE.md.
#   check-layers.sh [ROOT]     ROOT: the repository (a test gives it a broken copy)
set -euo pipefail
cd "${1:-$(dirname "$0")/..}"

# folder: the folders, or single headers, that it may include besides its own
may_use() {
    cat <<'TABLE'
base:
config:     base
registry:   base config
pg:         base
pgoutput:   base
outbox:     base pgoutput/change.h config/config.h
contract:   base
guard:      base contract
jsonschema: base contract
avro:       base contract
schemas:    base contract jsonschema avro
encode:     base outbox config/config.h
checkpoint: base
lane:       base outbox/event.h encode checkpoint
kafka:      base config/config.h lane/producer.h encode/record.h outbox/event.h
enforce:    base config/config.h outbox/event.h outbox/json.h contract jsonschema avro schemas encode lane/gate.h registry
ledger:     base
anchor:     base config pg checkpoint lane/producer.h kafka
pipeline:   base config pg pgoutput outbox encode checkpoint lane enforce/contracts.h kafka ledger anchor
replay:     base config pg outbox encode checkpoint lane enforce/contracts.h kafka ledger anchor pipeline/intake.h pipeline/lanes.h
dlq:        base config pg outbox encode lane/gate.h enforce/contracts.h kafka pipeline/table.h
cli:        base config pg pgoutput outbox contract guard schemas encode checkpoint lane enforce kafka ledger anchor pipeline replay dlq registry
TABLE
}

# header of a foreign library (a regular expression): the folders that are its home
homes() {
    cat <<'TABLE'
libpq-fe\.h|postgres.*\.h|catalog/.*: pg
librdkafka/.*|rdkafka.*\.h:           kafka
ev\.h:                                pipeline
yaml\.h:                              config
.*\.pb-c\.h|protobuf-c/.*:            contract encode checkpoint
curl/.*:                              registry
jansson.*\.h:                         registry
avro\.h|avro/(basics|data|errors|generic|io|legacy|schema|value)\.h: avro
valijson/.*|nlohmann/.*:              jsonschema
TABLE
}

failures=0
complain() {
    echo "$1" >&2
    failures=$((failures + 1))
}

allows() { # HEADER WORDS...: is the header one of the words, or in one of these folders?
    local header=$1 word
    shift
    for word in "$@"; do
        case $header in "$word" | "$word"/*) return 0 ;; esac
    done
    return 1
}

check_includes() { # FOLDER ALLOWED...
    local folder=$1 file line header pattern home found
    shift
    while IFS=: read -r file line header; do
        if [ -f "src/$header" ]; then
            allows "$header" "$folder" "$@" || complain "$file:$line: $folder/ may not include $header"
            continue
        fi
        while IFS=: read -r pattern home; do
            found=no
            if [[ $header =~ ^($pattern)$ ]]; then
                # shellcheck disable=SC2086
                allows "$folder" $home && found=yes
                [ $found = yes ] || complain "$file:$line: $header has no home in $folder/"
            fi
        done < <(homes)
    done < <(grep -rnoP '^\s*#\s*include\s*[<"]\K[^>"]+' "src/$folder" --include='*.c' --include='*.h' --include='*.cc' --include='*.hpp')
}

for folder in src/*/; do
    folder=$(basename "$folder")
    allowed=$(may_use | sed -n "s/^$folder: *//p")
    may_use | grep -q "^$folder:" || complain "src/$folder/ is not in the table of layers"
    # shellcheck disable=SC2086
    check_includes "$folder" $allowed
done

sources=$(find src tests -name '*.[ch]' -o -name '*.cc' -o -name '*.hpp' | sort)
for file in $sources; do
    lines=$(wc -l < "$file")
    [ "$lines" -lt 500 ] || complain "$file: $lines lines; a file has fewer than 500"
done

forbidden='\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|alloca)\s*\(|\b(u|nano)?sleep\s*\('
while IFS= read -r found; do
    complain "$found: not in this code base"
done < <(grep -rnE "$forbidden" src --include='*.c' --include='*.h' --include='*.cc' --include='*.hpp' || true)

# C++ is what the headers of one library ask for.
while IFS= read -r found; do
    complain "$found: C++ has its one home in jsonschema/"
done < <(find src -path src/jsonschema -prune -o \( -name '*.cc' -o -name '*.cpp' -o -name '*.hpp' \) -print)

[ "$failures" = 0 ]
