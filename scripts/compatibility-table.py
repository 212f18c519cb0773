#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the table of docs/compatibility.md from tests/contracts/compatibility.txt; --check: is it the same?"""
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "contracts"))

from compatibility_cases import read_cases  # noqa: E402

DOCUMENT = os.path.join(ROOT, "docs", "compatibility.md")
BEGIN, END = "<!-- table -->\n", "<!-- /table -->\n"


def table():
    lines = ["| change, from old to new | walpost | what changed | Confluent's rules | why |",
             "| --- | --- | --- | --- | --- |"]
    for name, _, _, verdict, changes, confluent, note in read_cases(os.path.join(ROOT, "tests/contracts/compatibility.txt")):
        lines.append(f"| {name} | {verdict} | {', '.join(f'`{change}`' for change in changes)} | {confluent} | {note} |")
    return "\n".join(lines) + "\n"


def main():
    with open(DOCUMENT, encoding="utf-8") as file:
        text = file.read()
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    made = head + BEGIN + table() + END + tail
    if "--check" in sys.argv:
        if made != text:
            print("docs/compatibility.md is not what scripts/compatibility-table.py writes", file=sys.stderr)
        return 0 if made == text else 1
    with open(DOCUMENT, "w", encoding="utf-8") as file:
        file.write(made)
    return 0


sys.exit(main())
