# SPDX-License-Identifier: Apache-2.0
"""What the guard costs whoever inserts: ./dev bench guard

The same rows with the trigger and without, in turns: many in one statement, which shows the bare cost of a
row, and one in each transaction, which is what applications do. No Kafka."""

import json
import os
import re
import statistics
import subprocess
import time

from support.process import new_folder
from support.walpost import program
from transcode import ROOT, as_jsonb, order

TABLE = """create table outbox_events (id uuid primary key default gen_random_uuid(), aggregate_id text not null,
 event_type text not null, payload jsonb not null, status text default 'PENDING', created_at timestamptz default now())"""
FLAT = {"orderId": "0d3e9c5e-7a51-4b83-9a0c-0b8d3f1c5a77", "customerId": "cust-000184467", "status": "STATUS_PAID",
        "placedAt": "2024-05-17T10:22:31.123456Z", "note": "Leave at the door, please.", "exchangeRate": 1.08342, "version": "17"}


def write_guard(folder):
    path = os.path.join(folder, "Order.Placed")
    os.mkdir(path)
    with open(os.path.join(ROOT, "bench", "contracts", "order.proto"), encoding="utf-8") as file:
        text = file.read()
    with open(os.path.join(path, "v1.proto"), "w", encoding="utf-8") as file:
        file.write("// walpost.event: OrderPlaced\n" + text)
    return subprocess.run([program(), "schema", "sql", "--folder", folder], check=True, cwd=folder, capture_output=True,
                          text=True).stdout


def literal(text):
    return "'" + text.replace("'", "''") + "'"


def bulk(postgres, payload, rows):
    """Microseconds a row, in one statement."""
    postgres.execute("truncate outbox_events", database="guard")
    started = time.time()
    postgres.execute("insert into outbox_events (aggregate_id, event_type, payload) select 'customer-' || n % 5000, "
                     f"'Order.Placed', {literal(payload)}::jsonb from generate_series(1, {rows}) n", database="guard")
    return (time.time() - started) / rows * 1e6


def single(postgres, script, seconds):
    """Rows a second, each in a transaction of its own, four clients."""
    done = subprocess.run([os.path.join(postgres.binaries, "pgbench"), "-n", "-M", "prepared", "-c", "4", "-j", "2", "-T", str(seconds),
                           "-f", script, postgres.dsn("guard", socket=True)], check=True, capture_output=True, text=True)
    return float(re.search(r"^tps = ([0-9.]+)", done.stdout, re.M).group(1))


def measure(postgres, options, payload, script):
    figures = {"bulk": ([], []), "single": ([], [])}
    for _ in range(options.repeat):
        for guarded in (0, 1):
            postgres.execute(f"alter table outbox_events {'enable' if guarded else 'disable'} trigger walpost_guard", database="guard")
            figures["bulk"][guarded].append(bulk(postgres, payload, options.rows // 10))
            figures["single"][guarded].append(single(postgres, script, max(1, options.seconds // 5)))
    return {name: tuple(statistics.median(values) for values in pair) for name, pair in figures.items()}


def guard(options, postgres, say):
    folder = new_folder("bench")
    postgres.execute("create database guard")
    postgres.execute(TABLE, database="guard")
    postgres.execute(write_guard(folder), database="guard")
    say("\nThe guard: rows with the trigger and without, in turns.\n")
    say("| payload | bytes | in one statement, us/row: without | with | the guard | in a transaction each, rows/s: without | with | share |")
    say("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, data in (("flat, 7 fields", FLAT), ("3 items, 67 values", order(3)), ("300 items", order(300))):
        payload = json.dumps(as_jsonb(data), ensure_ascii=False)
        postgres.execute(f"create or replace function payload() returns jsonb immutable as $$ select {literal(payload)}::jsonb $$ "
                         "language sql", database="guard")
        script = os.path.join(folder, "insert.sql")
        with open(script, "w", encoding="utf-8") as file:
            file.write("insert into outbox_events (aggregate_id, event_type, payload) values ('customer-1', 'Order.Placed', payload());\n")
        options.rows = min(options.rows, 10000) if "300" in name else options.rows
        figures = measure(postgres, options, payload, script)
        (free, guarded), (free_rate, guarded_rate) = figures["bulk"], figures["single"]
        say(f"| {name} | {len(payload.encode()):,} | {free:.1f} | {guarded:.1f} | {guarded - free:.1f} | {free_rate:,.0f} | "
            f"{guarded_rate:,.0f} | {guarded_rate / free_rate:.2f} |")
