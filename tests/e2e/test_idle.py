# SPDX-License-Identifier: Apache-2.0
"""An idle outbox pins no WAL, and PostgreSQL can always be stopped."""

import time

import pytest

from support.process import wait_until
from support.servers import Kafka, Postgres
from support.transactions import between_ends

PROMPT = 5  # seconds for pg_ctl stop -m fast


@pytest.fixture
def own_postgres():
    with Postgres() as server:
        yield server


@pytest.fixture
def own_kafka():
    with Kafka() as cluster:
        yield cluster


def stop_fast(postgres):
    began = time.monotonic()
    postgres.stop("fast")
    return time.monotonic() - began


def test_the_slot_follows_other_tables(new_stream, own_postgres, kafka):
    stream = new_stream(own_postgres, kafka)
    stream.execute("create table bulk (data text)")
    stream.execute("alter table bulk alter column data set storage external")
    with stream.running():
        stream.insert(3)
        stream.records(3)
        began = stream.wal_position()
        for _ in range(10):
            stream.execute(
                "insert into bulk select repeat('x', 1000000) from generate_series(1, 105)"
            )
        end = stream.wal_position()
        assert stream.value("select %s::pg_lsn - %s::pg_lsn", (end, began)) > 2**30
        # The server says where it is when it looks, half way to wal_sender_timeout at the latest.
        stream.wait_confirmed(end, timeout=60)

        def freed():  # a checkpoint writes the record that the slot's restart point moves to
            stream.execute("checkpoint")
            return stream.slot_state("pg_current_wal_lsn() - restart_lsn < 200 * 1024 * 1024")

        wait_until(freed, 40, "the WAL is no longer held", interval=1)
        assert stop_fast(own_postgres) < PROMPT
        own_postgres.start()
        stream.insert(2)
        assert len(stream.records(5)) == 5


def test_postgresql_stops_at_once_while_kafka_is_away(new_stream, postgres, own_kafka):
    stream = new_stream(postgres, own_kafka)
    writer = stream.writer(connections=2, keys=4)
    with stream.running():
        writer.run_transactions(50)
        stream.records(len(writer.truth.committed))
        with between_ends(own_kafka, stream.walpost):
            own_kafka.kill_node(1)
        writer.run_transactions(50)  # in flight, and nobody takes them
        took = stop_fast(postgres)
        postgres.start()
        assert took < PROMPT, f"{took:.1f} s\n{stream.walpost.log_tail()}"
        writer.run_transactions(50)
        own_kafka.start_node(1)
        stream.assert_exactly_once(writer.truth, timeout=120)
