#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""count-tests.py FILE: "passed failed skipped" out of meson's testlog.json (single TAP results; a
program that failed without naming a test counts as one) or of pytest's JUnit file."""

import json
import re
import sys
from xml.etree import ElementTree


def meson(path):
    passed = failed = skipped = 0
    with open(path, encoding="utf-8") as file:
        for line in file:
            program = json.loads(line)
            output = program.get("stdout") or ""
            skipping = len(re.findall(r"^ok .*# skip", output, re.I | re.M))
            good = len(re.findall(r"^ok ", output, re.M)) - skipping
            bad = len(re.findall(r"^not ok ", output, re.M))
            if program["result"] == "SKIP":
                skipping += 1
            elif program["result"] != "OK" and bad == 0:
                bad = 1
            elif good + bad + skipping == 0:  # no TAP: the program is the test
                good = 1
            passed, failed, skipped = passed + good, failed + bad, skipped + skipping
    return passed, failed, skipped


def pytest(path):
    suites = ElementTree.parse(path).getroot().iter("testsuite")
    totals = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for suite in suites:
        for name in totals:
            totals[name] += int(suite.get(name, 0))
    failed = totals["failures"] + totals["errors"]
    return totals["tests"] - failed - totals["skipped"], failed, totals["skipped"]


path = sys.argv[1]
print(*(meson(path) if path.endswith(".json") else pytest(path)))
