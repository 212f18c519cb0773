# SPDX-License-Identifier: Apache-2.0
"""I3, I4, I5, I11 and the marks: a short torture run, one that is always the same and one that never
is. ./dev torture runs long ones."""

import random

import pytest

from torture import report
from torture.torture import Torture

FAULTS = 25


def run(stream, seed, lanes):
    torture = Torture(stream, seed, lanes)
    outcome = torture.run(faults=FAULTS)
    text = f"seed {seed}\n{report.plain([torture])}\n{outcome}"
    print(text)
    assert outcome.held, text
    assert len(torture.done) == FAULTS, text


@pytest.mark.quick
def test_torture_with_a_fixed_seed(new_stream, postgres, kafka):
    run(new_stream(postgres, kafka), seed=323, lanes=3)


def test_torture_with_a_random_seed(new_stream, postgres, kafka, capsys):
    seed = random.SystemRandom().randrange(1_000_000)
    with capsys.disabled():
        print(f" torture: seed {seed} ", end="", flush=True)
    run(new_stream(postgres, kafka), seed, lanes=1)
