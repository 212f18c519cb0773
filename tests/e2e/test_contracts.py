# SPDX-License-Identifier: Apache-2.0
"""Events that keep their contract, and events that break it."""

import functools
import importlib
import json
import os
import signal
import subprocess
import sys

import pytest

from support.process import free_port, new_folder, wait_until
from support.reader import decode
from support.registry import FakeRegistry
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


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    """Registries of these tests are on this machine."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def shop(new_stream, postgres, kafka):
    """A stream that holds its events to contracts; the table has a column for the version."""

    def make(contracts=None, value="envelope", sections=None, **settings):
        folder = write_contracts(contracts)
        stream = new_stream(
            postgres,
            kafka,
            contracts={"dir": folder, **settings},
            encode={"value": value},
            **(sections or {}),
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


def test_halt_publishes_nothing_of_the_event_or_behind(shop):
    stream = shop(on_violation="halt")
    before = insert(stream, ("Order.Placed", GOOD), ("Order.Placed", GOOD))
    halting = insert(stream, ("Order.Placed", GOOD), ("Order.Placed", {**GOOD, "gift": True}))
    behind = insert(stream, ("Order.Placed", GOOD))
    for _ in range(2):  # and again, as long as nothing is mended
        error = run_once(stream, status=1).stderr
        assert halting[1] in error and "Order.Placed v2: gift: expected a field of" in error
        assert f"Mend the contract in {stream.schemas}" in error
    ids = [record.headers["event_id"] for record in stream.records(2)]
    assert ids == before
    looked = run_once(stream, "--to", "stdout", status=1)
    assert [json.loads(line)["id"] for line in looked.stdout.splitlines()][-1] == halting[0]
    write(stream.schemas, "Order.Placed/v3.proto",
          PLACED_2.replace("string note", "bool gift = 10; string note"))
    run_once(stream)
    ids = [record.headers["event_id"] for record in stream.records(5)]
    assert ids == before + halting + behind
    assert stream.statuses() == {"COMMITTED": 5}


def test_a_look_checks_too_and_a_dead_letter_comes_back_once_it_is_valid(shop):
    stream = shop(value="payload")
    good, typo, gift, lost = insert(
        stream,
        ("Order.Placed", GOOD),
        ("Order.Placed", {**GOOD, "totalCent": 5}),
        ("Order.Placed", {**GOOD, "gift": True}),
        ("Order.Lost", {}),
    )
    lines = [json.loads(line) for line in run_once(stream, "--to", "stdout").stdout.splitlines()]
    reasons = [line.get("dead_letter", {}).get("reason") for line in lines]
    assert reasons == [None, BROKEN, BROKEN, "unknown_event_type"]
    run_once(stream, "--to", "null")
    run_once(stream)
    stream.dead_letters(3)

    def replay(identity, *arguments, status=0):
        return stream.walpost.command(
            "dlq", "replay", "--id", identity, *arguments, status=status
        )

    payload = os.path.join(stream.folder, "payload.json")
    write(stream.folder, "payload.json", json.dumps({**GOOD, "items": [5]}))
    refused = replay(typo, "--payload-file", payload, status=1)
    said = refused.stdout + refused.stderr
    assert "Order.Placed v2: items[0]: expected an object" in said, said
    refused = replay(gift, status=1)
    assert "gift: expected a field of shop.v1.OrderPlaced" in refused.stdout + refused.stderr
    write(stream.folder, "payload.json", json.dumps({**GOOD, "totalCents": 5}))
    replay(typo, "--payload-file", payload)
    write(stream.schemas, "Order.Placed/v3.proto",
          PLACED_2.replace("string note", "bool gift = 10; string note"))
    replay(gift)

    said = replay(lost, status=1).stdout
    assert "Add the contract" in said and "--payload-file" not in said, said
    write(stream.schemas, "Order.Lost/v1.proto", 'syntax = "proto3"; message OrderLost {}')
    assert "Next: the same without --dry-run." in replay(lost, "--dry-run").stdout
    assert "1 row marked COMMITTED\nNext: walpost dlq list" in replay(lost).stdout
    placed = message_class(PLACED_2, "OrderPlaced")
    values = {
        record.headers["event_id"]: (record.headers["schema_version"], record.value)
        for record in stream.records(4)
    }
    assert placed.FromString(values[good][1]).total_cents == 1250
    assert placed.FromString(values[typo][1]).total_cents == 5
    assert values[gift][0] == "3" and values[lost] == ("1", b"")
    assert stream.statuses() == {"COMMITTED": 4}


def test_check_and_a_start_look_at_contracts(shop):
    stream = shop()
    points = json.loads(stream.walpost.check("--json").stdout)["points"]
    (point,) = [point for point in points if point["point"] == "contracts"]
    assert point["state"] == "ok" and "3 versions of 2 event types" in json.dumps(point)
    write(stream.schemas, "Order.Placed/v3.proto", "syntax = 'proto3'; message A {")
    points = json.loads(stream.walpost.check("--json", status=1).stdout)["points"]
    (point,) = [point for point in points if point["point"] == "contracts"]
    assert "Order.Placed/v3.proto" in json.dumps(point)
    error = run_once(stream, status=2).stderr
    assert "Order.Placed/v3.proto does not compile" in error
    assert stream.slot_state("active") is False


# --- the schema registry ---


def test_records_carry_the_id_that_a_registry_has(shop, registry):
    stream = shop(value="payload", registry={"url": registry.url, "timeout": "30s"})
    missing = stream.walpost.check("--json", status=1).stdout
    assert "walpost schema register" in missing
    stream.walpost.command("schema", "register")
    assert "the registry has all 3" in stream.walpost.check("--json").stdout
    insert(stream, ("Order.Placed", GOOD), ("Order.Placed", {"x": 1}))
    run_once(stream)
    (record,) = stream.records(1)
    stream.dead_letters(1)
    subject = f"{stream.prefix}Order-shop.v1.OrderPlaced"
    identity = registry.version(subject, 2)["id"]
    # OrderPlaced is the second message of its file
    assert record.value[:7] == b"\0" + identity.to_bytes(4, "big") + bytes([2, 2])
    placed = message_class(PLACED_2, "OrderPlaced").FromString(record.value[7:])
    assert placed.total_cents == 1250
    assert record.headers["content-type"] == "application/vnd.confluent.protobuf"


class Moody(FakeRegistry):
    """A registry that has every schema, each with an id of its own, when it is well."""

    def __init__(self, port):
        self.mood = "well"
        self.ids = {}
        super().__init__(self._answer, port=port)

    def _answer(self, _method, path, _headers, body):
        if self.mood == "hangs":
            return self.hang()
        if self.mood == "500":
            return 500, "<h1>oops</h1>"
        if self.mood == "nonsense":
            return 200, '{"id": "seven"'
        number = self.ids.setdefault((path, body), len(self.ids) + 1)
        return 200, json.dumps({"id": number, "version": 1})


LOAD = f"""insert into {TABLE} (aggregate_id, event_type, payload)
    select 'k' || n %% 20, %s, jsonb_build_object('orderId', %s || lpad(n::text, 6, '0'), %s,
        case when %s = 'items' then jsonb_build_array(jsonb_build_object('sku', repeat('x', 700)))
        else '[]' end) from generate_series(1, %s) n"""


def load(stream, event_type, name, count):
    field = "items" if event_type == "Order.Placed" else "parcels"
    stream.execute(LOAD, (event_type, name, field, field, count))


def test_a_registry_that_is_away_loses_nothing_and_lets_nothing_pass(shop):
    port = free_port()
    stream = shop(
        value="payload",
        registry={
            "url": f"http://127.0.0.1:{port}",
            "cache": os.path.join(new_folder("cache"), "ids"),
            "timeout": "1s",
        },
        sections={"memory": "16MB", "batch": {"max_bytes": "1MB", "max_events": 2000}},
    )
    walpost = stream.walpost
    load(stream, "Order.Placed", "a", 10000)  # twice what may be held
    walpost.start()

    def says(text):
        wait_until(lambda: text in walpost.log_text(), 40, f"{text!r}\n{walpost.log_tail()}")


    says("cannot be reached")  # refuses connections
    assert stream.slot_state("active")
    with stream.reader() as reader, Moody(port) as registry:
        assert reader.read_until(lambda records: len(records) >= 10000, 240), walpost.log_tail()
        for mood in ("500", "nonsense", "hangs"):
            registry.mood = mood
            asked = len(registry.requests)
            if mood == "500":
                load(stream, "Order.Shipped", "b", 300)
                load(stream, "Order.Placed", "c", 300)
            wait_until(lambda: len(registry.requests) > asked, 40, walpost.log_tail())
            reader.poll()
            assert len(reader.records) == 10000, "nothing of a type without an id passes"
        registry.mood = "well"
        registry.release.set()
        assert reader.read_until(lambda records: len(records) >= 10600, 120), walpost.log_tail()
        assert walpost.rss_peak() < (16 + 40 + 1) << 20
        assert walpost.stop() == 0
    # What was looked up once is known, though the registry is away, also to the next process.
    load(stream, "Order.Shipped", "d", 10)
    run_once(stream)
    with stream.reader() as reader:
        assert reader.read_until(lambda records: len(records) >= 10610, 60)
        records = reader.read_to_end()
    assert len({record.headers["event_id"] for record in records}) == len(records) == 10610
    ids = {record.headers["event_type"]: set() for record in records}
    for record in records:
        ids[record.headers["event_type"]].add(record.value[:5])
    assert all(len(found) == 1 for found in ids.values()) and len(ids) == 2
    for key in {record.key for record in records}:
        positions = [record.headers["position"] for record in records if record.key == key]
        assert positions == sorted(positions)
    assert stream.statuses() == {"COMMITTED": 10610}


def test_told_to_stop_while_it_waits_for_the_registry(shop):
    stream = shop(value="payload", registry={"url": f"http://127.0.0.1:{free_port()}"})
    walpost = stream.walpost
    insert(stream, ("Order.Placed", GOOD))
    walpost.start()
    wait_until(lambda: "cannot be reached" in walpost.log_text(), 40, walpost.log_tail())
    walpost.process.send_signal(signal.SIGTERM)
    wait_until(lambda: "draining" in walpost.log_text(), 30, walpost.log_tail())
    walpost.process.send_signal(signal.SIGTERM)
    assert walpost.wait_exit() == 0
    assert stream.statuses() == {"PENDING": 1}


# --- the seed of trouble ---

EVENTS, KEYS = 100000, 50
BROKEN = "schema_validation_failed"
WAYS = [  # (event type, payload, version, reason)
    ("Order.Placed", '{"items": [{"quantity": "many"}]}', None, BROKEN),
    ("Order.Placed", '{"items": [{}, {"quantity": 3000000000}]}', None, BROKEN),
    ("Order.Placed", '{"gift": true}', None, BROKEN),
    ("Order.Placed", '{"note": "not in v1"}', "1", BROKEN),
    ("Order.Placed", '{"currency": "DUCAT"}', None, BROKEN),
    ("Order.Placed", '{"token": "no base64!"}', None, BROKEN),
    ("Order.Placed", '{"card": "c", "account": "a"}', None, BROKEN),
    ("Order.Placed", '{"orderId": "a", "orderId": "b"}', None, BROKEN),
    ("Order.Shipped", '{"parcels": []}', None, BROKEN),
    ("Order.Placed", '{"orderId": ', None, "unmarshal_failed"),
    ("Order.Lost", "{}", None, "unknown_event_type"),
    ("Order.Placed", "{}", "17", "unknown_event_type"),
]


def identity_of(number):
    return f"00000000-0000-4000-8000-{number:012d}"


def insert_trouble(stream):
    """Every 20th event breaks its contract, in each way in turn; 100 transactions."""
    stream.execute(f"alter table {TABLE} alter payload type text")
    stream.execute("create table ways (way int, event_type text, payload text, version text)")
    for way, (event_type, payload, version, _) in enumerate(WAYS):
        stream.execute("insert into ways values (%s, %s, %s, %s)", (way, event_type, payload, version))
    for number in range(0, EVENTS, 1000):
        stream.execute(
            f"insert into {TABLE} (id, aggregate_id, event_type, payload, schema_version)"
            " select ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'k' || n %% %s,"
            " coalesce(w.event_type, 'Order.Placed'), coalesce(w.payload, format("
            "'{\"orderId\": \"%%s\", \"items\": [{\"sku\": \"a\", \"quantity\": 1}]}', n)),"
            " w.version from generate_series(%s, %s) n"
            " left join ways w on n %% 20 = 7 and w.way = n / 20 %% %s order by n",
            (KEYS, number, number + 999, len(WAYS)),
        )


def test_the_seed_of_trouble(shop, killed):
    stream = shop(
        sections={
            "outbox": {"after_publish": "keep"},
            "batch": {"max_events": 2000},
        }
    )
    insert_trouble(stream)
    for crash in ("before_commit:4", "after_commit:9", "after_produce:15"):
        stream.walpost.start(crash=crash)
        assert stream.walpost.wait_exit(120) == -signal.SIGKILL, stream.walpost.log_tail()
        killed(crash.partition(":")[0])
    stream.walpost.command("run", "--once", timeout=240)
    bad = {
        identity_of(number): WAYS[number // 20 % len(WAYS)][3]
        for number in range(EVENTS)
        if number % 20 == 7
    }
    with stream.reader(slim=True) as reader, stream.reader(stream.dead_letter_topic) as letters:
        good = reader.read_to_end()
        dead = letters.read_to_end()
    assert len(good) == EVENTS - len(bad) and len(dead) == len(bad) == EVENTS // 20
    found = {record.headers["event_id"]: record.headers["reason"] for record in dead}
    assert found == bad
    last = {}
    for record in good:
        number = int(record.headers["event_id"][-12:])
        assert record.headers["event_id"] not in bad and last.get(number % KEYS, -1) < number
        last[number % KEYS] = number
