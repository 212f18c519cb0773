#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# docker-compose accepts the compose file.
set -euo pipefail
cd "$(dirname "$0")/.."
docker-compose -f docker-compose.yml config --quiet
