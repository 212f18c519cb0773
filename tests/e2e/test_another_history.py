# SPDX-License-Identifier: Apache-2.0
"""I9, I11: a server that is not the one that the checkpoint speaks of, or not in that state any
more: another cluster, a data directory that was copied back, another timeline."""

import os
import re
import subprocess

import pytest

from support.process import wait_until
from support.servers import Postgres
from support.stream import TABLE, Stream

LSN = r"\b[0-9A-F]+/[0-9A-F]+\b"


@pytest.fixture
def own_postgres():
    with Postgres() as server:
        yield server


def new_own_stream(new_stream, postgres, kafka):
    return new_stream(postgres, kafka, outbox={"snapshot": "none"})


def generations(stream):
    with stream.reader(f"walpost.checkpoint.{stream.name}") as reader:
        return sum(record.key == b"generation" for record in reader.read_to_end())


def found_a_table_by_hand(stream):
    stream.execute(
        f"create table {TABLE} (id uuid primary key default gen_random_uuid(), "
        "aggregate_id text not null, event_type text not null, payload jsonb not null, "
        "status text default 'PENDING', created_at timestamptz default now())",
        user="walpost",
    )
    stream.execute(
        f"create publication {stream.publication} for table {TABLE}", user="walpost"
    )


def found_a_stream_by_hand(stream):
    """All that a stream has in PostgreSQL; what it has in Kafka is another's."""
    found_a_table_by_hand(stream)
    stream.execute("select pg_create_logical_replication_slot(%s, 'pgoutput')", (stream.slot,))


def assert_refused(walpost, *texts):
    """Exit status 3, with two positions and a remedy."""
    assert walpost.wait_exit() == 3, walpost.log_tail()
    last = walpost.last_error()
    assert len(set(re.findall(LSN, last["message"]))) >= 2, last
    assert "--accept-gap" in last.get("remedy", ""), last
    for text in texts:
        assert text in last["message"], last


def test_I9_I11_another_cluster_with_the_name_of_a_running_stream(stream, kafka, own_postgres):
    other = Stream(own_postgres, kafka, stream.name)
    writer = stream.writer(keys=10, pause=0.02)
    with stream.running():
        stream.walpost.wait_for('"streaming"')
        leader = stream.slot_state("active_pid")
        # Kafka answers a commit before its readers see it.
        wait_until(lambda: generations(stream) == 2, 60, "the generation that leads")
        with writer.running():
            other.walpost.init(status=3)
            found_a_stream_by_hand(other)
            foreign = other.insert(3)
            for _ in range(2):
                other.walpost.start()
                assert_refused(other.walpost, "another PostgreSQL cluster")
            for command in (("replay", "--from", "0/1"), ("bookmark", "add", "here")):
                assert "another PostgreSQL cluster" in other.walpost.command(*command, status=3).stderr
        assert stream.walpost.running and stream.slot_state("active_pid") == leader
        assert generations(stream) == 2
        stream.assert_exactly_once(writer.truth)
    assert other.statuses() == {"PENDING": len(foreign)}
    # It may be taken away again: what is the other's stays.
    assert "kept     topic" in other.walpost.command("drop", "--yes").stdout
    assert generations(stream) == 2


def copy_to_another_database(stream, slot):
    """The same configuration, pointed at another database of the same server."""
    copy = Stream(stream.postgres, stream.kafka, stream.name + "_2")
    config = {**stream.walpost.config, "postgres": {"dsn": copy.walpost.config["postgres"]["dsn"]}}
    copy.publication = stream.publication
    if slot is None:
        found_a_table_by_hand(copy)
    else:
        config["postgres"]["slot"] = copy.slot = slot
    copy.walpost.write_config(**config)
    return copy


@pytest.mark.parametrize("slot", [None, "walpost_copy"], ids=["the_same_slot", "its_own_slot"])
def test_I9_I11_another_database_with_the_name_of_a_running_stream(new_stream, postgres, kafka, slot):
    stream = new_stream(postgres, kafka)
    writer = stream.writer(keys=10, pause=0.02)
    with stream.running():
        stream.walpost.wait_for('"streaming"')
        leader = stream.slot_state("active_pid")
        before = generations(stream)
        copy = copy_to_another_database(stream, slot)
        try:
            with writer.running():
                refusal = copy.walpost.init(status=3).stderr
                assert "database" in refusal and "walpost drop" not in refusal, refusal
                if slot is not None:
                    found_a_stream_by_hand(copy)
                foreign = copy.insert(3)
                for arguments in ((), ("--take-over",)):
                    copy.walpost.start(*arguments)
                    assert copy.walpost.wait_exit() == 3, copy.walpost.log_tail()
                    last = copy.walpost.last_error()
                    assert "database" in last["message"], last
                    assert "stream name of its own" in last["remedy"], last
            assert copy.statuses() == {"PENDING": len(foreign)}
            assert stream.walpost.running and stream.slot_state("active_pid") == leader
            assert generations(stream) == 2
        finally:
            copy.end()
        stream.assert_exactly_once(writer.truth)


def assert_another_slot(walpost, *slots):
    assert_refused(walpost, *(f'"{slot}"' for slot in slots))
    assert "stream name of its own" in walpost.last_error()["remedy"], walpost.last_error()


@pytest.mark.quick
def test_I9_I11_another_slot_with_the_name_of_a_running_stream(stream):
    """The same configuration and database, but for the slot: no lock tells the two apart."""
    other = stream.slot + "_2"
    copy = stream.instance("copy", postgres={"slot": other}, recover="table")
    writer = stream.writer(keys=10, pause=0.02)
    with stream.running():
        stream.walpost.wait_for('"streaming"')
        leader = stream.slot_state("active_pid")
        wait_until(lambda: generations(stream) == 2, 60, "the generation that leads")
        with writer.running():
            assert f'reads slot "{stream.slot}"' in copy.init(status=3).stderr
            copy.start()
            assert_another_slot(copy, stream.slot, other)  # and recover: table makes none
            made = re.search(r"SELECT .*?\)", copy.last_error()["remedy"]).group()
            assert not stream.value("select 1 from pg_replication_slots where slot_name = %s", (other,))
            stream.execute("select pg_create_logical_replication_slot(%s, 'pgoutput')", (other,))
            for arguments in ((), ("--take-over",)):
                copy.start(*arguments)
                assert_another_slot(copy, stream.slot, other)
            assert copy.status()["checkpoint"]["slot"] == stream.slot
            for command in (("replay", "--from", "0/1"), ("bookmark", "add", "here")):
                assert f'reads slot "{stream.slot}"' in copy.command(*command, status=3).stderr
            assert f"postgres.slot={stream.slot}" in copy.command("drop", "--yes", status=3).stderr
        assert stream.walpost.running and stream.slot_state("active_pid") == leader
        assert generations(stream) == 2
        stream.assert_exactly_once(writer.truth)
    # On purpose: as the remedy says, nothing is lost and nothing repeated.
    stream.execute("select pg_drop_replication_slot(%s)", (other,))
    rows = stream.insert(3)
    stream.execute(made)
    before = [record.headers["event_id"] for record in stream.records(1)]
    said = copy.command("run", "--once", "--accept-gap").stderr
    assert "going on with another slot" in said, said
    rows += stream.insert(2)
    copy.command("run", "--once")
    records = stream.records(len(before) + len(rows))
    seen = [record.headers["event_id"] for record in records]
    assert sorted(seen) == sorted(before + rows)
    assert [event for event in seen if event in rows] == rows
    stream.walpost.start()
    assert_another_slot(stream.walpost, stream.slot, other)
    assert "removed  slot" in copy.command("drop", "--yes").stdout


def test_I9_a_stream_that_goes_on_while_it_is_looked_at_was_not_set_back(stream):
    """Whoever starts asks the server where its WAL ends, and only then Kafka what it has: in between
    the leader publishes. The slot is what is wrong here, not the server."""
    other = stream.slot + "_2"
    copy = stream.instance("copy", postgres={"slot": other})
    stream.execute("select pg_create_logical_replication_slot(%s, 'pgoutput')", (other,))
    with stream.running():
        stream.walpost.wait_for('"streaming"')
        copy.start(freeze="slot_acquired")
        copy.wait_frozen()
        stream.insert(5)
        stream.records(5)
        copy.thaw()
        assert_another_slot(copy, stream.slot, other)
    stream.execute("select pg_drop_replication_slot(%s)", (other,))


class History:
    """A stream on a server of its own, whose data directory is kept while it has published `kept`,
    and put back after it has published many more."""

    def __init__(self, stream):
        self.stream = stream
        self.server = stream.postgres
        self.copy = os.path.join(self.server.folder, "copy")
        stream.walpost.init()
        self.kept = self.publish(5)
        self.server.stop()
        subprocess.run(["cp", "-a", self.server.data, self.copy], check=True)
        self.server.start()
        self.published = self.kept + self.publish(2000)
        self.server.stop()

    def publish(self, count):
        stream = self.stream
        stream.walpost.start()
        stream.wait_streaming()
        rows = stream.insert(count)
        stream.wait_confirmed(stream.wal_position())
        assert stream.walpost.stop() == 0, stream.walpost.log_tail()
        return rows

    def put_back(self):
        os.rename(self.server.data, self.server.data + ".later")
        os.rename(self.copy, self.server.data)

    def start_on_timeline_2(self):
        """As after a restore: recovery to the end of the WAL that is there."""
        self.server.configure({"restore_command": "/bin/false"})
        signal_file = os.path.join(self.server.data, "recovery.signal")
        subprocess.run(["cp", "-a", f"{self.server.data}/PG_VERSION", signal_file], check=True)
        self.server.start()
        wait_until(
            lambda: not self.server.value("select pg_is_in_recovery()"), 30, "recovery is over"
        )
        current = self.server.value("select pg_walfile_name(pg_current_wal_lsn())")
        assert current.startswith("00000002"), current


def assert_refused_until_accepted(history, *texts):
    """Rows that are new are not taken for published ones: neither marked nor confirmed."""
    stream = history.stream
    confirmed = stream.confirmed()
    new = stream.insert(3)
    for _ in range(2):  # it stays so
        stream.walpost.start()
        assert_refused(stream.walpost, *texts)
        assert stream.statuses() == {"COMMITTED": len(history.kept), "PENDING": len(new)}
        assert stream.confirmed() == confirmed

    stream.walpost.start("--accept-gap")
    stream.wait_statuses({"COMMITTED": len(history.kept) + len(new)})
    assert stream.walpost.stop() == 0, stream.walpost.log_tail()
    identities = [record.headers["event_id"] for record in stream.records(1)]
    known = len(history.published)
    assert identities[:known] == history.published and identities[-len(new) :] == new
    # The kept slot may be behind what was kept: as the remedy says, later events may be there twice.
    assert identities[known : -len(new)] in ([], history.kept)


def test_I9_a_data_directory_that_was_put_back(new_stream, own_postgres, kafka):
    history = History(new_own_stream(new_stream, own_postgres, kafka))
    history.put_back()
    own_postgres.start()
    assert_refused_until_accepted(history, "set back")


def test_I9_a_timeline_that_left_before_what_kafka_has(new_stream, own_postgres, kafka):
    history = History(new_own_stream(new_stream, own_postgres, kafka))
    history.put_back()
    history.start_on_timeline_2()
    # Its WAL grows beyond what Kafka has: its end alone says nothing any more.
    own_postgres.execute(
        "create table ballast as select repeat('x', 500) from generate_series(1, 20000)"
    )
    assert_refused_until_accepted(history, "timeline 2", "timeline 1")


def test_I9_a_timeline_that_goes_on_from_what_kafka_has(new_stream, own_postgres, kafka):
    history = History(new_own_stream(new_stream, own_postgres, kafka))
    history.start_on_timeline_2()
    rows = history.publish(3)
    records = history.stream.records(len(history.published) + 3)
    assert [r.headers["event_id"] for r in records] == history.published + rows
