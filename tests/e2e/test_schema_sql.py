# SPDX-License-Identifier: Apache-2.0
"""walpost schema sql: the guard at the producer's own boundary. That its verdicts are those of the stream
is the matter of tests/fuzz/guard.py; here: who is refused, with which words, and how it comes and goes."""

import itertools
import subprocess

import psycopg2
import pytest

from support.walpost import program

PLACED = """syntax = "proto3"; package shop.v1;
message OrderPlaced {
  string order_id = 1; // walpost.required
  int64 total = 2;
  repeated Item items = 3;
  message Item { string sku = 1; int32 quantity = 2; }
}
"""
SHIPPED = 'syntax = "proto3"; package shop.v1;\nmessage OrderShipped { string order_id = 1; }\n'
TABLE = """create table {} (id uuid primary key default gen_random_uuid(), aggregate_id text not null, event_type text not null,
 payload {} not null, status text default 'PENDING', created_at timestamptz default now(){})"""
numbers = itertools.count(1)


@pytest.fixture
def database(postgres):
    name = f"guard_{next(numbers)}"
    postgres.execute(f"create database {name}")
    return name


@pytest.fixture
def folder(tmp_path):
    for name, text in {"Order.Placed/v1": PLACED, "Order.Placed/v2": PLACED.replace("sku = 1;", "sku = 1; string note = 3;"),
                       "Order.Shipped/v1": SHIPPED}.items():
        path = tmp_path / f"{name}.proto"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def schema_sql(folder, *arguments):
    return subprocess.run([program(), "schema", "sql", *arguments, "--folder", str(folder)], cwd=folder, text=True,
                          capture_output=True, timeout=60, stdin=subprocess.DEVNULL, check=False)


class Producer:
    def __init__(self, postgres, database, user=None):
        self.connection = postgres.connect(database, user=user)
        self.connection.autocommit = True

    def run(self, sql, *arguments):
        with self.connection.cursor() as cursor:
            cursor.execute(sql, arguments or None)
            return cursor.fetchall() if cursor.description else None

    def insert(self, event_type, payload, version=None, table="outbox_events"):
        """None, or PostgreSQL's error."""
        try:
            if version is None:
                self.run(f"insert into {table} (aggregate_id, event_type, payload) values ('a', %s, %s)", event_type, payload)
            else:
                self.run(f"insert into {table} (aggregate_id, event_type, payload, schema_version) values ('a', %s, %s, %s)",
                         event_type, payload, version)
        except psycopg2.Error as error:
            return error.diag
        return None


def test_a_bad_event_is_refused_in_its_own_transaction(postgres, database, folder):
    producer = Producer(postgres, database)
    producer.run(TABLE.format("outbox_events", "jsonb", ", schema_version text"))
    guard = schema_sql(folder)
    assert guard.returncode == 0, guard.stderr
    producer.run(guard.stdout)
    producer.run(guard.stdout)  # again: it replaces itself
    assert producer.insert("Order.Placed", '{"orderId": "1", "total": "5", "items": [{"sku": "a", "quantity": 2}]}') is None
    assert producer.insert("Order.Placed", '{"order_id": "1", "items": [{"note": "x"}]}', "2") is None
    error = producer.insert("Order.Placed", '{"orderId": "1", "items": [{"sku": "a"}, {"quantity": "many"}]}')
    assert (error.sqlstate, error.constraint_name, error.table_name) == ("23514", "walpost_guard", "outbox_events")
    assert error.message_primary == 'Order.Placed v2: items[1].quantity: expected an int32, found the string "many"'
    assert "a dead letter" in error.message_detail and "walpost schema sql" in error.message_hint
    for event_type, payload, version, words in [
            ("Order.Placed", '{"orderId": "1", "items": [{"note": "x"}]}', "1", 'Order.Placed v1: items[0].note: expected a field of shop.v1'),
            ("Order.Placed", '{"orderId": null}', None, "Order.Placed v2: orderId: expected a value: the field is required, found none"),
            ("Order.Placed", '{"orderId": "1"}', "3", "Order.Placed: schema_version: expected a version from 1 to 2, found 3"),
            ("Order.Lost", "{}", None, "Order.Lost: event_type: expected a type that has a contract, found Order.Lost"),
            ("Order.Shipped", "[]", None, "Order.Shipped v1: payload: expected an object (shop.v1.OrderShipped), found an array")]:
        assert producer.insert(event_type, payload, version).message_primary.startswith(words)
    assert producer.run("select count(*) from outbox_events") == [(2,)]
    # As the stream reads a version.
    accepted = [version for version in ("", "1", "v1", "2", "v2", "0", "3", "v0", "02", "v02", " 2", "2 ", "V2", "v", "-1", "1.0")
                if producer.insert("Order.Placed", '{"orderId": "1"}', version) is None]
    assert accepted == ["", "1", "v1", "2", "v2"]
    drop = next(line[4:].strip() for line in guard.stdout.splitlines() if "DROP TRIGGER" in line)
    producer.run(drop)
    assert producer.insert("Order.Lost", "{}") is None


@pytest.mark.parametrize("kind", ["json", "text"])
def test_columns_that_keep_what_jsonb_does_not(postgres, database, folder, kind):
    producer = Producer(postgres, database)
    producer.run(TABLE.format("outbox_events", kind, ""))
    producer.run(schema_sql(folder).stdout)
    assert producer.insert("Order.Placed", '{"orderId": "1", "total": 1e2}') is None
    twice = producer.insert("Order.Placed", '{"orderId": "1", "items": [{"sku": "a", "sku": "b"}]}')
    assert (twice.sqlstate, twice.message_primary) == ("23514", 'Order.Placed: payload: expected every field and key once, found "sku" twice')
    if kind == "text":
        broken = producer.insert("Order.Placed", '{"orderId": "1"')
        assert broken.sqlstate == "23514" and "expected JSON" in broken.message_primary
    assert producer.insert("Order.Placed", '{"orderId": 1}').message_primary.startswith("Order.Placed v2: orderId: expected a string")


def test_one_type_one_version_another_table_and_a_producer_with_few_rights(postgres, database, folder):
    owner = Producer(postgres, database)
    owner.run('create schema "Shop"; create role producer login; grant usage on schema "Shop" to producer')
    owner.run(TABLE.format('"Shop"."out box"', "jsonb", "").replace("event_type", "kind").replace("payload", '"Body"'))
    owner.run('grant insert on "Shop"."out box" to producer')
    # Whoever inserts may have functions and operators of his own in front: they are not asked.
    owner.run("create schema mine; grant usage on schema mine to producer; "
              "create function mine.jsonb_typeof(jsonb) returns text language sql as $$ select 'object' $$")
    guard = schema_sql(folder, "Order.Placed", "--version", "1", "--table", '"Shop"."out box"',
                       "--set", "outbox.columns.event_type=kind", "--set", "outbox.columns.payload=Body")
    assert guard.returncode == 0, guard.stderr
    owner.run(guard.stdout)
    producer = Producer(postgres, database, "producer")
    producer.run("set search_path = mine, pg_catalog")
    insert = """insert into "Shop"."out box" (aggregate_id, kind, "Body") values ('a', %s, %s)"""
    producer.run(insert, "Order.Placed", '{"orderId": "1"}')
    producer.run(insert, "Order.Lost", "[]")
    with pytest.raises(psycopg2.errors.CheckViolation, match="Order.Placed v1: payload: expected an object"):
        producer.run(insert, "Order.Placed", "[]")
    with pytest.raises(psycopg2.errors.CheckViolation, match="note: expected a field of"):
        producer.run(insert, "Order.Placed", '{"orderId": "1", "items": [{"note": ""}]}')
    producer.connection.close()
    owner.run("drop owned by producer; drop role producer")


def test_what_cannot_be_written_is_said(tmp_path, folder):
    for arguments, words in [(("Order.Plced",), "The nearest type is Order.Placed"), (("--version", "1"), "--version is given without a type"),
                             (("Order.Placed", "--version", "3"), "has the versions 1 to 2"), (("--json",), "--json does not go with")]:
        done = schema_sql(folder, *arguments)
        assert (done.returncode, done.stdout) == (2, "") and words in done.stderr, done.stderr
    (tmp_path / "none").mkdir()
    assert "there are no contracts in" in schema_sql(tmp_path / "none").stderr
