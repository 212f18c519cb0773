# SPDX-License-Identifier: Apache-2.0
"""The harness on real servers, without walpost: what it starts it ends, what it claims is so."""

import os
import signal
import subprocess
import sys

import psycopg2
import pytest
from confluent_kafka import Producer

from support.process import free_port, wait_until
from support.reader import Reader
from support.writer import Writer

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TABLE = "create table outbox_events (id uuid, aggregate_id text, event_type text, payload jsonb)"


@pytest.fixture
def database(postgres):
    postgres.execute("create database writers")
    postgres.execute(TABLE, database="writers")
    yield "writers"
    postgres.execute("drop database writers with (force)")


def ids_in_table(postgres, database):
    return {
        row[0] for row in postgres.execute("select id::text from outbox_events", database=database)
    }


def test_the_writer_knows_what_it_committed(postgres, database):
    truth = Writer(lambda: postgres.connect(database), seed=7).run_transactions(400)
    assert set(truth.committed) == ids_in_table(postgres, database)
    assert len(truth.committed) > 400 and len(truth.rolled_back) > 100
    assert len({event for event in truth.committed.values()}) == len(truth.committed)


def test_the_writer_knows_it_after_a_crash_of_the_server(postgres, database):
    writer = Writer(lambda: postgres.connect(database), seed=8)
    with writer.running():
        for _ in range(3):
            before = len(writer.truth.committed)
            wait_until(lambda: len(writer.truth.committed) > before + 200, 30, "rows are written")
            postgres.kill()
            postgres.start()
    assert set(writer.truth.committed) == ids_in_table(postgres, database)


def test_sequences_of_a_key_follow_commit_order(postgres, database):
    """Commit order as PostgreSQL itself tells it, by the order of transactions in the WAL."""
    postgres.execute(
        "select pg_create_logical_replication_slot('order', 'test_decoding')", database=database
    )
    truth = Writer(lambda: postgres.connect(database), keys=5, seed=9).run_transactions(300)
    changes = postgres.execute(
        "select data from pg_logical_slot_get_changes('order', null, null)", database=database
    )
    postgres.execute("select pg_drop_replication_slot('order')")
    last = {}
    seen = 0
    for (change,) in changes:
        if "outbox_events: INSERT" in change:  # the writer keeps a journal, too
            identity = change.split("id[uuid]:'")[1][:36]
            key, sequence = truth.committed[identity]
            assert last.get(key, 0) < sequence
            last[key] = sequence
            seen += 1
    assert seen == len(truth.committed)


def test_the_reader_sees_committed_records_only(kafka):
    kafka.create_topic("reader.a", 2)
    producer = Producer(
        {"bootstrap.servers": kafka.bootstrap, "transactional.id": "reader", "log_level": 0}
    )
    producer.init_transactions()

    def transaction(names, finish):
        producer.begin_transaction()
        for name in names:
            producer.produce("reader.a", key=name, value=b"", headers={"event_id": name})
        producer.flush()
        finish()

    transaction(["one", "two"], producer.commit_transaction)
    transaction(["never"], producer.abort_transaction)
    with Reader(kafka.bootstrap, "reader.") as reader:
        assert reader.read_until(lambda records: len(records) == 2)
        kafka.create_topic("reader.late", 1)
        producer.begin_transaction()
        producer.produce("reader.late", key="three", headers={"event_id": "three"})
        producer.flush()
        with pytest.raises(AssertionError, match="an open Kafka transaction"):
            reader.read_to_end(timeout=1)
        producer.commit_transaction()
        seen = sorted(record.headers["event_id"] for record in reader.read_to_end())
        assert seen == ["one", "three", "two"]


# Starts a PostgreSQL in a process of its own, and says its postmaster's id and port.
STARTER = """
import signal, sys
from support.servers import Postgres
signal.signal(signal.SIGINT, signal.default_int_handler)  # one of several processes ignores it
with Postgres() as server:
    print(server.process.pid, server.port, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_server_outlives_the_harness(how):
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER],
        cwd=TESTS,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    pid, port = (int(word) for word in starter.stdout.readline().split())
    starter.send_signal(how)
    starter.wait(30)
    wait_until(lambda: not os.path.exists(f"/proc/{pid}"), 30, "the postmaster is gone")
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(f"host=127.0.0.1 port={port} user=postgres dbname=postgres")


def test_free_ports_differ():
    assert len({free_port() for _ in range(20)}) > 1
