# SPDX-License-Identifier: Apache-2.0
"""I9: max_slot_wal_keep_size: a warning in time, with its remedy, and no silence when it is too
late."""

import json

import pytest

from support.process import wait_until
from support.servers import Kafka, Postgres

LIMIT_MB = 64


@pytest.fixture(scope="module")
def postgres():
    with Postgres({"max_slot_wal_keep_size": f"{LIMIT_MB}MB", "min_wal_size": "32MB"}) as server:
        yield server


@pytest.fixture(scope="module")
def kafka():
    """One that may be frozen."""
    with Kafka() as cluster:
        yield cluster


def write_wal(stream, megabytes):
    """Of another application's."""
    stream.execute("create table if not exists other (data text)")
    stream.execute("alter table other alter column data set storage external")
    stream.execute(
        "insert into other select repeat('x', 1000000) from generate_series(1, %s)", (megabytes,)
    )


def use_up(stream):
    """All but little of the budget: it counts from the beginning of a segment, so how much that is
    depends on where the slot stands."""
    while stream.slot_state("safe_wal_size") > 8 * 2**20:
        write_wal(stream, 2)


def budget(walpost):
    points = json.loads(walpost.check("--json", status=None).stdout)["points"]
    return next(point for point in points if point["point"] == "WAL budget")


def stuck_while_streaming(stream, kafka):
    """Rows that Kafka does not take: the slot stands still, with a walpost that streams."""
    rows = stream.insert(3)
    stream.records(3)
    stream.wait_confirmed(stream.wal_position())
    kafka.freeze_node(1)
    return rows + stream.insert(3)


def test_I9_an_early_warning_and_its_remedy(stream, postgres, kafka):
    with stream.running():
        assert stream.walpost.status()["slot"]["warning"] is None
        assert budget(stream.walpost)["state"] == "ok"
        rows = stuck_while_streaming(stream, kafka)
        try:
            use_up(stream)
            line = stream.walpost.wait_for("safe_wal_size", 60)
        finally:
            kafka.thaw_node(1)
        assert '"level":"warn"' in line and "may soon be lost" in line
        assert "ALTER SYSTEM SET max_slot_wal_keep_size" in line
        assert len(stream.records(6, timeout=60)) == len(rows)
        stream.walpost.wait_for("the slot is safe again", 60)


def test_I9_status_and_check_warn_of_a_stream_that_is_stopped(new_stream, postgres, kafka):
    stream = new_stream(postgres, kafka)
    stream.walpost.init()
    rows = stream.insert(3)
    use_up(stream)
    slot = stream.walpost.status()["slot"]
    assert "safe_wal_size" in slot["warning"], slot
    point = budget(stream.walpost)
    assert point["state"] == "warning" and "safe_wal_size" in point["text"], point
    assert "safe_wal_size" in stream.walpost.command("status").stdout
    # The remedy helps.
    remedy = point["remedy"]
    assert remedy == slot["remedy"]
    postgres.psql(remedy[remedy.index("ALTER SYSTEM") : remedy.index(";") + 1])
    postgres.execute("select pg_reload_conf()")
    wait_until(lambda: stream.walpost.status()["slot"]["warning"] is None, 10, "no warning")
    assert budget(stream.walpost)["state"] == "ok"
    postgres.execute("alter system reset all")
    postgres.execute("select pg_reload_conf()")
    stream.walpost.command("run", "--once")
    assert len(stream.records(3)) == len(rows)


@pytest.mark.parametrize("recover", ["refuse", "table"])
def test_I9_a_slot_that_is_lost_while_it_streams(new_stream, postgres, kafka, recover):
    stream = new_stream(postgres, kafka, recover=recover)
    stream.walpost.init()
    stream.walpost.start()
    stream.wait_streaming()
    rows = stuck_while_streaming(stream, kafka)
    try:
        write_wal(stream, 2 * LIMIT_MB)
        stream.walpost.wait_for("about to be lost", 60)
        postgres.execute("checkpoint")
        wait_until(
            lambda: stream.slot_state("wal_status") == "lost", 60, "the server gives the slot up"
        )
    finally:
        kafka.thaw_node(1)
    if recover == "refuse":
        assert stream.walpost.wait_exit(60) == 3, stream.walpost.log_tail()
        last = stream.walpost.last_error()
        assert "max_slot_wal_keep_size" in last["remedy"] and "recover: table" in last["remedy"]
        assert len(stream.walpost.log_text().splitlines()) < 60  # no hot loop before it
        stream.walpost.write_config(recover="table")
        stream.walpost.start()
    stream.wait_statuses({"COMMITTED": len(rows)}, 60)
    seen = [record.headers["event_id"] for record in stream.records(len(rows))]
    assert set(seen) == set(rows)
    assert "recovered from the table" in stream.walpost.log_text()
    assert stream.walpost.stop() == 0
