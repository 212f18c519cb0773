# SPDX-License-Identifier: Apache-2.0
"""delivery: at_least_once loses nothing, and the first appearances of a key are in order."""

import random

import pytest

from support.process import wait_until


@pytest.mark.quick
def test_without_accidents(new_stream, postgres, kafka):
    stream = new_stream(postgres, kafka, delivery="at_least_once")
    with stream.running():
        truth = stream.writer(keys=10).run_transactions(500)
        stream.assert_exactly_once(truth)


@pytest.mark.parametrize("lanes", [1, 3])
def test_kills(new_stream, postgres, kafka, killed, lanes):
    stream = new_stream(postgres, kafka, delivery="at_least_once", lanes=lanes)
    choose = random.Random(f"at least once {lanes}")
    stream.walpost.init()
    writer = stream.writer(keys=10, pause=0.05)
    with writer.running():
        for place in ("after_produce", "after_mark", "before_feedback", "after_generation"):
            stream.walpost.start(crash=f"{place}:1")
            assert stream.walpost.wait_exit(60) == -9, f"at {place}\n{stream.walpost.log_tail()}"
            killed(f"{place}, at least once")
        for _ in range(4):
            stream.walpost.start()
            stream.wait_streaming()
            enough = len(writer.truth.committed) + choose.randint(20, 200)
            wait_until(lambda: len(writer.truth.committed) > enough, 60, "more rows")
            stream.walpost.kill()
            killed("at random, at least once")
        stream.walpost.start()
        stream.wait_streaming()
    verdict = stream.verdict(writer.truth)
    assert verdict.at_least_once, f"{verdict}\n{stream.walpost.log_tail()}"
