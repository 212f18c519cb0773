# SPDX-License-Identifier: Apache-2.0
"""Contracts in Avro and JSON Schema: their folder, their history, and a stream that holds events to them."""

import json
import os
import subprocess

import pytest

from support.process import new_folder
from support.reader import decode
from support.registry import FakeRegistry
from support.stream import TABLE
from support.walpost import program

ALL = "BACKWARD_TRANSITIVE"


def avro(*fields):
    return json.dumps({"type": "record", "name": "Placed", "namespace": "shop", "fields": list(fields)}, indent=1)


def json_schema(properties, **more):
    return json.dumps({"title": "Paid", "type": "object", "properties": properties, **more}, indent=1)


ID, NOTE = {"name": "id", "type": "string"}, {"name": "note", "type": ["null", "string"], "default": None}
TOTAL = {"name": "total", "type": "long"}


def write(folder, files):
    for name, text in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


def schema(folder, *arguments):
    return subprocess.run([program(), "schema", *arguments, "--folder", str(folder)], text=True, capture_output=True,
                          timeout=60, stdin=subprocess.DEVNULL, check=False)


# --- the folder ---


@pytest.mark.quick
def test_three_kinds_in_one_folder(tmp_path):
    write(tmp_path, {
        "Order.Placed/v1.avsc": avro(ID), "Order.Placed/v2.avsc": avro(ID, NOTE),
        "Payment.Paid/v1.json": json_schema({"id": {"type": "string"}}, additionalProperties=False),
        "Order.Shipped/v1.proto": 'syntax = "proto3"; message OrderShipped { string id = 1; }',
    })
    listed = json.loads(schema(tmp_path, "list", "--json").stdout)["types"]
    assert [(t["type"], t["kind"], t["versions"], t["message"]) for t in listed] == [
        ("Order.Placed", "Avro", 2, "shop.Placed"), ("Order.Shipped", "Protobuf", 1, "OrderShipped"),
        ("Payment.Paid", "JSON Schema", 1, "Paid")]
    assert "JSON Schema" in schema(tmp_path, "list").stdout
    done = schema(tmp_path, "check")
    assert done.returncode == 0 and f"3 event types, 4 versions, {ALL}: 0 broken, 0 warnings" in done.stdout


@pytest.mark.quick
@pytest.mark.parametrize("files, line, rule", [
    ({"Order.Placed/v1.avsc": avro(ID), "Order.Placed/v2.avsc": avro(ID, TOTAL)},
     "Order.Placed/v2.avsc:10: broken: Placed.total: ", "READER_FIELD_MISSING_DEFAULT_VALUE, v2 reads v1"),
    ({"Order.Placed/v1.json": json_schema({"n": {"maximum": 10}}), "Order.Placed/v2.json": json_schema({"n": {"maximum": 5}})},
     "Order.Placed/v2.json:6: broken: n: 10 became 5: ", "MAXIMUM_DECREASED, v2 reads v1"),
    ({"Order.Placed/v1.json": json_schema({}), "Order.Placed/v2.json": json_schema({}, required=["id"])},
     "Order.Placed/v2.json:6: broken: id: ", "REQUIRED_PROPERTY_ADDED, v2 reads v1"),
])
def test_a_break_is_told_with_file_line_and_rule(tmp_path, files, line, rule):
    write(tmp_path, files)
    done = schema(tmp_path, "check")
    assert done.returncode == 1, done
    assert line in done.stdout and f"({rule})" in done.stdout, done.stdout
    assert schema(tmp_path, "check", "--compatibility", "FORWARD").returncode == 0


@pytest.mark.quick
@pytest.mark.parametrize("files, words", [
    ({"A.Placed/v1.avsc": avro(ID), "A.Placed/v2.json": "{}"}, "has versions in Avro and in JSON Schema"),
    ({"A.Placed/v1.avsc": avro(ID), "A.Placed/v3.avsc": avro(ID)}, "A.Placed/v2.avsc is missing, though there is a v3.avsc"),
    ({"A.Placed/v1.avsc": '{"type": "recrod"}'}, "A.Placed/v1.avsc: it is no Avro schema"),
    ({"A.Placed/v1.json": '{"$ref": "https://example.com/a.json"}'},
     'A.Placed/v1.json: line 1: "$ref" leads to another document'),
    ({"A.Placed/v1.json": '{"type": "object",}'}, "A.Placed/v1.json: line 1 is not JSON"),
])
def test_what_cannot_be_a_contract(tmp_path, files, words):
    write(tmp_path, files)
    done = schema(tmp_path, "check")
    assert done.returncode == 2 and words in done.stderr and len(done.stderr.splitlines()) > 1, done.stderr


# --- a stream ---

PLACED = {"Order.Placed/v1.avsc": avro(ID, TOTAL), "Order.Placed/v2.avsc": avro(ID, TOTAL, NOTE)}
PAID = {"Payment.Paid/v1.json": json_schema({"id": {"type": "string", "pattern": "^p-"}}, required=["id"],
                                            additionalProperties=False)}
# Avro's binary encoding of {"id": "o-1", "total": 1250}, with a note and without.
BINARY, BINARY_NO_NOTE = b"\x06o-1\xc4\x13\x02\x04hi", b"\x06o-1\xc4\x13\x00"
EVENTS = [
    ("Order.Placed", {"id": "o-1", "total": 1250, "note": "hi"}),
    ("Order.Placed", {"total": 1250, "id": "o-1"}),
    ("Order.Placed", {"id": "o-1", "total": "many"}),
    ("Payment.Paid", {"id": "p-1"}),
    ("Payment.Paid", {"id": "x-1", "more": 1}),
]
DEAD = {
    "Order.Placed v2: total: expected a long, of 64 bits, found the string \"many\"",
    "Payment.Paid v1: id: expected a text that matches ^p-, found the string \"x-1\"",
}


def knows_everything(*_):
    return 200, json.dumps({"id": 7, "version": 1})


def run_events(new_stream, postgres, kafka, value, **settings):
    folder = new_folder("schemas")
    write(folder, {**PLACED, **PAID})
    stream = new_stream(postgres, kafka, contracts={"dir": folder, **settings}, encode={"value": value})
    stream.walpost.init()
    for kind, payload in EVENTS:
        stream.execute(f"insert into {TABLE} (aggregate_id, event_type, payload) values ('k', %s, %s)",
                       [kind, json.dumps(payload)])
    stream.walpost.command("run", "--once", environment={"no_proxy": "127.0.0.1"})
    dead = stream.dead_letters(2)
    assert {record.headers["detail"] for record in dead} == DEAD
    assert {record.headers["reason"] for record in dead} == {"schema_validation_failed"}
    # of two topics
    records = sorted(stream.records(3), key=lambda record: record.headers["position"])
    assert [record.headers["schema_version"] for record in records] == ["2", "2", "1"]
    return records


def test_json_and_the_envelope(new_stream, postgres, kafka):
    good = [EVENTS[0][1], EVENTS[1][1], EVENTS[3][1]]
    records = run_events(new_stream, postgres, kafka, "json")
    assert [json.loads(record.value) for record in records] == good
    envelopes = [decode(record) for record in run_events(new_stream, postgres, kafka, "envelope")]
    assert [json.loads(event.payload_json) for event in envelopes] == good
    assert [event.payload for event in envelopes] == [BINARY, BINARY_NO_NOTE, b""]
    assert envelopes[0].payload_type == "shop.Placed"


@pytest.mark.quick
def test_the_payload_alone_with_the_id_of_its_schema(new_stream, postgres, kafka):
    with FakeRegistry(knows_everything) as fake:
        records = run_events(new_stream, postgres, kafka, "payload", registry={"url": fake.url})
        asked = {json.loads(body).get("schemaType", "AVRO") for _, _, _, body in fake.requests if body}
    front = b"\0\0\0\0\x07"
    assert [record.value[:5] for record in records] == [front] * 3
    assert [record.value[5:] for record in records[:2]] == [BINARY, BINARY_NO_NOTE]
    assert json.loads(records[2].value[5:]) == EVENTS[3][1]
    assert [record.headers["content-type"] for record in records] == [
        "application/vnd.confluent.avro", "application/vnd.confluent.avro", "application/vnd.confluent.json"]
    assert asked == {"AVRO", "JSON"}
