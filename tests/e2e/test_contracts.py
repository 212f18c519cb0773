# SPDX-License-Identifier: Apache-2.0
"""Events that keep their contract, and events that break it."""

import functools
import importlib
import json
import os
import subprocess
import sys

import pytest

from support.process import new_folder
from support.reader import decode
from support.stream import TABLE

PLACED = """syntax = "proto3";
package shop.v1;
enum Currency { UNKNOWN = 0; EUR = 1; USD = 2; }
message Item { string sku = 1; int32 quantity = 2; }
message OrderPlaced {
  string order_id = 1;
  int64 total_cents = 2;
  Currency currency = 3;
  repeated Item items = 4;
  bytes token = 5;
  oneof paid { string card = 6; string account = 7; }
  map<string, int32> points = 8;
}
"""
PLACED_2 = PLACED.replace("string order_id = 1;", "string order_id = 1; string note = 9;")
SHIPPED = """syntax = "proto2";
package shop.v1;
message Parcel { optional string code = 1; }
message OrderShipped { required string order_id = 1; repeated Parcel parcels = 2; }
"""
CONTRACTS = {
    "Order.Placed/v1.proto": PLACED,
    "Order.Placed/v2.proto": PLACED_2,
    "Order.Shipped/v1.proto": SHIPPED,
}
GOOD = {"orderId": "o-1", "totalCents": "1250", "currency": "EUR", "items": [{"sku": "a"}]}


def write(folder, name, text):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def write_contracts(contracts=None):
    folder = new_folder("schemas")
    for name, text in (contracts or CONTRACTS).items():
        write(folder, name, text)
    return folder


@functools.lru_cache(maxsize=None)
def message_class(text, name):
    """The class of a message, as protoc generates it for Python."""
    folder = new_folder("python")
    module = "m" + os.path.basename(folder).replace("-", "_").replace(".", "_")
    write(folder, module + ".proto", text)
    subprocess.run(
        ["protoc", f"--proto_path={folder}", f"--python_out={folder}", module + ".proto"], check=True
    )
    sys.path.insert(0, folder)
    try:
        return getattr(importlib.import_module(module + "_pb2"), name)
    finally:
        sys.path.remove(folder)


def insert(stream, *events):
    """(event_type, payload[, schema_version]) as rows of one transaction; their ids."""
    rows = [
        (kind, payload if isinstance(payload, str) else json.dumps(payload), *(version or [None]))
        for kind, payload, *version in events
    ]
    places = ", ".join(["('k', %s, %s::jsonb, %s)"] * len(rows))
    return [
        row[0]
        for row in stream.execute(
            f"insert into {TABLE} (aggregate_id, event_type, payload, schema_version)"
            f" values {places} returning id::text",
            [value for row in rows for value in row],
        )
    ]


@pytest.fixture
def shop(new_stream, postgres, kafka):
    """A stream that holds its events to contracts; the table has a column for the version."""

    def make(contracts=None, value="envelope", **settings):
        folder = write_contracts(contracts)
        stream = new_stream(
            postgres, kafka, contracts={"dir": folder, **settings}, encode={"value": value}
        )
        stream.schemas = folder
        stream.walpost.init()
        stream.execute(f"alter table {TABLE} add schema_version text")
        return stream

    return make


def why(record):
    return record.headers["reason"], record.headers["detail"]


def run_once(stream, *arguments, status=0):
    return stream.walpost.command("run", "--once", *arguments, status=status)


@pytest.mark.quick
def test_the_good_are_published_typed_and_the_bad_are_dead_letters(shop):
    stream = shop()
    ids = insert(
        stream,
        ("Order.Placed", {**GOOD, "note": "newest"}),
        ("Order.Placed", GOOD, "1"),
        ("Order.Placed", {**GOOD, "note": "not in v1"}, "v1"),
        ("Order.Placed", {**GOOD, "items": [{"sku": "a"}, {"quantity": "many"}]}),
        ("Order.Lost", {}),
        ("Order.Placed", GOOD, "3"),
        ("Order.Shipped", {"parcels": []}),
        ("Order.Shipped", {"orderId": "o-2", "parcels": [{"code": "x"}]}),
    )
    done = run_once(stream)
    records = stream.records(3)
    assert [record.headers["event_id"] for record in records] == [ids[0], ids[1], ids[7]]
    assert [record.headers["schema_version"] for record in records] == ["2", "1", "1"]
    envelopes = [decode(record) for record in records]
    assert [event.schema_version for event in envelopes] == ["2", "1", "1"]
    assert json.loads(envelopes[0].payload_json) == {**GOOD, "note": "newest"}
    assert envelopes[0].payload_type == "shop.v1.OrderPlaced"
    placed = message_class(PLACED_2, "OrderPlaced").FromString(envelopes[0].payload)
    assert (placed.total_cents, placed.note, placed.items[0].sku) == (1250, "newest", "a")
    shipped = message_class(SHIPPED, "OrderShipped").FromString(envelopes[2].payload)
    assert (shipped.order_id, shipped.parcels[0].code) == ("o-2", "x")

    dead = {record.headers["event_id"]: why(record) for record in stream.dead_letters(5)}
    assert dead == {
        ids[2]: ("schema_validation_failed",
                 "Order.Placed v1: note: expected a field of shop.v1.OrderPlaced, found the string "
                 '"note"'),
        ids[3]: ("schema_validation_failed",
                 'Order.Placed v2: items[1].quantity: expected an int32, found the string "many"'),
        ids[4]: ("unknown_event_type",
                 f'there is no contract for event type "Order.Lost" in {stream.schemas}'),
        ids[5]: ("unknown_event_type",
                 f'Order.Placed has no version "3": the newest in {stream.schemas} is 2'),
        ids[6]: ("schema_validation_failed",
                 "Order.Shipped v1: orderId: expected a value: the field is required, found none"),
    }
    counts = next(json.loads(line) for line in done.stderr.splitlines() if "contract checks" in line)
    assert (counts["kept"], counts["schema_validation_failed"]) == (3, 3)
    assert (counts["unmarshal_failed"], counts["unknown_event_type"]) == (0, 2)
    assert stream.statuses() == {"COMMITTED": 3, "DEAD": 5}


def test_payload_alone_and_a_table_that_holds_anything(shop):
    stream = shop(value="payload", unknown_fields="ignore")
    stream.execute(f"alter table {TABLE} alter payload type text")
    insert(stream, ("Order.Placed", {**GOOD, "more": [1]}))
    stream.execute(f"alter table {TABLE} alter payload type text")
    stream.execute(
        f"insert into {TABLE} (aggregate_id, event_type, payload) values"
        " ('k', 'Order.Placed', '{\"orderId\": '), ('k', 'Order.Placed', '{\"orderId\": 5}')"
    )
    run_once(stream)
    (record,) = stream.records(1)
    assert record.headers["content-type"] == "application/protobuf"
    placed = message_class(PLACED_2, "OrderPlaced").FromString(record.value)
    assert (placed.order_id, placed.total_cents, placed.currency) == ("o-1", 1250, 1)
    details = dict(why(record) for record in stream.dead_letters(2))
    assert "not JSON" in details["unmarshal_failed"]
    assert details["schema_validation_failed"] == (
        "Order.Placed v2: orderId: expected a string, found the number 5"
    )
