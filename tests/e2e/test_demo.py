# SPDX-License-Identifier: Apache-2.0
"""./dev demo, without the build: it ends well, and says so."""

import os
import re
import subprocess

from support.servers import REPOSITORY


def test_the_demo_ends_with_a_verdict():
    done = subprocess.run(
        ["/usr/bin/python3", os.path.join(REPOSITORY, "scripts", "demo.py")],
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    verdict = re.search(
        r"inserted (\d+) +visible (\d+) +repeated 0 +lost 0 +out of order 0", done.stdout
    )
    assert verdict and verdict.group(1) == verdict.group(2)
    assert "\033" not in done.stdout
    (letter,) = [line for line in done.stdout.splitlines() if "schema_validation_failed" in line]
    assert "Order.Placed v1: line:" in letter
