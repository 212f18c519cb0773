# SPDX-License-Identifier: Apache-2.0
"""What a torture run was, in words and figures."""

from collections import Counter

from torture.schedule import KINDS


def _counts(torture):
    return {
        "faults": len(torture.done),
        "in_flight": sum(1 for entry in torture.done if entry["in_flight"]),
        "in_commit": sum(1 for entry in torture.done if entry["in_commit"]),
        "minutes": torture.seconds / 60,
    }


def _percent(part, whole):
    return 100 * part / whole if whole else 0


def _spread(seconds):
    """Half of them, and all of them, within."""
    ordered = sorted(seconds)
    return f"{ordered[len(ordered) // 2]:.2f} s (p50), {ordered[-1]:.2f} s (worst of {len(ordered)})"


def _figures(torture):
    counts = _counts(torture)
    truth = torture.writer.truth
    rows = [
        ("faults", f"{counts['faults']}"),
        (
            "with an uncommitted batch in flight",
            f"{counts['in_flight']} ({_percent(counts['in_flight'], counts['faults']):.0f} %)",
        ),
        ("in the middle of a commit", f"{counts['in_commit']}"),
        ("minutes", f"{counts['minutes']:.1f}"),
        ("faults a minute", f"{counts['faults'] / max(counts['minutes'], 1e-9):.1f}"),
        ("starts of walpost", f"{torture.crew.starts}"),
        ("transactions", f"{truth.transactions}"),
        ("events committed", f"{len(truth.committed)}, {len(truth.messages)} of them without a row"),
        ("events rolled back", f"{len(truth.rolled_back)}"),
    ]
    if torture.first_commits:
        rows.append(("from a start to the first commit", _spread(torture.first_commits)))
    if torture.take_overs:
        rows.append(("from a leader's death to the standby's session", _spread(torture.take_overs)))
    return rows


def _kinds(torture):
    """(kind, count, in flight, in commit, what) in the schedule's order."""
    total = Counter(entry["kind"] for entry in torture.done)
    flight = Counter(entry["kind"] for entry in torture.done if entry["in_flight"])
    commit = Counter(entry["kind"] for entry in torture.done if entry["in_commit"])
    return [
        (kind, total[kind], flight[kind], commit[kind], what)
        for kind, (_, what) in KINDS.items()
        if total[kind]
    ]


def plain(torture, outcome):
    lines = [f"{'kind of fault':20} {'count':>6} {'in flight':>10} {'in commit':>10}"]
    lines += [f"{kind:20} {n:6} {a:10} {b:10}" for kind, n, a, b, _ in _kinds(torture)]
    lines += [f"{name}: {figure}" for name, figure in _figures(torture)]
    lines.append(str(outcome) if outcome else "no verdict: the run broke off")
    return "\n".join(lines)


def markdown(torture, outcome, version, again):
    lines = [
        f"### Seed {torture.seed}, lanes {torture.lanes}, {torture.kafka.nodes} "
        + ("brokers" if torture.kafka.nodes > 1 else "broker"),
        "",
        f"`./dev torture {again} --faults {len(torture.done)}`, PostgreSQL {version}",
        "",
        "| | |",
        "| --- | --- |",
    ]
    lines += [f"| {name} | {figure} |" for name, figure in _figures(torture)]
    lines += ["", "| fault | count | batch in flight | mid-commit | |", "| --- | --- | --- | --- | --- |"]
    lines += [f"| `{kind}` | {n} | {a} | {b} | {what} |" for kind, n, a, b, what in _kinds(torture)]
    lines += ["", "```", str(outcome) if outcome else "no verdict: the run broke off", "```", ""]
    return "\n".join(lines)
