# SPDX-License-Identifier: Apache-2.0
"""The torture run must notice: each of these breaks one rule of the design, and the run fails."""

import pytest

from torture import report
from torture.crew import Unexpected
from torture.torture import Torture

# rule -> faults that find it soonest, and how many of them
RULES = {
    "fence": ({"take_over"}, 4),
    "checkpoint_inside": ({"kill_at_point", "kill_in_commit"}, 12),
    "commit_before_confirm": ({"kill_at_point", "kill_in_commit"}, 12),
    "mark_before_confirm": ({"row_lock"}, 4),
}


@pytest.mark.parametrize("rule", RULES)
def test_a_broken_rule_is_noticed(new_stream, postgres, kafka, rule):
    stream = new_stream(postgres, kafka)
    # Without fences nobody ends the transactions of the dead but their timeout.
    stream.walpost.config["kafka"]["transaction.timeout.ms"] = 20000
    torture = Torture(stream, seed=4, lanes=1, broken=rule)
    only, faults = RULES[rule]
    try:
        outcome = torture.run(faults=faults, only=only)
    except Unexpected as noticed:
        print(f"{rule}: {noticed}")
        return
    print(f"{report.plain([torture])}\n{outcome}")
    assert not outcome.held, f"nothing was noticed of the broken rule {rule}"
