# SPDX-License-Identifier: Apache-2.0
"""A lock of the application's on the table delays marks, never the stream."""

import contextlib
import json
import uuid

from support.process import wait_until
from support.stream import TABLE


def message(stream):
    body = {"id": str(uuid.uuid4()), "aggregate_id": "k", "event_type": "Order.ItemAdded"}
    stream.execute(
        "select pg_logical_emit_message(true, 'walpost', %s)",
        (json.dumps({**body, "payload": 1}),),
    )
    return body["id"]


def test_a_lock_on_the_table(stream):
    stream.walpost.init()
    with contextlib.closing(stream.connect()) as application:
        rows = stream.insert(10)
        cursor = application.cursor()
        cursor.execute("begin")
        cursor.execute(f"lock table {TABLE} in share mode")
        locked_at = stream.wal_position()
        stream.walpost.start()
        stream.wait_streaming()
        assert len(stream.records(10)) == 10  # visible, though nothing can be marked
        stream.walpost.wait_for("marks wait for a lock", timeout=30)
        # What needs no mark goes on while the lock is held.
        messages = [message(stream) for _ in range(5)]
        assert len(stream.records(15)) == 15
        walsender = stream.slot_state("active_pid")
        assert stream.slot_state(f"confirmed_flush_lsn <= '{locked_at}'::pg_lsn")
        cursor.execute(f"select distinct status from {TABLE}")
        assert cursor.fetchall() == [("PENDING",)]
        cursor.execute("rollback")
        stream.wait_statuses({"COMMITTED": 10})
    assert stream.slot_state("active_pid") == walsender, "the replication connection lived on"
    stream.wait_confirmed(stream.wal_position())
    assert stream.walpost.stop() == 0
    assert [r.headers["event_id"] for r in stream.records(15)] == rows + messages


def test_locks_on_rows_come_and_go(stream):
    """An application that locks some of the rows: those are marked later."""
    with stream.running():
        with contextlib.closing(stream.connect()) as application:
            ids = stream.insert(5)
            cursor = application.cursor()
            cursor.execute("begin")
            cursor.execute(f"select from {TABLE} where id = %s for update", (ids[2],))
            more = stream.insert(5)
            assert len(stream.records(10)) == 10
            cursor.execute("rollback")
        stream.wait_statuses({"COMMITTED": 10})
        wait_until(lambda: stream.walpost.running, 5, "it runs")
    assert [r.headers["event_id"] for r in stream.records(10)] == ids + more
