# SPDX-License-Identifier: Apache-2.0
"""A committed row reaches Kafka as a record that says everything about it."""

import json
import uuid

import pytest

from support.murmur2 import partition_of
from support.reader import decode
from support.stream import TABLE

pytestmark = pytest.mark.quick

# A table of the user's own, with every optional column and nothing that keeps bad rows out.
WIDE_TABLE = f"""create table {TABLE} (
    serial bigserial primary key, id text unique, aggregate_id text, event_type text, payload jsonb,
    status text default 'PENDING', created_at timestamptz default now(),
    traceparent text, tracestate text, schema_version text, headers jsonb, region text)"""

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def one_transaction(stream, statements):
    connection = stream.connect()
    connection.autocommit = False
    with connection, connection.cursor() as cursor:
        for statement, arguments in statements:
            cursor.execute(statement, arguments)
    connection.close()


def test_a_row_arrives_with_its_headers_and_decoded_value(stream):
    with stream.running():
        identity = str(uuid.uuid4())
        stream.execute(
            f"insert into {TABLE} (id, aggregate_id, event_type, payload, created_at) values "
            "(%s, 'order-7', 'Order.ItemAdded', %s, '2024-02-29 12:34:56.789123+02')",
            (identity, json.dumps({"item": 7, "text": "naïve – 漢字 😀", "empty": None})),
        )
        (record,) = stream.records(1)

    assert record.topic == stream.prefix + "Order"
    assert record.key == b"order-7"
    assert record.timestamp == 1709202896789
    headers = record.headers
    assert headers["event_id"] == identity
    assert headers["event_type"] == "Order.ItemAdded"
    assert headers["aggregate_id"] == "order-7"
    # No trace in the row: one is made of the event's id, the same at every repetition.
    trace_id = uuid.UUID(identity).hex
    assert headers["trace_id"] == trace_id
    assert headers["traceparent"].split("-")[:3] == ["00", trace_id, headers["span_id"]]
    assert "protobuf" in headers["content-type"]

    event = decode(record)
    assert (event.id, event.aggregate_id, event.event_type) == (
        identity,
        "order-7",
        "Order.ItemAdded",
    )
    assert json.loads(event.payload_json) == {
        "item": 7,
        "text": "naïve – 漢字 😀",
        "empty": None,
    }
    assert event.status == "PENDING"
    assert (event.occurred_at.seconds, event.occurred_at.nanos) == (1709202896, 789123000)
    assert event.source.stream == stream.name
    assert headers["position"] == f"{event.source.commit_lsn:016X}.{event.source.ordinal:08X}"
    assert not event.source.snapshot


def test_positions_order_a_transaction(stream):
    with stream.running():
        ids = stream.insert(3) + stream.insert(2)
        records = stream.records(5)
    events = [decode(record) for record in records]
    assert [event.id for event in events] == ids
    positions = [record.headers["position"] for record in records]
    assert positions == sorted(positions) and len(set(positions)) == 5
    assert len({event.source.commit_lsn for event in events[:3]}) == 1
    assert len({event.source.xid for event in events}) == 2
    ordinals = [event.source.ordinal for event in events[:3]]
    assert ordinals == list(range(ordinals[0], ordinals[0] + 3))


def test_partitions_are_those_of_the_java_clients(stream):
    keys = [f"order-{n}" for n in range(40)] + ["ü", "a" * 200, "1", "12", "123"]
    with stream.running():
        for key in keys:
            stream.insert(key=key)
        records = stream.records(len(keys))
    assert {r.partition for r in records} == {0, 1, 2}
    for record in records:
        assert record.partition == partition_of(record.key, 3), record.key


def test_optional_columns(stream):
    stream.execute(WIDE_TABLE, user="walpost")
    stream.walpost.write_config(
        route={**stream.walpost.config["route"], "headers": {"region": "{column:region}"}}
    )
    with stream.running():
        stream.execute(
            f"insert into {TABLE} (id, aggregate_id, event_type, payload, traceparent, tracestate, "
            "schema_version, headers, region) values (%s, 'o', 'Order.Placed', '1', %s, 'v=1,w=2', "
            "'3', %s, 'eu')",
            (str(uuid.uuid4()), TRACEPARENT, json.dumps({"tenant": "blue"})),
        )
        (record,) = stream.records(1)
    assert record.headers["traceparent"] == TRACEPARENT
    assert record.headers["tracestate"] == "v=1,w=2"
    assert record.headers["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert record.headers["span_id"] == "00f067aa0ba902b7"
    assert record.headers["schema_version"] == "3"
    assert record.headers["region"] == "eu"
    event = decode(record)
    assert event.trace.traceparent == TRACEPARENT
    assert event.schema_version == "3"
    assert event.columns["region"] == "eu"
    assert json.loads(event.headers_json) == {"tenant": "blue"}


def test_json_values(new_stream, postgres, kafka):
    stream = new_stream(postgres, kafka, encode={"value": "json"})
    with stream.running():
        stream.execute(
            f"insert into {TABLE} (aggregate_id, event_type, payload) "
            """values ('o', 'Order.Placed', '{"b": [1, 2.50], "a": "é"}')"""
        )
        (record,) = stream.records(1)
    # As the table has it: jsonb puts the shorter or smaller key first.
    assert record.value.decode() == '{"a": "é", "b": [1, 2.50]}'
    assert "json" in record.headers["content-type"]


def test_logical_messages_are_events_without_a_table(stream):
    first, second, third = (str(uuid.uuid4()) for _ in range(3))

    def message(identity, transactional=True, prefix="walpost"):
        body = {
            "id": identity,
            "aggregate_id": "o-1",
            "event_type": "Order.Placed",
            "payload": {"n": [1, {"x": "y"}]},
            "traceparent": TRACEPARENT,
        }
        return (
            "select pg_logical_emit_message(%s, %s, %s)",
            (transactional, prefix, json.dumps(body)),
        )

    with stream.running():
        one_transaction(
            stream,
            [
                message(first),
                message(str(uuid.uuid4()), prefix="other"),
                (
                    f"insert into {TABLE} (id, aggregate_id, event_type, payload) "
                    "values (%s, 'o-1', 'Order.ItemAdded', '2')",
                    (second,),
                ),
                message(third),
                message(str(uuid.uuid4()), transactional=False),  # survives a rollback: left out
            ],
        )
        records = stream.records(3)
    assert [record.headers["event_id"] for record in records] == [first, second, third]
    event = decode(records[0])
    assert json.loads(event.payload_json) == {"n": [1, {"x": "y"}]}
    assert (event.aggregate_id, event.event_type) == ("o-1", "Order.Placed")
    assert records[0].headers["traceparent"] == TRACEPARENT


def test_bad_rows_become_dead_letters_and_the_stream_goes_on(stream):
    stream.execute(WIDE_TABLE, user="walpost")
    good = [str(uuid.uuid4()) for _ in range(4)]
    row = f"insert into {TABLE} (id, aggregate_id, event_type, payload) values (%s, %s, %s, %s)"
    bad = [
        (str(uuid.uuid4()), None, "Order.Placed", "1"),
        (str(uuid.uuid4()), "", "Order.Placed", "1"),
        (str(uuid.uuid4()), "o", None, "1"),
        (str(uuid.uuid4()), "o", "", "1"),
        (str(uuid.uuid4()), "o", "Order.Placed", None),
        (None, "o", "Order.Placed", "1"),
        ("", "o", "Order.Placed", "1"),
        ("not-a-uuid", "o", "Order.Placed", '{"kept": true}'),
    ]
    rows = [(good[0], "o", "Order.Placed", "1"), *bad[:4], (good[1], "o", "Order.Placed", "1")]
    rows += [*bad[4:], (good[2], "o", "Order.Placed", "1")]
    with stream.running():
        one_transaction(stream, [(row, values) for values in rows])
        stream.execute(row, (good[3], "o", "Order.Placed", "1"))
        records = stream.records(4)
        dead = stream.dead_letters(len(bad))
        # A row without an id cannot be found again to mark it.
        stream.wait_statuses({"COMMITTED": 4, "DEAD": 6, "PENDING": 2})
    said = [entry for entry in stream.walpost.log() if "dead letter" in entry["message"]]
    assert [entry["reason"] for entry in said] == ["invalid_event"]  # the first, not all
    assert said[0]["level"] == "warn" and said[0]["event_id"] == bad[0][0] and said[0]["detail"]
    assert [record.headers["event_id"] for record in records] == good
    assert [record.headers["reason"] for record in dead] == ["invalid_event"] * len(bad)
    assert all(record.headers["detail"] for record in dead)
    assert len({record.headers["position"] for record in dead}) == len(bad)
    invalid = [record for record in dead if record.headers.get("event_id") == "not-a-uuid"]
    assert [json.loads(record.value) for record in invalid] == [{"kept": True}]


@pytest.mark.parametrize("after_publish", ["mark", "delete", "keep"])
def test_what_becomes_of_published_rows(new_stream, postgres, kafka, after_publish):
    stream = new_stream(
        postgres, kafka, outbox={"after_publish": after_publish, "snapshot": "none"}
    )
    with stream.running():
        ids = stream.insert(50) + stream.insert(1)
        records = stream.records(51)
        assert [record.headers["event_id"] for record in records] == ids
        wanted = {"mark": {"COMMITTED": 51}, "delete": {}, "keep": {"PENDING": 51}}
        stream.wait_statuses(wanted[after_publish])
        stream.wait_confirmed(stream.wal_position())
    # Marks and deletions came by the same WAL, and were no events.
    assert len(stream.records(51)) == 51


def test_headers_for_debezium_and_cloudevents(new_stream, postgres, kafka):
    for style, name in (("debezium", "id"), ("cloudevents", "ce_id")):
        stream = new_stream(postgres, kafka, route={"header_style": style})
        with stream.running():
            (identity,) = stream.insert()
            (record,) = stream.records(1)
        assert record.headers[name] == identity
