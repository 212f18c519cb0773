# SPDX-License-Identifier: Apache-2.0
"""A table, publication, slot, checkpoint or topic that is not as a stream needs it: `check`, `init`
and `run` say what is wrong, and what they say helps."""

import json

import pytest

from support.messages import assert_well, refusal, statement, wrong_point
from support.process import wait_until
from support.servers import Postgres
from support.stream import ROLE, TABLE, Stream


@pytest.fixture(scope="module")
def stream(postgres, kafka):
    """One that is well; each test breaks and mends it."""
    made = Stream(postgres, kafka, "wrong_streams")
    made.walpost.init()
    yield made
    made.end()


# point: of `check`. mend: SQL; None: that of the remedy. run, init: the exit status
OBJECTS = {
    "missing table": {
        "spoil": f"alter table {TABLE} rename to elsewhere",
        "point": "table",
        "cause": f'there is no table "public"."{TABLE}"',
        "remedy": "name the right one as outbox.table",
        "mend": f"alter table elsewhere rename to {TABLE}",
        "run": 3,
        "init": 3,
    },
    "missing column": {
        "spoil": f"alter table {TABLE} rename column event_type to kind",
        "point": "columns",
        "cause": 'no column "event_type"',
        "remedy": "name the right one as outbox.columns.event_type",
        "mend": f"alter table {TABLE} rename column kind to event_type",
        "run": 3,
        "init": 1,
    },
    "missing status column": {
        "spoil": f"alter table {TABLE} drop column status",
        "point": "columns",
        "cause": 'no column "status" to mark published rows in',
        "remedy": "set outbox.after_publish to delete or keep",
        "mend": None,
        "run": 3,
        "init": 1,
    },
    "payload of bytes": {
        "spoil": f"alter table {TABLE} alter payload type bytea "
        "using convert_to(payload::text, 'UTF8')",
        "point": "columns",
        "cause": 'column "payload"',
        "remedy": "USING convert_from(",
        "mend": None,
        "run": 3,
        "init": 1,
    },
    "no right to mark": {
        "spoil": f"alter table {TABLE} owner to postgres; grant select on {TABLE} to {ROLE}",
        "point": "table rights",
        "cause": "may not UPDATE",
        "remedy": f'GRANT UPDATE ON "public"."{TABLE}" TO',
        "mend": None,
        "run": 1,
        "init": 0,
    },
    "publication without the table": {
        "spoil": "alter publication walpost_wrong_streams drop table outbox_events",
        "point": "publication",
        "cause": f'"walpost_wrong_streams" does not cover table "public"."{TABLE}"',
        "remedy": "insert them again",
        "mend": None,
        "run": 3,
        "init": 3,
    },
    "publication without inserts": {
        "spoil": "alter publication walpost_wrong_streams set (publish = 'update')",
        "point": "publication",
        "cause": '"walpost_wrong_streams" does not publish inserts',
        "remedy": "SET (publish = 'insert')",
        "mend": None,
        "run": 3,
        "init": 3,
    },
}


@pytest.mark.parametrize("case", OBJECTS)
def test_objects_of_the_database(stream, case):
    case = OBJECTS[case]
    stream.execute(case["spoil"])
    try:
        text, remedy = wrong_point(stream.walpost, case["point"])
        assert case["cause"] in text and case["remedy"] in remedy, (text, remedy)
        text, said = refusal(stream.walpost, "run", "--once", status=case["run"])
        assert case["cause"].split(" ", 1)[1] in text and case["remedy"] in said, (text, said)
        if case["init"] != 0:
            assert refusal(stream.walpost, "init", status=case["init"])[1]
    finally:
        stream.execute(case["mend"] or statement(remedy))
    assert_well(stream.walpost)
    stream.execute(f"alter table {TABLE} owner to {ROLE}")


def test_missing_publication(stream):
    stream.execute("drop publication walpost_wrong_streams")
    text, remedy = wrong_point(stream.walpost, "publication")
    assert 'no publication "walpost_wrong_streams"' in text and "`walpost drop`" in remedy
    text, remedy = refusal(stream.walpost, "run", "--once", status=3)
    assert "does not exist" in text and "`walpost drop` and `walpost init`" in remedy
    text, remedy = refusal(stream.walpost, "init", status=3)
    assert "is missing" in text and "`walpost drop` and `walpost init`" in remedy
    stream.walpost.command("drop", "--yes")
    stream.walpost.init()
    assert_well(stream.walpost)


def test_a_table_of_another_owner(stream):
    """What its owner must do is said in full."""
    stream.execute(f"create table theirs (like {TABLE} including all)")
    stream.execute(f"grant select, update on theirs to {ROLE}")
    walpost = stream.instance("theirs", stream="wrong_theirs", outbox={"table": "public.theirs"})
    text, remedy = refusal(walpost, "init", status=1)
    assert "publication walpost_wrong_theirs could not be created" in text
    assert "must be owner of table theirs" in text and "Let the owner" in remedy
    stream.execute(statement(remedy, "CREATE PUBLICATION "))
    walpost.init()
    assert_well(walpost)
    stream.execute("drop publication walpost_wrong_theirs")  # walpost may not
    walpost.command("drop", "--yes")


def test_no_right_to_create(stream, postgres):
    """In a database of somebody else's, `init` says what its owner must grant."""
    postgres.execute("create database wrong_owner")
    # As PostgreSQL 15 has it from the beginning.
    postgres.execute("revoke create on schema public from public", database="wrong_owner")
    walpost = stream.instance(
        "owner", stream="wrong_owner", postgres={"dsn": postgres.dsn("wrong_owner", ROLE)}
    )
    for what in [f'table "public"."{TABLE}"', "schema walpost"]:
        text, remedy = refusal(walpost, "init", status=1)
        assert f"{what} could not be created" in text and "owner of the" in remedy, (text, remedy)
        postgres.execute(statement(remedy, "GRANT "), database="wrong_owner")
    walpost.init()
    assert_well(walpost)
    walpost.command("drop", "--yes")
    postgres.execute("drop database wrong_owner")


# --- the slot and the checkpoint ---


def test_a_slot_that_is_gone(stream):
    stream.execute(f"select pg_drop_replication_slot('{stream.slot}')")
    text, remedy = wrong_point(stream.walpost, "slot")
    assert f'no slot "{stream.slot}"' in text and "the position below" in remedy
    text, remedy = wrong_point(stream.walpost, "position")
    assert "is gone" in text and "may be missing in Kafka" in text and "`walpost drop`" in remedy
    text, said = refusal(stream.walpost, "run", "--once", status=3)
    assert "does not exist" in text and "`walpost init` says how to go on" in said
    assert refusal(stream.walpost, "init", status=3)[1] == remedy
    stream.execute(statement(remedy, "SELECT "))
    stream.walpost.command("run", "--once", "--accept-gap")
    assert_well(stream.walpost)


def test_a_slot_ahead_of_the_checkpoint(stream):
    stream.execute("select pg_logical_emit_message(true, 'x', 'y')")
    stream.execute(f"select pg_replication_slot_advance('{stream.slot}', pg_current_wal_lsn())")
    text, remedy = wrong_point(stream.walpost, "position")
    assert "ahead of the checkpoint at" in text and "`walpost run --accept-gap`" in remedy
    for command, options in [("init", []), ("run", ["--once"])]:
        text, remedy = refusal(stream.walpost, command, *options, status=3)
        assert "ahead of the checkpoint at" in text and "--accept-gap" in remedy
    stream.walpost.command("run", "--once", "--accept-gap")
    assert_well(stream.walpost)


def delete_topic(kafka, topic):
    for future in kafka.admin.delete_topics([topic]).values():
        future.result()
    wait_until(lambda: topic not in kafka.topics(), 30, f"topic {topic} is gone")


def test_a_checkpoint_that_was_lost(stream):
    topic = f"walpost.checkpoint.{stream.name}"
    delete_topic(stream.kafka, topic)
    text, remedy = wrong_point(stream.walpost, "checkpoint topic")
    assert f"no topic {topic}" in text and "the position below" in remedy
    text, remedy = wrong_point(stream.walpost, "position")
    assert "no checkpoint" in text and "`walpost run --accept-gap`" in remedy
    for command, options in [("init", []), ("run", ["--once"])]:
        text, remedy = refusal(stream.walpost, command, *options, status=3)
        assert "no checkpoint" in text and "`walpost run --accept-gap`" in remedy
    stream.walpost.command("run", "--once", "--accept-gap")
    assert_well(stream.walpost)


FOREIGN_SLOTS = {
    "of another plugin": (
        "select pg_create_logical_replication_slot('somebodys', 'test_decoding')",
        'belongs to the output plugin "test_decoding"',
        "another name",
    ),
    "physical": (
        "select pg_create_physical_replication_slot('somebodys')",
        "is a physical slot",
        "another name",
    ),
    "of another database": (
        "select pg_create_logical_replication_slot('somebodys', 'pgoutput')",
        'belongs to database "elsewhere"',
        "another name",
    ),
}


@pytest.mark.parametrize("case", FOREIGN_SLOTS)
def test_the_slot_of_somebody_else(stream, postgres, case):
    create, cause, remedy = FOREIGN_SLOTS[case]
    database = "elsewhere" if "database" in case else stream.name
    if database == "elsewhere":
        postgres.execute("create database elsewhere")
    postgres.execute(create, database=database)
    walpost = stream.instance("somebodys", postgres={"slot": "somebodys"})
    try:
        text, said = wrong_point(walpost, "slot")
        assert cause in text and remedy in said, (text, said)
        for command, options in [("init", []), ("run", ["--once"])]:
            text, said = refusal(walpost, command, *options, status=3)
            assert cause in text and remedy in said, (text, said)
        text = walpost.command("drop", "--yes", status=3).stderr
        assert cause in text and remedy in text
        assert_well(walpost, "--set", f"postgres.slot={stream.slot}")
    finally:
        postgres.execute("select pg_drop_replication_slot('somebodys')", database=database)
        postgres.execute("drop database if exists elsewhere")


# --- Kafka ---


def test_more_lanes_than_the_checkpoint_has_partitions(stream):
    lanes = ["--set", "lanes=4"]
    text, remedy = wrong_point(stream.walpost, "checkpoint topic", *lanes)
    assert "2 partitions" in text and "4 lanes need 5" in text and "`walpost init`" in remedy
    stream.walpost.init(*lanes)
    assert_well(stream.walpost, *lanes)


def test_missing_dead_letter_topic(stream):
    delete_topic(stream.kafka, stream.dead_letter_topic)
    text, remedy = wrong_point(stream.walpost, "dead letter topic")
    assert f"no topic {stream.dead_letter_topic}" in text and "`walpost init`" in remedy
    stream.walpost.init()
    assert_well(stream.walpost)


def test_missing_topic_of_the_route(stream):
    """It is waited for, and the log says so."""
    topic = f"{stream.name}.orders"
    walpost = stream.instance("route", route={"topic": topic, "on_missing_topic": "wait"})
    text, remedy = wrong_point(walpost, "topic of the route")
    assert f"no topic {topic}" in text and "topics.create=true" in remedy
    stream.insert(1)
    walpost.start()
    line = walpost.wait_for("a lane waits for something outside", 15)
    assert topic in line and "does not exist" in line and "Create the topic" in line
    walpost.init("--set", "topics.create=true")
    assert stream.records(1, prefix=topic)
    stream.wait_statuses({"COMMITTED": 1})
    assert walpost.stop() == 0
    assert_well(walpost)


def test_a_transaction_timeout_above_the_brokers_maximum(stream):
    timeout = "kafka.transaction.timeout.ms="
    text, remedy = wrong_point(stream.walpost, "transactions", "--set", timeout + "1000000")
    assert "1000000" in text and "900000" in text and timeout[:-1] in remedy
    text, remedy = refusal(stream.walpost, "run", "--once", "--set", timeout + "1000000", status=2)
    assert "transaction.timeout.ms is larger" in text and "transaction.max.timeout.ms" in remedy
    assert_well(stream.walpost, "--set", timeout + "900000")


def test_init_makes_nothing_for_a_transaction_timeout_that_is_refused(stream, postgres):
    """Also where only the leader has transactions."""
    walpost = stream.instance("timeout", stream="wrong_timeout", delivery="at_least_once")
    too_long = ["--set", "kafka.transaction.timeout.ms=1000000"]
    wrong_point(walpost, "transactions", *too_long)
    text, remedy = refusal(walpost, "init", *too_long, status=2)
    assert "1000000" in text and "at most 900000" in text and "to 900000 or less" in remedy
    made = "select 1 from pg_replication_slots where slot_name = 'walpost_wrong_timeout'"
    assert not postgres.execute(made)
    assert "walpost.checkpoint.wrong_timeout" not in stream.kafka.topics()
    walpost.init()
    assert postgres.execute(made)
    walpost.command("drop", "--yes")


def test_status_of_a_stream_that_is_not_there(stream):
    walpost = stream.instance("absent", stream="wrong_absent")
    text, remedy = refusal(walpost, "status", status=1)
    assert 'no stream "wrong_absent"' in text and "`walpost init`" in remedy
    assert 'no slot "walpost_wrong_absent"' in text and "walpost.checkpoint.wrong_absent" in text
    done = walpost.command("status", "--json", status=1)
    said = json.loads(done.stdout)
    assert not said["slot"]["exists"] and not said["checkpoint"]["exists"]
    assert said["checkpoint"]["error"] is None and "no stream" in done.stderr
    assert stream.walpost.command("status").stderr == ""


def test_a_table_without_a_schema(stream, postgres):
    """It is public's, for the publication, for marks and for what is streamed; a table in another
    schema, where the role would find it by that name, is neither taken nor passed over."""
    postgres.execute("create database wrong_schema")
    postgres.execute(f"create schema app authorization {ROLE}", database="wrong_schema")
    postgres.execute(f"grant create on database wrong_schema to {ROLE}")
    postgres.execute(f"grant create on schema public to {ROLE}", database="wrong_schema")
    dsn = postgres.dsn("wrong_schema", ROLE) + " options='-c search_path=app,public'"
    walpost = stream.instance(
        "schema", stream="wrong_schema", postgres={"dsn": dsn}, outbox={"table": "outbox"}
    )
    create = (
        "create table app.outbox (id uuid primary key default gen_random_uuid(), aggregate_id text, "
        "event_type text, payload jsonb, status text default 'PENDING')"
    )
    insert = "insert into {} (aggregate_id, event_type, payload) values ('k', 'A.BDone', '{{}}')"
    postgres.execute(create, database="wrong_schema", user=ROLE)
    text, remedy = wrong_point(walpost, "table")
    assert text.startswith('there is no table "public"."outbox", but there is "app"."outbox"')
    assert """outbox.table: '"app"."outbox"'""" in remedy
    for command in ["init", "run"]:
        assert refusal(walpost, command, status=2) == (text, remedy)
    walpost.init("--set", 'outbox.table="app"."outbox"')
    walpost.command("drop", "--yes")
    walpost.init("--set", 'outbox.table="public"."outbox"')  # then both are there
    assert_well(walpost)
    for table in ["public.outbox", "app.outbox"]:
        postgres.execute(insert.format(table), database="wrong_schema", user=ROLE)
    walpost.command("run", "--once")
    for table, status in [("public.outbox", "COMMITTED"), ("app.outbox", "PENDING")]:
        found = postgres.value(f"select status from {table}", database="wrong_schema")
        assert found == status, table
    walpost.command("drop", "--yes")
    postgres.execute("drop database wrong_schema")


def warnings(walpost, *options):
    points = json.loads(walpost.check("--json", *options).stdout)["points"]
    return {p["point"]: (p["text"], p["remedy"]) for p in points if p["state"] == "warning"}


def test_a_topic_that_takes_small_records_only(stream):
    """Larger ones become dead letters, which is no failure; the remedy of the warning helps."""
    topic = f"{stream.name}.small"
    stream.kafka.create_topic(topic, 1, config={"max.message.bytes": "500000"})
    route = ["--set", f"route.topic={topic}"]
    text, remedy = warnings(stream.walpost, *route)["record size"]
    assert f"topic {topic} allows records up to 488.3 kB" in text and "dead letters" in text
    assert f"--topic {topic} " in remedy and "max.message.bytes=1048588" in remedy
    large = [*route, "--set", "kafka.message.max.bytes=2000000"]
    assert "less than kafka.message.max.bytes" in warnings(stream.walpost, *large)["record size"][0]
    assert "max.message.bytes=2000000" in warnings(stream.walpost, *large)["record size"][1]
    assert "record size" not in warnings(stream.walpost)
    small = [*route, "--set", "kafka.message.max.bytes=400000"]
    assert "record size" not in warnings(stream.walpost, *small)
    name, _, value = remedy.rpartition(" ")[2].partition("=")
    stream.kafka.alter_topic(topic, {name: value})
    wait_until(lambda: "record size" not in warnings(stream.walpost, *route), 30, "no warning")


def test_what_recover_table_means_is_said(stream):
    table = ["--set", "recover=table"]
    for said in [stream.walpost.check(*table).stdout, stream.walpost.init(*table).stdout]:
        assert "a run that finds its slot gone" in said and "at least once" in said
    assert "its slot gone" not in stream.walpost.check().stdout + stream.walpost.init().stdout


def test_another_cluster_under_the_same_name(stream, kafka):
    """A copied configuration: the checkpoint is that of the first cluster's stream."""
    with Postgres() as other:
        copy = Stream(other, kafka, stream.name)
        text, remedy = wrong_point(copy.walpost, "position")
        assert "belongs to another PostgreSQL cluster" in text
        assert "a stream name of its own" in remedy and "walpost drop" not in remedy
        text, remedy = refusal(copy.walpost, "init", status=3)
        assert "another PostgreSQL cluster" in text and "a stream name of its own" in remedy
        copy.walpost.init("--set", "stream=wrong_copy")
        assert_well(copy.walpost, "--set", "stream=wrong_copy")
