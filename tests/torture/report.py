# SPDX-License-Identifier: Apache-2.0
"""What a torture run was, in words and figures."""

from collections import Counter

from torture.schedule import KINDS


def _percent(part, whole):
    return 100 * part / whole if whole else 0


def _spread(seconds):
    """Half of them, and all of them, within."""
    ordered = sorted(seconds)
    return f"{ordered[len(ordered) // 2]:.2f} s (p50), {ordered[-1]:.2f} s (worst of {len(ordered)})"


def _together(legs, what):
    return [item for leg in legs for item in what(leg)]


def _figures(legs):
    entries = _together(legs, lambda leg: leg.done)
    flight = sum(1 for entry in entries if entry["in_flight"])
    minutes = sum(leg.seconds for leg in legs) / 60
    truths = [leg.writer.truth for leg in legs]
    rows = [
        ("faults", f"{len(entries)}"),
        ("with an uncommitted batch in flight", f"{flight} ({_percent(flight, len(entries)):.0f} %)"),
        ("in the middle of a commit", f"{sum(1 for entry in entries if entry['in_commit'])}"),
        ("minutes", f"{minutes:.1f}"),
        ("faults a minute", f"{len(entries) / max(minutes, 1e-9):.1f}"),
        ("starts of walpost", f"{sum(leg.crew.starts for leg in legs)}"),
        ("transactions", f"{sum(truth.transactions for truth in truths)}"),
        (
            "events committed",
            f"{sum(len(truth.committed) for truth in truths)}, "
            f"{sum(len(truth.messages) for truth in truths)} of them without a row",
        ),
        ("events rolled back", f"{sum(len(truth.rolled_back) for truth in truths)}"),
    ]
    grown = _together(legs, lambda leg: leg.grown.values())
    if grown:
        added = sum(sizes[-1] - sizes[0] for sizes in grown)
        rows.append(("partitions added", f"{added}, to {len(grown)} topics"))
    for name, what in (
        ("from a start to the first commit", lambda leg: leg.first_commits),
        ("from a leader's death to the standby's session", lambda leg: leg.take_overs),
    ):
        if _together(legs, what):
            rows.append((name, _spread(_together(legs, what))))
    return rows


def _kinds(legs):
    """(kind, count, in flight, in commit, what) in the schedule's order."""
    entries = _together(legs, lambda leg: leg.done)
    total = Counter(entry["kind"] for entry in entries)
    flight = Counter(entry["kind"] for entry in entries if entry["in_flight"])
    commit = Counter(entry["kind"] for entry in entries if entry["in_commit"])
    return [
        (kind, total[kind], flight[kind], commit[kind], what)
        for kind, (_, what) in KINDS.items()
        if total[kind]
    ]


def name_of(leg):
    brokers = f"{leg.kafka.nodes} broker" + ("s" if leg.kafka.nodes > 1 else "")
    return f"lanes {leg.lanes}, {brokers}, {len(leg.done)} faults"


def verdict(outcome):
    return str(outcome) if outcome else "no verdict: the run broke off"


def plain(legs):
    lines = [f"{'kind of fault':20} {'count':>6} {'in flight':>10} {'in commit':>10}"]
    lines += [f"{kind:20} {n:6} {a:10} {b:10}" for kind, n, a, b, _ in _kinds(legs)]
    lines += [f"{name}: {figure}" for name, figure in _figures(legs)]
    return "\n".join(lines)


def markdown(legs, outcomes, version, again):
    lines = [f"### Seed {legs[0].seed}", "", f"`./dev torture {again}`, PostgreSQL {version}", ""]
    lines += ["| | |", "| --- | --- |"]
    lines += [f"| {name} | {figure} |" for name, figure in _figures(legs)]
    lines += ["", "| fault | count | batch in flight | mid-commit | |", "| --- | --- | --- | --- | --- |"]
    lines += [f"| `{kind}` | {n} | {a} | {b} | {what} |" for kind, n, a, b, what in _kinds(legs)]
    lines += ["", "```"]
    for leg, outcome in zip(legs, outcomes):
        lines += [name_of(leg), verdict(outcome)]
    lines += ["```", ""]
    return "\n".join(lines)
