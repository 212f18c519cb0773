# SPDX-License-Identifier: Apache-2.0
"""Dead letters that come back: listed, shown, mended, replayed once, purged, beside the stream."""

import json
import os
import re
import signal
import subprocess
import uuid

import pytest

from support.reader import Reader, decode
from support.servers import REPOSITORY
from support.stream import TABLE
from support.walpost import program

WIDE_TABLE = f"""create table {TABLE} (
    serial bigserial primary key, id text unique, aggregate_id text, event_type text, payload text,
    status text default 'PENDING', created_at timestamptz default now(),
    traceparent text, tracestate text, schema_version text, headers jsonb, region text)"""

CREATED = "2024-02-29 12:34:56.789123+00"


def dlq(stream, *arguments, **options):
    return stream.walpost.command("dlq", *arguments, **options)


def listed(stream, *arguments):
    return json.loads(dlq(stream, "list", "--json", *arguments).stdout)["letters"]


def ids(letters):
    return [letter["id"] for letter in letters]


def show(stream, identity):
    return json.loads(dlq(stream, "show", identity, "--json").stdout)


def depth(stream):
    return stream.walpost.status()["dead_letters"]["depth"]


def last_words(stream):
    """key -> the newest record of the dead letter topic, as compaction would leave it."""
    with Reader(stream.kafka.bootstrap, stream.dead_letter_topic) as reader:
        return {record.key.decode(): record for record in reader.read_to_end()}


def insert(stream, identity, aggregate="o", event_type="Order.Placed", payload="1", **more):
    columns = {
        "id": identity, "aggregate_id": aggregate, "event_type": event_type, "payload": payload,
        **more,
    }
    names = ", ".join(columns)
    places = ", ".join(["%s"] * len(columns))
    stream.execute(f"insert into {TABLE} ({names}) values ({places})", tuple(columns.values()))
    return identity


def status_of(stream, identity):
    return stream.value(f"select status from {TABLE} where id::text = %s", (identity,))


def new_id():
    return str(uuid.uuid4())


@pytest.fixture
def wide(stream):
    stream.execute(WIDE_TABLE, user="walpost")
    return stream


@pytest.mark.quick
def test_mended_by_a_file(wide, tmp_path):
    """Bad rows of several kinds; one is mended and comes once, as if it had been good at once."""
    stream = wide
    stream.walpost.write_config(
        route={**stream.walpost.config["route"], "headers": {"from": "{column:region}"}}
    )
    facts = {
        "created_at": CREATED, "region": "eu", "schema_version": "3",
        "headers": json.dumps({"tenant": "blue"}),
    }
    with stream.running():
        bad = insert(stream, new_id(), payload="{not json", **facts)
        nobody = insert(stream, new_id(), aggregate=None)
        odd = insert(stream, "not-a-uuid")
        homeless = insert(stream, new_id(), event_type="bad topic.Placed")
        good = insert(stream, new_id(), payload='{"n": 2}', **facts)
        stream.dead_letters(4)
        stream.wait_statuses({"DEAD": 4, "COMMITTED": 1})

        assert ids(listed(stream)) == [bad, nobody, odd, homeless]
        assert depth(stream) == 4
        lines = dlq(stream, "list").stdout.splitlines()
        assert [line.split("\t")[0] for line in lines] == [bad, nobody, odd, homeless]
        assert lines[0].split("\t")[1:3] == ["invalid_event", "Order.Placed"]
        text = dlq(stream, "show", bad).stdout
        assert "{not json" in text and "holds no JSON" in text and "--payload-file" in text
        found = show(stream, bad)
        assert found["payload"] == "{not json" and not found["replay"]["possible"]
        assert found["headers"]["column.region"] == "eu"
        assert found["headers"]["position"] == found["position"]
        assert "no dead letter nonsense" in dlq(stream, "show", "nonsense", status=2).stderr

        # What is not mended stays, and says why.
        done = dlq(stream, "replay", "--all", status=1)
        assert done.stdout.count("stays") == 4 and "0 replayed, 4 stay" in done.stdout
        assert depth(stream) == 4

        file = tmp_path / "mended.json"
        file.write_text('{"n": 1}\n')
        assert "4 match" in dlq(
            stream, "replay", "--all", "--payload-file", str(file), status=2
        ).stderr
        done = dlq(stream, "replay", "--id", bad, "--payload-file", str(file))
        assert "1 replayed" in done.stdout and "1 row marked" in done.stdout
        assert status_of(stream, bad) == "COMMITTED"
        assert depth(stream) == 3 and bad not in ids(listed(stream))
        tombstone = last_words(stream)[bad]
        assert tombstone.value is None and tombstone.headers["outcome"] == "replayed"
        # Again: there is nothing to be done.
        assert "no dead letter matches" in dlq(stream, "replay", "--id", bad).stdout

        records = stream.records(2)
        assert stream.walpost.running
    by_id = {record.headers["event_id"]: record for record in records}
    assert len(records) == 2 and set(by_id) == {good, bad}
    mended, other = by_id[bad], by_id[good]
    assert mended.key == other.key and mended.partition == other.partition
    assert mended.timestamp == other.timestamp == 1709210096789
    assert mended.headers["position"] == found["position"]
    for name in ("from", "tenant", "schema_version", "aggregate_id", "event_type"):
        assert mended.headers[name] == other.headers[name], name
    assert mended.headers.keys() == other.headers.keys()
    event, like = decode(mended), decode(other)
    assert json.loads(event.payload_json) == {"n": 1}
    assert event.columns["region"] == "eu" and dict(event.columns).keys() == dict(like.columns).keys()
    assert (event.status, event.headers_json) == (like.status, like.headers_json)
    assert event.occurred_at == like.occurred_at
    assert event.source.xid and event.source.commit_lsn
    assert (event.source.stream, event.source.part) == (stream.name, like.source.part)


def test_mended_in_the_table_and_now_valid(new_stream, postgres, kafka):
    """The row is mended by UPDATE; a topic is there by now. An event that was a letter keeps order
    among its like."""
    stream = new_stream(
        postgres, kafka, route={"on_missing_topic": "dead_letter"}, topics={"create": False}
    )
    stream.execute(WIDE_TABLE, user="walpost")
    with stream.running():
        nobody = insert(stream, new_id(), aggregate=None, payload='{"n": 0}')
        early = [insert(stream, new_id(), payload=str(n)) for n in range(20)]
        stream.dead_letters(21)
        stream.wait_statuses({"DEAD": 21})
        assert {letter["reason"] for letter in listed(stream)} == {"invalid_event", "missing_topic"}
        stays = dlq(stream, "replay", "--id", early[0], status=1).stdout
        assert "the topic does not exist" in stays
        kafka.create_topic(stream.prefix + "Order", 3)
        dry = dlq(stream, "replay", "--reason", "missing_topic", "--dry-run").stdout
        assert dry.count("would go  ") == 20 and "20 would go, 0 stay" in dry and depth(stream) == 21
        done = json.loads(dlq(stream, "replay", "--reason", "missing_topic", "--json").stdout)
        assert (done["matched"], done["replayed"], done["stay"], done["marked"]) == (20, 20, 0, 20)
        assert {letter["topic"] for letter in done["letters"]} == {stream.prefix + "Order"}
        stream.execute(f"update {TABLE} set aggregate_id = 'found' where id = %s", (nobody,))
        dlq(stream, "replay", "--id", nobody, "--from-table")
        late = insert(stream, new_id(), payload="99")
        records = stream.records(22)
        stream.wait_statuses({"COMMITTED": 22})
        assert depth(stream) == 0
    of_key = [r.headers["event_id"] for r in records if r.key == b"o"]
    assert of_key == [*early, late]
    (mended,) = [r for r in records if r.key == b"found"]
    assert mended.headers["event_id"] == nobody and decode(mended).status == "PENDING"


def test_an_id_that_no_row_can_have(wide):
    """The column holds UUIDs by now: the letter with another id stays, the others go."""
    stream = wide
    with stream.running():
        odd = insert(stream, "not-a-uuid")
        bad = insert(stream, new_id(), payload="{")
        stream.dead_letters(2)
        stream.wait_statuses({"DEAD": 2})
        stream.execute(f"delete from {TABLE} where id = %s", (odd,))
        stream.execute(
            f"alter table {TABLE} alter id type uuid using id::uuid", user="walpost"
        )
        stream.execute(f"update {TABLE} set payload = '1'")
        replay = ["replay", "--all", "--from-table"]
        dry = dlq(stream, *replay, "--dry-run", status=1).stdout
        assert "1 would go, 1 stay" in dry, dry
        done = dlq(stream, *replay, status=1).stdout
        assert "1 replayed, 1 stay" in done and "cannot be that of a row" in done, done
        assert ids(listed(stream)) == [odd] and status_of(stream, bad) == "COMMITTED"
        (record,) = stream.records(1)
        assert record.headers["event_id"] == bad


@pytest.mark.parametrize("point", ["dlq_before_commit", "dlq_after_commit"])
def test_killed_in_between_and_repeated(wide, tmp_path, killed, point):
    stream = wide
    file = tmp_path / "mended.json"
    file.write_text('{"n": 1}')
    with stream.running():
        bad = insert(stream, new_id(), payload="{")
        stream.dead_letters(1)
        stream.wait_statuses({"DEAD": 1})
        generation = stream.walpost.status()["checkpoint"]["generation"]
        replay = ["replay", "--id", bad, "--payload-file", str(file)]
        done = dlq(stream, *replay, status=None, environment={"WALPOST_CRASH": point})
        assert done.returncode == -signal.SIGKILL, done.stderr
        killed(point)
        assert status_of(stream, bad) == "DEAD"
        again = dlq(stream, *replay).stdout
        assert ("1 replayed" in again) == (point == "dlq_before_commit"), again
        assert "1 row marked COMMITTED" in again
        assert status_of(stream, bad) == "COMMITTED"
        good = insert(stream, new_id())
        records = stream.records(2)
        assert depth(stream) == 0
        # The stream beside it was not fenced, and did not begin again.
        assert stream.walpost.running
        assert stream.walpost.status()["checkpoint"]["generation"] == generation
    assert sorted(r.headers["event_id"] for r in records) == sorted([bad, good])
    assert last_words(stream)[bad].value is None


def test_marks_stay_when_the_stream_begins_again(wide, tmp_path):
    """The stream reads the dead row once more, and marks what Kafka has: not over the newer mark."""
    stream = wide
    file = tmp_path / "mended.json"
    file.write_text("1")
    with stream.running():
        bad = insert(stream, new_id(), payload="{")
        stream.wait_statuses({"DEAD": 1})
        stream.walpost.kill()
        dlq(stream, "replay", "--id", bad, "--payload-file", str(file))
        assert status_of(stream, bad) == "COMMITTED"
        stream.walpost.start()
        stream.wait_streaming()
        insert(stream, new_id())
        stream.wait_statuses({"COMMITTED": 2})
        stream.wait_confirmed(stream.wal_position())
        assert len(stream.records(2)) == 2


def test_purge_and_filters(wide):
    stream = wide
    with stream.running():
        first = insert(stream, new_id(), payload="{", aggregate="a")
        second = insert(stream, new_id(), payload="{", aggregate="b", event_type="Order.Paid")
        insert(stream, None, aggregate="c")
        message = {"aggregate_id": "m", "event_type": "Order.Sent", "payload": {"n": 7}}
        stream.execute(
            "select pg_logical_emit_message(true, 'walpost', %s)", (json.dumps(message),)
        )
        stream.dead_letters(4)
        letters = listed(stream)
        assert len(letters) == 4 and ids(letters)[:2] == [first, second]
        no_id, sent = letters[2], letters[3]
        assert no_id["id"] == no_id["position"] and sent["id"] == sent["position"]

        assert ids(listed(stream, "--type", "Order.Paid")) == [second]
        assert ids(listed(stream, "--key", "a")) == [first]
        assert ids(listed(stream, "--id", f"{second},{first},nonsense")) == [first, second]
        assert ids(listed(stream, "--since", second_time(letters, 1))) == ids(letters)[1:]
        assert ids(listed(stream, "--until", second_time(letters, 1))) == [first]
        assert listed(stream, "--reason", "record_too_large") == []

        # No id: nothing that could be replayed; but a message can be mended as a whole.
        done = dlq(stream, "replay", "--id", no_id["id"], status=1).stdout
        assert 'column "id" is NULL' in done
        sent_id = new_id()
        file = stream.folder + "/message.json"
        with open(file, "w", encoding="utf-8") as out:
            json.dump({**message, "id": sent_id}, out)
        assert show(stream, sent["id"])["payload"] == message
        dlq(stream, "replay", "--id", sent["id"], "--payload-file", file)
        (record,) = stream.records(1)
        assert record.headers["event_id"] == sent_id and record.key == b"m"
        assert json.loads(decode(record).payload_json) == {"n": 7}
        assert depth(stream) == 3

        refused = dlq(stream, "purge", "--type", "Order.Paid", status=1)
        assert "1 dead letters match" in refused.stderr and depth(stream) == 3
        assert "does not know which" in dlq(stream, "purge", status=2).stderr
        assert "1 purged" in dlq(stream, "purge", "--type", "Order.Paid", "--yes").stdout
        assert last_words(stream)[second].headers["outcome"] == "purged"
        assert ids(listed(stream)) == [first, no_id["id"]] and depth(stream) == 2
        done = json.loads(dlq(stream, "purge", "--all", "--yes", "--json").stdout)
        assert (done["matched"], done["purged"]) == (2, 2)
        assert depth(stream) == 0 and listed(stream) == []
        assert len(stream.records(1)) == 1
        assert stream.statuses()["DEAD"] == 2  # a purge is no publication


def second_time(letters, number):
    return letters[number]["time"]


def test_too_large_then_taken_from_the_table(stream):
    """The letter has no payload; the topic takes it by now, the row still has it."""
    kafka = stream.kafka
    kafka.create_topic(stream.prefix + "Order", 3, config={"max.message.bytes": "20000"})
    with stream.running():
        big = stream.execute(
            f"insert into {TABLE} (aggregate_id, event_type, payload) values "
            "('k', 'Order.Placed', jsonb_build_object('text', repeat('x', 30000))) "
            "returning id::text"
        )[0][0]
        stream.dead_letters(1)
        stream.wait_statuses({"DEAD": 1})
        (letter,) = listed(stream)
        assert (letter["reason"], letter["value"], letter["value_bytes"]) == (
            "record_too_large", "none", 0,
        )
        assert "--from-table" in dlq(stream, "replay", "--id", big, status=1).stdout
        assert "stays" in dlq(stream, "replay", "--id", big, "--from-table", status=1).stdout
        assert depth(stream) == 1
        kafka.alter_topic(stream.prefix + "Order", {"max.message.bytes": "100000"})
        dlq(stream, "replay", "--id", big, "--from-table")
        (record,) = stream.records(1)
        assert record.headers["event_id"] == big
        assert len(json.loads(decode(record).payload_json)["text"]) == 30000
        assert depth(stream) == 0 and status_of(stream, big) == "COMMITTED"


def test_many_and_one_that_is_refused(new_stream, postgres, kafka):
    """Several Kafka transactions; the one that Kafka refuses does not keep the others."""
    stream = new_stream(
        postgres, kafka, route={"on_missing_topic": "dead_letter"}, topics={"create": False},
        outbox={"after_publish": "delete"},
    )
    with stream.running():
        stream.insert(700, event_type="Order.Placed")
        stream.execute(
            f"insert into {TABLE} (aggregate_id, event_type, payload) values "
            "('k', 'Order.Placed', jsonb_build_object('text', repeat('x', 30000)))"
        )
        stream.dead_letters(701, timeout=60)
        stream.wait_statuses({"DEAD": 701})
        kafka.create_topic(stream.prefix + "Order", 3, config={"max.message.bytes": "20000"})
        done = json.loads(dlq(stream, "replay", "--all", "--json", status=1, timeout=180).stdout)
        assert (done["matched"], done["replayed"], done["stay"]) == (701, 700, 1)
        records = stream.records(700)
        assert len({r.headers["event_id"] for r in records}) == len(records) == 700
        numbers = [json.loads(decode(r).payload_json)["n"] for r in records]
        assert numbers == sorted(numbers)
        assert depth(stream) == 1
        assert stream.statuses() == {"DEAD": 1, "COMMITTED": 700}


def test_two_at_a_time_and_letters_that_go_on_coming(new_stream, postgres, kafka):
    """Whoever comes later ends the earlier one; whatever that one had committed is not repeated."""
    stream = new_stream(
        postgres, kafka, route={"on_missing_topic": "dead_letter"}, topics={"create": False}
    )
    with stream.running():
        stream.insert(600, event_type="Order.Placed")
        stream.dead_letters(600, timeout=60)
        kafka.create_topic(stream.prefix + "Order", 3)
        command = [program(), "dlq", "-c", stream.walpost.config_file, "replay", "--all"]
        both = [
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            for _ in range(2)
        ]
        stream.insert(10, event_type="Elsewhere.Went")
        said = [process.communicate(timeout=180)[0] for process in both]
        for process, text in zip(both, said):
            assert process.returncode == 0 or "Run the same command again" in text or (
                "stays" in text and "Elsewhere" in text
            ), text
        stream.dead_letters(610, timeout=60)
        dlq(stream, "replay", "--type", "Order.Placed", timeout=180)
        records = stream.records(600)
        assert len({r.headers["event_id"] for r in records}) == len(records) == 600
        assert depth(stream) == 10
        assert stream.walpost.running


def test_check_says_that_the_topic_is_not_compacted(stream):
    stream.kafka.create_topic(stream.dead_letter_topic, 3, config={"cleanup.policy": "delete"})
    stream.walpost.init()
    done = stream.walpost.check("--json", status=1)
    (point,) = [p for p in json.loads(done.stdout)["points"] if p["point"] == "dead letter topic"]
    assert point["state"] == "wrong" and "cleanup.policy=delete" in point["text"]
    assert "kafka-configs.sh" in point["remedy"]


@pytest.mark.quick
def test_the_tour_of_the_documentation(stream):
    """Every block of docs/dead-letters.md, in order."""
    with open(os.path.join(REPOSITORY, "docs", "dead-letters.md"), encoding="utf-8") as file:
        blocks = re.findall(r"```(sql|sh)\n(.*?)```", file.read(), re.S)
    assert [kind for kind, _ in blocks].count("sh") >= 5
    said = ""
    with stream.running():
        for number, (kind, text) in enumerate(blocks):
            if kind == "sql":
                stream.execute(text)
                if number == 0:
                    stream.dead_letters(2)
                    stream.wait_statuses({"DEAD": 2})
                continue
            done = subprocess.run(
                ["bash", "-euc", f'walpost() {{ {program()} "$@"; }}\n{text}'],
                text=True, capture_output=True, timeout=180, cwd=stream.folder,
                stdin=subprocess.DEVNULL, env=os.environ,
            )
            assert done.returncode == 0, text + done.stdout + done.stderr
            said += done.stdout
        records = stream.records(2)
        stream.wait_statuses({"COMMITTED": 2})
    assert [r.headers["event_type"] for r in records] == ["Order.Placed", "Order.Paid"]
    assert json.loads(decode(records[1]).payload_json) == {"note": "too long, shortened"}
    assert "record_too_large" in said and "1 row marked COMMITTED" in said
    assert re.search(r"dead letters +0\n", said), said
