# SPDX-License-Identifier: Apache-2.0
"""Events once more, from the WAL that the anchor keeps, beside the stream that published them."""

import json
import os
import re
import shlex
import signal
import subprocess

import pytest

from support.process import end, spawn, wait_until
from support.servers import REPOSITORY
from support.walpost import program

REPLAY = {"keep_bytes": "1GB"}


def order(records):
    """(partition, key) -> values in order."""
    found = {}
    for record in records:
        found.setdefault((record.partition, record.key), []).append(record.value)
    return found


def settled(stream):
    """Everything that was inserted is published, and confirmed."""
    end = stream.wal_position()
    stream.wait_confirmed(end)
    return end


def replay(stream, *arguments, **options):
    return stream.walpost.command("replay", *arguments, **options)


def counted(stream, *arguments):
    return json.loads(replay(stream, *arguments, "--json").stdout)


def live_facts(stream):
    status = stream.walpost.status()
    return status["checkpoint"]["generation"], status["checkpoint"]["instance"]


@pytest.fixture
def busy(new_stream, postgres, kafka):
    """A stream that runs, with events of several keys and types, half of them by logical messages,
    some in one large transaction."""
    stream = new_stream(postgres, kafka, replay=REPLAY, lanes=2, batch={"max_events": 300})
    with stream.running():
        stream.start_lsn = stream.walpost.status()["replay"]["from_lsn"]
        for number in range(20):
            stream.insert(5, key=f"k{number % 7}", event_type="Order.Placed")
            stream.insert(3, key=f"k{number % 3}", event_type="Customer.Moved")
        stream.execute(
            "select pg_logical_emit_message(true, 'walpost', json_build_object('id', gen_random_uuid(),"
            " 'aggregate_id', 'k' || n % 7, 'event_type', 'Order.Paid', 'payload',"
            " json_build_object('n', n))::text) from generate_series(1, 100) n"
        )
        stream.insert(1000, key="big", event_type="Order.Placed")
        settled(stream)
        stream.count = 20 * 8 + 100 + 1000
        stream.records(stream.count)
        yield stream


@pytest.mark.quick
def test_again_to_the_same_topics(busy):
    """A consumer that knows events by event_id sees nothing new."""
    facts = live_facts(busy)
    before = busy.records(busy.count)
    done = counted(busy, "--from", busy.start_lsn)
    assert done["state"] == "done" and done["events"] == busy.count, done
    after = busy.records(2 * busy.count)
    assert len(after) == 2 * busy.count
    assert {r.headers["event_id"] for r in after} == {r.headers["event_id"] for r in before}
    again = [r for r in after if "replay_id" in r.headers]
    assert len(again) == busy.count
    assert {r.headers["replay_id"] for r in again} == {done["replay_id"]}
    first = [r for r in after if "replay_id" not in r.headers]
    for topic in {r.topic for r in after}:
        a = order(r for r in first if r.topic == topic)
        b = order(r for r in again if r.topic == topic)
        assert a == b
    by_id = {r.headers["event_id"]: r for r in first}
    for record in again:
        original = by_id[record.headers["event_id"]]
        assert record.headers["position"] == original.headers["position"]
        assert record.timestamp == original.timestamp
    # The stream did not notice: same generation, same process, and it goes on.
    assert live_facts(busy) == facts
    confirmed = busy.confirmed()
    busy.insert(10)
    busy.wait_confirmed(busy.wal_position())
    assert busy.confirmed() != confirmed
    assert busy.postgres.execute(
        "select slot_name from pg_replication_slots where slot_name like 'walpost_replay_%%'"
    ) == []


def test_every_event_to_a_new_topic(busy, kafka):
    """All of them in order, byte for byte the same values; by key, by type, by time, by bookmark."""
    kafka.create_topic(busy.name + ".again", 3)
    live = busy.records(busy.count)
    dry = counted(busy, "--from", busy.start_lsn, "--dry-run", "--topic", busy.name + ".again")
    done = counted(busy, "--from", busy.start_lsn, "--topic", busy.name + ".again")
    assert done["events"] == dry["events"] == busy.count
    again = busy.records(busy.count, prefix=busy.name + ".again")
    assert len(again) == busy.count
    assert sorted(r.value for r in again) == sorted(r.value for r in live)
    positions = {}
    for record in again:  # of a key: in the order of the stream
        positions.setdefault(record.key, []).append(record.headers["position"])
    for key, found in positions.items():
        assert found == sorted(found)
        assert found == sorted(r.headers["position"] for r in live if r.key == key)


def test_by_key_type_bookmark_and_time(busy, kafka):
    live = busy.records(busy.count)

    def total(*arguments):
        dry = counted(busy, "--dry-run", *arguments)
        assert sum(row["events"] for row in dry["counts"]) == dry["events"]
        return dry

    by_key = total("--from", busy.start_lsn, "--key", "k1")
    assert by_key["events"] == sum(r.key == b"k1" for r in live)
    by_type = total("--from", busy.start_lsn, "--type", "Customer.Moved")
    assert by_type["counts"] == [
        {"topic": busy.prefix + "Customer", "event_type": "Customer.Moved", "events": 60}
    ]
    both = total("--from", busy.start_lsn, "--key", "k1", "--type", "Customer.Moved")
    assert 0 < both["events"] < 60
    # What is done is what was counted.
    kafka.create_topic(busy.name + ".few", 3)
    done = counted(busy, "--from", busy.start_lsn, "--key", "k1", "--type", "Customer.Moved",
                   "--topic", busy.name + ".few")
    few = busy.records(both["events"], prefix=busy.name + ".few")
    assert len(few) == done["events"] == both["events"]
    assert all(r.key == b"k1" and r.headers["event_type"] == "Customer.Moved" for r in few)

    # A bookmark, and a time: what came after.
    busy.walpost.command("bookmark", "add", "between")
    moment = busy.value("select clock_timestamp() at time zone 'utc'").isoformat() + "Z"
    new = busy.insert(17, key="late")
    settled(busy)
    assert total("--from", "between")["events"] == 17
    assert total("--from", busy.start_lsn, "--to", "between")["events"] == busy.count
    assert total("--from", moment)["events"] == 17
    assert total("--from", busy.start_lsn, "--to", moment)["events"] == busy.count
    assert total("--from", moment, "--key", "nobody")["events"] == 0
    kafka.create_topic(busy.name + ".late", 1)
    counted(busy, "--from", moment, "--topic", busy.name + ".late")
    late = busy.records(17, prefix=busy.name + ".late")
    assert [r.headers["event_id"] for r in late] == new


@pytest.mark.parametrize("place", ["after_produce", "before_commit", "after_commit"])
def test_killed_and_resumed(busy, kafka, killed, place):
    """Exactly once by itself: nothing twice, nothing missing, wherever it was killed."""
    topic = busy.name + ".again"
    kafka.create_topic(topic, 3)
    arguments = ["--from", busy.start_lsn, "--topic", topic, "--set", "batch.max_events=100"]
    died = replay(busy, *arguments, status=-9, environment={"WALPOST_CRASH": place + ":3"})
    killed(f"a replay, {place}")
    (identity,) = busy.walpost.status()["replay"]["unfinished"]
    assert identity in died.stderr
    # Killed once more while it goes on; other settings do not matter, it knows what was asked for.
    replay(busy, "--resume", identity, "--set", "batch.max_events=100", "--set", "lanes=5", status=-9,
           environment={"WALPOST_CRASH": place + ":2"})
    killed(f"a replay, {place}")
    done = counted(busy, "--resume", identity)
    assert done["replay_id"] == identity and done["state"] == "done"
    again = busy.records(busy.count, prefix=topic)
    ids = [r.headers["event_id"] for r in again]
    assert len(ids) == len(set(ids)) == busy.count
    live = busy.records(busy.count)
    assert {r.headers["event_id"] for r in live} == set(ids)
    for key in {r.key for r in again}:
        found = [r.headers["position"] for r in again if r.key == key]
        assert found == sorted(found)
    assert busy.walpost.status()["replay"]["unfinished"] == []
    assert "is done" in replay(busy, "--resume", identity, status=2).stderr


@pytest.mark.quick
def test_outside_of_the_window(new_stream, postgres, kafka):
    stream = new_stream(postgres, kafka)
    with stream.running():
        stream.insert(5)
        settled(stream)
        nothing = replay(stream, "--from", "0/1", "--dry-run", status=3)
        assert "no anchor slot" in nothing.stderr and "replay.keep_bytes" in nothing.stderr
    stream.walpost.write_config(replay=REPLAY)
    with stream.running():
        window = stream.walpost.status()["replay"]
        stream.insert(5)
        settled(stream)
        for wrong in ("0/1", "2020-01-01T00:00:00Z", "FFFF/0"):
            for also in ([], ["--dry-run"]):
                refused = replay(stream, "--from", wrong, *also, status=3).stderr
                assert wrong in refused and f"the window is {window['from_lsn']} to " in refused
        stream.walpost.command("bookmark", "add", "early", "--lsn", "0/1")
        assert "the window is" in replay(stream, "--from", "early", status=3).stderr
        ahead = replay(stream, "--from", window["from_lsn"], "--to", "FFFF/0", status=3).stderr
        assert "not published it yet" in ahead
        assert counted(stream, "--from", window["from_lsn"], "--dry-run")["events"] == 5
        for wrong in (
            [], ["--from", "0/"], ["--from", "nowhere"], ["--resume", "x", "--key", "k"],
            ["--from", "0/1", "--topic", "a{b}"], ["--resume", "unknown"], ["--resume", "A B"],
        ):
            replay(stream, *wrong, status=2)
        assert len(stream.records(10)) == 10, "nothing was published by any of these"


def test_told_to_stop(busy, kafka):
    """A topic that is missing makes it wait; SIGTERM ends it, and it can be resumed."""
    topic = busy.name + ".missing"
    process = spawn(
        [program(), "replay", "-c", busy.walpost.config_file, "--from", busy.start_lsn, "--topic",
         topic, "--set", "route.on_missing_topic=wait"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )

    def listens():  # from then on a signal is no plain end
        with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
            blocked = next(line for line in file if line.startswith("SigBlk:")).split()[1]
        return int(blocked, 16) >> (signal.SIGTERM - 1) & 1

    wait_until(listens, 60, "it has begun")
    assert end(process, signal.SIGTERM) == 1
    words = process.stderr.read()
    (identity,) = busy.walpost.status()["replay"]["unfinished"]
    assert f"walpost replay --resume {identity}" in words
    kafka.create_topic(topic, 1)
    assert counted(busy, "--resume", identity)["events"] == busy.count
    assert len(busy.records(busy.count, prefix=topic)) == busy.count


def test_the_commands_of_the_document(busy):
    """docs/replay.md, line by line."""
    with open(os.path.join(REPOSITORY, "docs", "replay.md"), encoding="utf-8") as file:
        blocks = re.findall(r"```sh\n(.*?)```", file.read(), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    assert len(lines) >= 7
    for line in lines:
        first, *words = shlex.split(line)
        assert first == "walpost"
        busy.walpost.command(*words)
        if words[:2] == ["bookmark", "add"]:  # what is behind it has to be published first
            busy.wait_confirmed(busy.wal_position(), 60)
    assert "before-migration" in busy.walpost.command("bookmark", "list").stdout
