#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the table of docs/compatibility.md from tests/contracts/compatibility.txt and compatibility_answers.txt; --check:
is it the same? Fails where somebody says something else than we and no reason is given."""
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "contracts"))

from compatibility_cases import read_answers, read_cases, read_reasons  # noqa: E402

DOCUMENT = os.path.join(ROOT, "docs", "compatibility.md")
BEGIN, END = "<!-- table -->\n", "<!-- /table -->\n"


class Wrong(Exception):
    pass


def reasons_of(case, answer, reasons):
    """who says something else -> the name of the reason"""
    found = {}
    for name in filter(None, case.notes.get("others", "").split(", ")):
        if name not in reasons:
            raise Wrong(f"{case.name}: there is no reason {name}")
        explained = reasons[name][0] & answer.others(case.verdict)
        if not explained:
            raise Wrong(f"{case.name}: {name} explains what nobody says")
        found.update(dict.fromkeys(explained, name))
    missing = answer.others(case.verdict) - set(found)
    if missing:
        raise Wrong(f"{case.name} @ {case.level}: no reason why {' and '.join(sorted(missing))} says something else")
    return found


def table():
    asked, answers = read_answers()
    reasons = read_reasons()
    numbers = {}  # of the reasons, in the order of the table
    rows = []
    for case in read_cases():
        if case.key() not in answers:
            raise Wrong(f"nobody was asked about '{case.name}' as it is now: run ./dev compatibility")
        answer = answers[case.key()]
        found = reasons_of(case, answer, reasons)
        cells = []
        for who in ("registry", "wire", "json"):
            number = f" ({numbers.setdefault(found[who], len(numbers) + 1)})" if who in found else ""
            cells.append(getattr(answer, who).split()[0] + number)
        name = case.name if case.level == "BACKWARD" else f"{case.name}, {case.level}"
        changes = ", ".join(f"`{change}`" for change in case.changes)
        rows.append(f"| {name} | {case.verdict} | {changes} | {case.confluent} | {' | '.join(cells)} | "
                    f"{case.notes.get('note', '')} |")
    if set(reasons) != set(numbers):
        raise Wrong(f"reasons that nothing needs: {', '.join(sorted(set(reasons) - set(numbers)))}")
    lines = [f"| change, from old to new | walpost | what changed | Confluent's rules | {asked['registry']} | "
             f"buf {asked['buf']} WIRE | buf WIRE_JSON | why |", "|" + " --- |" * 8, *rows, "",
             "Where others say something else, and why we do not:", ""]
    lines += [f"{number}. {reasons[name][1]}" for name, number in numbers.items()]
    return "\n".join(lines) + "\n"


def main():
    with open(DOCUMENT, encoding="utf-8") as file:
        text = file.read()
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    try:
        made = head + BEGIN + table() + END + tail
    except Wrong as wrong:
        print(wrong, file=sys.stderr)
        return 1
    if "--check" in sys.argv:
        if made != text:
            print("docs/compatibility.md is not what scripts/compatibility-table.py writes", file=sys.stderr)
        return 0 if made == text else 1
    with open(DOCUMENT, "w", encoding="utf-8") as file:
        file.write(made)
    return 0


sys.exit(main())
