# SPDX-License-Identifier: Apache-2.0
"""I8: one row of 100 MB, in bounded memory; with the default limits it is a dead letter."""

import json

import pytest

from support.reader import decode
from support.stream import TABLE

MB = 2**20
ROW = 100 * MB
# Rows that a contract of the kind may take at once, in memory: docs/operations.md.
ROWS = {"proto": 3, "avsc": 4, "json": 6}
CONTRACTS = {
    "proto": 'syntax = "proto3"; package shop.v1;\nmessage OrderItemAdded {\n  string text = 1;\n}\n',
    "avsc": '{"type": "record", "name": "ItemAdded", "fields": [{"name": "text", "type": "string"}]}',
    "json": '{"type": "object", "properties": {"text": {"type": "string"}}}',
}
BIG_ROW = (
    f"insert into {TABLE} (aggregate_id, event_type, payload) values "
    "('k', 'Order.ItemAdded', jsonb_build_object('text', repeat('x', %s))) returning id::text"
)


def insert_around_a_big_row(stream, size):
    before = stream.insert(3)
    big = stream.execute(BIG_ROW, (size,))[0][0]
    return before, big, stream.insert(3)


def test_a_row_that_kafka_does_not_take(new_stream, postgres, kafka):
    stream = new_stream(postgres, kafka, memory="64MB")
    with stream.running():
        before, big, after = insert_around_a_big_row(stream, ROW)
        records = stream.records(6, timeout=90)
        (dead,) = stream.dead_letters(1)
        stream.wait_statuses({"COMMITTED": 6, "DEAD": 1})
        peak = stream.walpost.rss_peak()
    assert [record.headers["event_id"] for record in records] == before + after
    assert dead.headers["event_id"] == big
    assert dead.headers["reason"] == "record_too_large"
    print(f"peak resident memory: {peak / MB:.0f} MiB")
    assert peak < (64 + 40 + 2 * 100) * MB


@pytest.mark.parametrize("kind", CONTRACTS)
def test_a_row_with_a_contract_that_kafka_does_not_take(new_stream, postgres, kafka, tmp_path, kind):
    folder = tmp_path / "Order.ItemAdded"
    folder.mkdir()
    (folder / f"v1.{kind}").write_text(CONTRACTS[kind], encoding="utf-8")
    stream = new_stream(postgres, kafka, memory="64MB", contracts={"dir": str(tmp_path)})
    with stream.running():
        big = stream.execute(BIG_ROW, (ROW,))[0][0]
        (dead,) = stream.dead_letters(1)
        stream.wait_statuses({"DEAD": 1})
        peak = stream.walpost.rss_peak()
    assert dead.headers["event_id"] == big
    assert dead.headers["reason"] == "record_too_large"
    print(f"peak resident memory: {peak / MB:.0f} MiB")
    assert peak < (64 + 40 + ROWS[kind] * 100) * MB


@pytest.mark.quick
def test_a_row_of_some_megabytes_that_kafka_takes(new_stream, postgres, kafka):
    stream = new_stream(
        postgres, kafka, memory="64MB", batch={"max_bytes": "8MB"}
    )
    stream.walpost.write_config(
        kafka={**stream.walpost.config["kafka"], "message.max.bytes": 20 * MB}
    )
    kafka.create_topic(stream.prefix + "Order", 3, config={"max.message.bytes": str(20 * MB)})
    with stream.running():
        before, big, after = insert_around_a_big_row(stream, 12 * MB)
        records = stream.records(7, timeout=60)
    assert [record.headers["event_id"] for record in records] == [*before, big, *after]
    assert len(json.loads(decode(records[3]).payload_json)["text"]) == 12 * MB
