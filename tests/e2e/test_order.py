# SPDX-License-Identifier: Apache-2.0
"""I4, I5: eight writers at once, with all that transactions can do."""

import pytest


@pytest.mark.quick
@pytest.mark.parametrize("lanes", [1, 3])
def test_order_of_keys_with_eight_writers(new_stream, postgres, kafka, lanes):
    stream = new_stream(postgres, kafka, lanes=lanes)
    with stream.running():
        truth = stream.writer(keys=12).run_transactions(1500)
        verdict = stream.assert_exactly_once(truth)
    assert verdict.inserted > 1500 and len(truth.rolled_back) > 500


def test_order_with_tiny_batches(new_stream, postgres, kafka):
    """Nearly every PostgreSQL transaction is cut into several Kafka transactions."""
    stream = new_stream(postgres, kafka, lanes=2, batch={"max_events": 3})
    with stream.running():
        truth = stream.writer(keys=6).run_transactions(150)
        stream.assert_exactly_once(truth)


def test_order_while_catching_up(stream):
    stream.walpost.init()
    truth = stream.writer(keys=12).run_transactions(1000)
    stream.walpost.start()
    stream.assert_exactly_once(truth)
