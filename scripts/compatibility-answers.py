#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Asks a real registry and `buf breaking` for every case of tests/contracts/compatibility.txt, and writes what they say
to tests/contracts/compatibility_answers.txt.   compatibility-answers.py BUF     BUF: the program (scripts/buf.sh)"""
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(ROOT, "tests"), os.path.join(ROOT, "tests", "contracts")]

from compatibility_cases import ANSWERS, Answer, read_cases, write_answers  # noqa: E402
from support.compatibility import CATEGORIES, Buf, registry_says  # noqa: E402
from support.registry import Registry  # noqa: E402


def main():
    buf = Buf(sys.argv[1])
    answers = {}
    with Registry() as registry:
        for number, case in enumerate(read_cases()):
            found = buf.says(case)
            answers[case.key()] = Answer(
                registry_says(registry, case, f"case{number}"),
                *(" ".join(["reject", *found[category]]) if found[category] else "accept" for category in CATEGORIES))
        write_answers(ANSWERS, {"registry": f"Apicurio {registry.release}", "buf": buf.version}, answers)
    print(f"{len(answers)} cases: {os.path.relpath(ANSWERS, ROOT)}")


if __name__ == "__main__":
    main()
