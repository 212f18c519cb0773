#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Puts buf, in one pinned version, into .cache/buf (or the folder given), by Go. Prints where the
# program is.
set -euo pipefail

version=1.75.0
folder=${1:-$(cd "$(dirname "$0")/.." && pwd)/.cache/buf}/$version
program=$folder/buf

if [ ! -x "$program" ]; then
    command -v go > /dev/null || {
        echo "buf comes as a Go module, and there is no go (1.25 or newer; Debian 12's is too old): https://go.dev/doc/install" >&2
        exit 1
    }
    echo "Building buf $version with Go, once: two minutes or more." >&2
    mkdir -p "$folder"
    GOBIN=$folder go install "github.com/bufbuild/buf/cmd/buf@v$version" > "$folder/go.log" 2>&1 || {
        tail -n 20 "$folder/go.log" >&2
        echo "buf could not be built. See $folder/go.log; is a Go module proxy reachable?" >&2
        exit 1
    }
fi
echo "$program"
