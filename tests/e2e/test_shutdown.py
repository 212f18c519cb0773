# SPDX-License-Identifier: Apache-2.0
"""Ends that somebody asked for: SIGTERM drains, --once and --until-lsn stop by themselves."""

import contextlib
import signal
import time

import pytest

from support.process import wait_until
from support.stream import TABLE


@pytest.mark.quick
def test_sigterm_under_load_drains(stream):
    stream.walpost.init()
    writer = stream.writer(keys=10, pause=0.01)
    with writer.running():
        for _ in range(3):
            stream.walpost.start()
            stream.wait_streaming()
            enough = len(writer.truth.committed) + 200
            wait_until(lambda: len(writer.truth.committed) > enough, 60, "more rows")
            assert stream.walpost.stop() == 0, stream.walpost.log_tail()
        stream.walpost.start()
    stream.assert_exactly_once(writer.truth)


@pytest.mark.quick
def test_after_a_clean_stop_the_next_start_leaves_nothing_open(stream):
    with stream.running():
        stream.insert(100)
        stream.records(100)
    # Drained: what was published is marked and confirmed.
    assert stream.statuses() == {"COMMITTED": 100}
    assert not stream.slot_state("active")


@pytest.mark.quick
def test_once(stream):
    stream.walpost.init()
    truth = stream.writer(keys=5).run_transactions(200)
    stream.walpost.start("--once")
    assert stream.walpost.wait_exit(60) == 0, stream.walpost.log_tail()
    assert stream.statuses() == {"COMMITTED": len(truth.committed)}
    stream.walpost.start("--once")  # nothing there is fine too
    assert stream.walpost.wait_exit(60) == 0, stream.walpost.log_tail()
    stream.assert_exactly_once(truth)


@pytest.mark.quick
def test_until_lsn(stream):
    stream.walpost.init()
    first = stream.insert(10)
    middle = stream.wal_position()
    second = stream.insert(10)
    stream.walpost.start("--until-lsn", middle)
    assert stream.walpost.wait_exit(60) == 0, stream.walpost.log_tail()
    assert len(stream.records(10)) in range(10, 21)
    assert stream.statuses().get("COMMITTED", 0) >= 10
    stream.walpost.start("--once")
    assert stream.walpost.wait_exit(60) == 0, stream.walpost.log_tail()
    assert [r.headers["event_id"] for r in stream.records(20)] == first + second


def stopped_before(walpost, wanted):
    """Its exit status says that it has not come to its end, its log where it stopped."""
    assert walpost.wait_exit(60) == 1, walpost.log_tail()
    entry = walpost.last_error()
    assert f"before the end of this run at {wanted}" in entry["message"], entry
    assert "goes on where this one stopped" in entry["remedy"], entry
    return entry


def test_sigterm_before_the_end_of_until_lsn(stream):
    stream.walpost.init()
    stream.insert(10)
    stream.walpost.start("--until-lsn", "FFFFFFFF/0")
    stream.wait_statuses({"COMMITTED": 10})
    stream.walpost.process.send_signal(signal.SIGTERM)
    stopped_before(stream.walpost, "FFFFFFFF/0")


def test_sigterm_before_the_end_of_once(stream):
    """One SIGTERM changes nothing: it is draining. Two leave marks to the next, and that is said."""
    stream.walpost.init()
    stream.insert(10)
    with contextlib.closing(stream.connect()) as application:
        cursor = application.cursor()
        cursor.execute("begin")
        cursor.execute(f"select from {TABLE} limit 1 for update")
        stream.walpost.start("--once")
        stream.records(10)
        stream.walpost.wait_for("draining")
        stream.walpost.process.send_signal(signal.SIGTERM)
        stream.walpost.wait_for("told to stop: it is draining")
        stream.walpost.process.send_signal(signal.SIGTERM)
        stopped_before(stream.walpost, "")
        cursor.execute("rollback")
    stream.walpost.command("run", "--once")
    assert stream.statuses() == {"COMMITTED": 10}


def test_a_start_after_a_clean_stop_is_quick(stream):
    with stream.running():
        stream.insert(1)
        stream.records(1)
    with stream.reader() as reader:
        reader.read_to_end()
        stream.insert(1)
        began = time.monotonic()
        stream.walpost.start()
        assert reader.read_until(lambda records: len(records) == 2, 10), stream.walpost.log_tail()
        took = time.monotonic() - began
    print(f"from start to the first event: {took:.2f} s")
    assert took < 2  # ./dev bench measures it in peace; here it must only be sane
    assert stream.walpost.stop() == 0


def test_sigterm_while_kafka_does_not_answer(new_stream, postgres, kafka):
    """It ends, in its own time: what was not committed is left to the next start."""
    stream = new_stream(postgres, kafka)
    stream.walpost.init()
    stream.walpost.start()
    stream.wait_streaming()
    stream.insert(5)
    stream.records(5)
    kafka.freeze_node(1)
    try:
        stream.insert(5)
        status = stream.walpost.stop(timeout=60)
    finally:
        kafka.thaw_node(1)
    assert status in (0, 1), stream.walpost.log_tail()
    stream.walpost.start()
    assert len(stream.records(10, timeout=60)) == 10
    assert stream.walpost.stop() == 0
