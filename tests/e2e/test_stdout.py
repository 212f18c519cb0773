# SPDX-License-Identifier: Apache-2.0
"""run --to stdout and --to null: a look at the stream that leaves no trace, without any Kafka."""

import json

import pytest

pytestmark = pytest.mark.quick


@pytest.fixture
def quiet(stream):
    """A stream with rows that nobody published, whose Kafka cannot be reached any more."""
    stream.walpost.init()
    stream.ids = stream.insert(4) + stream.insert(3, key="ü", event_type="Payment.PaymentProcessed")
    stream.walpost.write_config(kafka={"bootstrap.servers": "127.0.0.1:1"})
    return stream


def test_json_lines(quiet):
    confirmed = quiet.confirmed()
    for _ in range(2):  # again: nothing was confirmed
        done = quiet.walpost.command("run", "--to", "stdout", "--once")
        events = [json.loads(line) for line in done.stdout.splitlines()]
        assert [event["id"] for event in events] == quiet.ids
        assert [event["payload"] for event in events[:4]] == [{"n": n} for n in range(1, 5)]
        assert events[0]["key"] == "k" and events[6]["key"] == "ü"
        assert events[6]["topic"] == quiet.prefix + "Payment"
        positions = [event["position"] for event in events]
        assert positions == sorted(positions)
    assert quiet.confirmed() == confirmed
    assert quiet.statuses() == {"PENDING": 7}


def test_null(quiet):
    confirmed = quiet.confirmed()
    done = quiet.walpost.command("run", "--to", "null", "--once")
    assert done.stdout == ""
    assert quiet.confirmed() == confirmed
    assert quiet.statuses() == {"PENDING": 7}
