#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Puts a real schema registry (Apicurio, which has Confluent's REST API), in one pinned version, into .cache/registry (or the folder
# given), by Maven. Does nothing when it is there.
set -euo pipefail

version=2.6.13.Final
folder=${1:-$(cd "$(dirname "$0")/.." && pwd)/.cache/registry}
done_mark=$folder/.done-$version
[ ! -f "$done_mark" ] || exit 0

echo "Fetching the schema registry Apicurio $version with Maven, once: about 140 MB."
mkdir -p "$folder"
for attempt in 1 2 3; do
    if mvn -B -ntp -q org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
        -Dartifact="io.apicurio:apicurio-registry-app:$version:tar.gz:all" \
        -DoutputDirectory="$folder" > "$folder/maven.log" 2>&1; then
        tar -xzf "$folder/apicurio-registry-app-$version-all.tar.gz" -C "$folder"
        rm "$folder/apicurio-registry-app-$version-all.tar.gz"
        touch "$done_mark"
        exit 0
    fi
    echo "Maven did not get it (attempt $attempt of 3)." >&2
done
tail -n 20 "$folder/maven.log" >&2
echo "The registry could not be fetched. See $folder/maven.log; is Maven Central, or a mirror in ~/.m2/settings.xml, reachable?" >&2
exit 1
