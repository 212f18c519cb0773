#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every source and header is as clang-format leaves it.
set -euo pipefail
cd "$(dirname "$0")/.."
git ls-files -z -- '*.c' '*.h' 'src/*.cc' 'src/*.hpp' | xargs -0 --no-run-if-empty clang-format --dry-run -Werror
