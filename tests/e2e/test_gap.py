# SPDX-License-Identifier: Apache-2.0
"""I9: a slot that was dropped, made again, or moved by somebody else."""

import re

import pytest

LSN = r"\b[0-9A-F]+/[0-9A-F]+\b"


def drop(stream):
    stream.execute("select pg_drop_replication_slot(%s)", (stream.slot,))


def recreate(stream):
    drop(stream)
    stream.insert(2, key="missed")
    stream.execute("select pg_create_logical_replication_slot(%s, 'pgoutput')", (stream.slot,))


def advance(stream):
    stream.insert(2, key="missed")
    stream.execute(
        "select pg_replication_slot_advance(%s, pg_current_wal_lsn())", (stream.slot,)
    )


@pytest.mark.quick
@pytest.mark.parametrize("accident", [recreate, advance])
def test_a_gap_is_refused_until_it_is_accepted(new_stream, postgres, kafka, accident):
    stream = new_stream(postgres, kafka, outbox={"snapshot": "none"})
    stream.walpost.init()
    stream.walpost.start()
    stream.wait_streaming()
    before = stream.insert(5)
    stream.records(5)
    stream.wait_confirmed(stream.wal_position())
    assert stream.walpost.stop() == 0

    accident(stream)
    position = stream.confirmed()
    for _ in range(2):  # it stays so
        stream.walpost.start()
        assert stream.walpost.wait_exit() == 3, stream.walpost.log_tail()
        last = stream.walpost.last_error()
        positions = set(re.findall(LSN, last["message"]))
        assert position in positions and len(positions) >= 2, last
        assert "--accept-gap" in last.get("remedy", ""), last

    stream.walpost.start("--accept-gap")
    stream.wait_streaming()
    after = stream.insert(3)
    records = stream.records(8)
    assert [r.headers["event_id"] for r in records] == before + after
    stream.wait_confirmed(stream.wal_position())
    assert stream.walpost.stop() == 0
    # Told once is enough.
    stream.walpost.start()
    stream.wait_streaming()
    last = stream.insert(1)
    assert [r.headers["event_id"] for r in stream.records(9)] == before + after + last
    assert stream.walpost.stop() == 0


def test_a_slot_that_is_gone(stream):
    stream.walpost.init()
    stream.walpost.start()
    stream.wait_streaming()
    assert stream.walpost.stop() == 0
    drop(stream)
    stream.walpost.start()
    assert stream.walpost.wait_exit() == 3, stream.walpost.log_tail()
    last = stream.walpost.last_error()
    assert stream.slot in last["message"] and last.get("remedy"), last
    # A new slot would hide the gap: init does not make one, and says where the stream was.
    refusal = stream.walpost.init(status=3).stderr
    assert re.search(LSN, refusal) and "walpost drop" in refusal, refusal
    assert not stream.slot_state("slot_name")


def test_a_slot_without_a_checkpoint(stream):
    """Somebody made the slot by hand, before init: that is a gap, and init launders nothing."""
    stream.execute("select pg_create_logical_replication_slot(%s, 'pgoutput')", (stream.slot,))
    stream.walpost.init(status=None)
    stream.walpost.start()
    assert stream.walpost.wait_exit() == 3, stream.walpost.log_tail()
