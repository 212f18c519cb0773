# SPDX-License-Identifier: Apache-2.0
"""I9: a slot that is gone, and `recover: table`: made anew, and the rows that are still PENDING are
read again, at least once, and said so."""

import re

import pytest

from support.process import wait_until
from support.servers import Postgres
from support.standby import Standby
from support.stream import ROLE

LSN = r"\b[0-9A-F]+/[0-9A-F]+\b"
RECOVERED = "recovered from the table"
# Each place of a recovery where a crash must do no harm.
PLACES = [
    "recover_after_slot",
    "recover_after_snapshot",
    "before_generation",
    "after_generation",
    "mid_snapshot",
    "after_commit",
    "after_mark",
]


def drop(stream):
    stream.execute("select pg_drop_replication_slot(%s)", (stream.slot,))


def recreate(stream):
    drop(stream)
    stream.execute("select pg_create_logical_replication_slot(%s, 'pgoutput')", (stream.slot,))


def advance(stream):
    stream.execute(
        "select pg_replication_slot_advance(%s, pg_current_wal_lsn())", (stream.slot,)
    )


def insert(stream, count):
    """Each in a transaction of its own: a snapshot orders rows by created_at."""
    return [stream.insert(1)[0] for _ in range(count)]


def publish(stream, count):
    """Published and marked by a run of its own, like all that waits."""
    stream.walpost.start()
    stream.wait_streaming()
    rows = insert(stream, count) if count < 100 else stream.insert(count)
    wait_until(
        lambda: set(stream.statuses()) == {"COMMITTED"}, 30, f"marks\n{stream.walpost.log_tail()}"
    )
    assert stream.walpost.stop() == 0, stream.walpost.log_tail()
    return rows


def publish_unmarked(stream, count=1):
    """In Kafka, but killed before the mark."""
    stream.walpost.start(crash="after_commit:1")
    rows = stream.insert(count)  # one Kafka transaction
    assert stream.walpost.wait_exit() == -9
    return rows


def identities(stream, count):
    return [record.headers["event_id"] for record in stream.records(count)]


def assert_refused_with_positions(stream):
    """Exit status 3: where Kafka is, where the server is, and the remedies; nothing was touched."""
    before = stream.statuses()
    stream.walpost.start()
    assert stream.walpost.wait_exit() == 3, stream.walpost.log_tail()
    last = stream.walpost.last_error()
    assert stream.slot in last["message"], last
    assert len(set(re.findall(LSN, last["message"]))) >= 2, last
    assert "recover: table" in last["remedy"] and "`walpost init`" in last["remedy"], last
    assert stream.statuses() == before


def assert_recovers(stream, known, pending):
    """known: what Kafka has in order; pending: what must come again, after that."""
    stream.walpost.write_config(recover="table")
    stream.walpost.start()
    line = stream.walpost.wait_for(RECOVERED)
    assert '"level":"warn"' in line and "a second time" in line and "logical messages" in line
    stream.wait_statuses({"COMMITTED": len(set(known + pending))})
    new = insert(stream, 3)
    assert identities(stream, len(known + pending) + 3) == known + pending + new
    stream.wait_confirmed(stream.wal_position())
    checkpoint = stream.walpost.status()["checkpoint"]
    assert checkpoint["recovered_from_lsn"] and checkpoint["origin_lsn"], checkpoint
    assert "from the table" in stream.walpost.command("status").stdout
    assert stream.walpost.stop() == 0, stream.walpost.log_tail()
    # Once is enough.
    more = publish(stream, 2)
    assert RECOVERED not in stream.walpost.log_text()
    assert identities(stream, len(known + pending) + 5) == known + pending + new + more


@pytest.mark.parametrize("accident", [drop, recreate, advance])
def test_I9_rows_that_are_pending_are_read_again(stream, accident):
    stream.walpost.init()
    published = publish(stream, 5)
    unmarked = publish_unmarked(stream, 1)
    missed = insert(stream, 3)
    accident(stream)
    if accident == drop:
        assert_refused_with_positions(stream)
    assert_recovers(stream, published + unmarked, unmarked + missed)


def test_I9_a_recovery_is_killed_everywhere(new_stream, postgres, kafka, killed):
    stream = new_stream(postgres, kafka, recover="table")
    stream.walpost.init()
    rows = publish(stream, 5)
    for place in PLACES:
        missed = insert(stream, 3)
        drop(stream)
        stream.walpost.start(crash=place)
        assert stream.walpost.wait_exit() == -9, f"{place}\n{stream.walpost.log_tail()}"
        killed(place)
        rows += missed + publish(stream, 2)
        stream.wait_statuses({"COMMITTED": len(rows)})
    seen = identities(stream, len(rows))
    assert list(dict.fromkeys(seen)) == rows  # first appearances: all, and in order
    assert len(seen) <= len(rows) + 3 * len(PLACES)


def test_I9_I11_two_instances_recover_one_slot(new_stream, postgres, kafka):
    stream = new_stream(postgres, kafka, recover="table")
    other = stream.instance("other", recover="table")
    stream.walpost.init()
    rows = publish(stream, 5)
    for _ in range(3):
        missed = insert(stream, 20)
        drop(stream)
        stream.walpost.start()
        other.start()
        rows += missed + insert(stream, 5)
        stream.wait_statuses({"COMMITTED": len(rows)})
        assert stream.walpost.running and other.running
        assert other.stop() == 0 and stream.walpost.stop() == 0
    seen = identities(stream, len(rows))
    assert list(dict.fromkeys(seen)) == rows


def test_recover_table_needs_marks(stream):
    stream.walpost.write_config(recover="table", outbox={"after_publish": "keep"})
    done = stream.walpost.check(status=2)
    assert "recover cannot be table where outbox.after_publish is keep" in done.stderr, done.stderr


# --- a physical standby, without a failover slot ---


@pytest.fixture
def primary():
    with Postgres() as server:
        yield server


@pytest.fixture
def standby(primary):
    with Standby(primary) as server:
        yield server


def follow(stream, standby):
    """The standby is the primary now; walpost finds it by itself, for it knows both."""
    primary = stream.postgres
    ports = f"{primary.port},{standby.port}"
    addresses = f"{primary.address},{standby.address}"
    dsn = f"host={addresses} port={ports} user={ROLE} dbname={stream.name}"
    stream.walpost.write_config(postgres={"dsn": dsn})
    primary.kill()
    standby.promote()
    stream.postgres = standby


def test_I9_a_failover_without_a_failover_slot(new_stream, primary, standby, kafka):
    stream = new_stream(primary, kafka)
    stream.walpost.init()
    published = publish(stream, 5)
    unmarked = publish_unmarked(stream, 1)
    missed = insert(stream, 3)
    standby.wait_caught_up(primary)
    follow(stream, standby)
    assert_refused_with_positions(stream)
    assert "timeline 2" in stream.walpost.last_error()["message"]
    assert_recovers(stream, published + unmarked, unmarked + missed)


@pytest.mark.parametrize("recover", ["refuse", "table"])
def test_I9_a_standby_that_lost_what_kafka_has(new_stream, primary, standby, kafka, recover):
    """New rows there would have the positions of published ones: they are not taken for them."""
    stream = new_stream(primary, kafka, recover=recover)
    stream.walpost.init()
    kept = publish(stream, 5)
    standby.wait_caught_up(primary)
    standby.stop()
    lost = publish(stream, 500)
    standby.start_without(primary)
    follow(stream, standby)
    new = insert(stream, 3)
    for _ in range(2):
        stream.walpost.start()
        assert stream.walpost.wait_exit() == 3, stream.walpost.log_tail()
        last = stream.walpost.last_error()
        assert len(set(re.findall(LSN, last["message"]))) >= 2, last
        assert re.search("set back|timeline 2", last["message"]), last
        assert "`walpost init`" in last["remedy"], last
    assert stream.statuses() == {"COMMITTED": len(kept), "PENDING": len(new)}
    assert not stream.slot_state("slot_name")
    assert identities(stream, 505) == kept + lost
    # The remedy.
    stream.walpost.command("drop", "--yes")
    stream.walpost.init()
    stream.walpost.start()
    stream.wait_statuses({"COMMITTED": len(kept) + len(new)})
    assert identities(stream, 508) == kept + lost + new
    assert stream.walpost.stop() == 0
    wait_until(lambda: not stream.slot_state("active"), 10, "the slot is free")
