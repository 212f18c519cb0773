#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""./dev demo: from an INSERT to a record in Kafka on real servers, with a kill -9 in between, and a
verdict at the end. Exit status 0 only when every committed row that keeps its contract is visible exactly
once, and the one that breaks it is a dead letter."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests"))

from support.reader import decode, judge  # noqa: E402
from support.process import wait_until  # noqa: E402
from support.servers import REPOSITORY, Kafka, Postgres  # noqa: E402
from support.stream import Stream  # noqa: E402
from support.writer import Truth  # noqa: E402

COLOURS = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
ON_A_TERMINAL = sys.stdout.isatty() and "NO_COLOR" not in os.environ


def paint(text, colour):
    return f"\033[{COLOURS[colour]}m{text}\033[0m" if ON_A_TERMINAL else text


def title(text):
    print(f"\n{paint('== ' + text, 'bold')}", flush=True)


def command(text):
    print(paint("$ ", "dim") + paint(text, "cyan"), flush=True)


def indented(text):
    for line in text.rstrip().splitlines():
        print("  " + line)
    sys.stdout.flush()


class Demo:
    def __init__(self, postgres, kafka):
        self.stream = Stream(postgres, kafka, "shop")
        self.stream.walpost.write_config(
            route={"topic": "outbox.event.{domain}", "on_missing_topic": "create"},
            dead_letter={"topic": "outbox.dead-letter"},
            contracts={"dir": os.path.join(REPOSITORY, "schemas")},
            batch={"max_events": 2000},
        )
        self.postgres = postgres
        self.walpost = self.stream.walpost
        self.inserted = 0
        self.reader = self.stream.reader("outbox.event.")

    def psql(self, sql):
        print(paint("shop=# ", "dim") + paint(sql + ";", "cyan"), flush=True)
        indented(self.postgres.psql(sql, self.stream.name))

    def run(self):
        command("walpost run -c walpost.yaml &")
        started = time.monotonic()
        self.walpost.start()
        self.stream.wait_streaming()
        indented(
            f"process {self.walpost.process.pid}, streaming after "
            f"{time.monotonic() - started:.1f} s"
        )

    def insert(self, aggregate, count):
        self.psql(
            "insert into outbox_events (aggregate_id, event_type, payload) "
            f"select '{aggregate}', 'Order.ItemAdded', jsonb_build_object('line', n) "
            f"from generate_series(1, {count}) n"
        )
        self.inserted += count

    def visible(self):
        """Until nothing more comes: what an open Kafka transaction holds is not visible."""
        while self.reader.poll(0.5):
            pass
        return len(self.reader.records)

    def wait_visible(self):
        self.reader.read_until(lambda records: len(records) >= self.inserted, 60)

    def show(self, record):
        place = f"{record.topic}[{record.partition}] offset {record.offset}"
        print(f"\n  {paint(place, 'bold')}   key {paint(record.key.decode(), 'yellow')}")
        for name, value in record.headers.items():
            print(f"    {paint(f'{name:<15}', 'dim')} {value}")
        event = decode(record)
        happened = event.occurred_at.seconds + event.occurred_at.nanos / 1e9
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(happened)) + " UTC"
        print(f"    {paint('value', 'dim')}           walpost.v1.OutboxEvent")
        print(f"      payload       {paint(event.payload_json, 'green')}")
        print(f"      occurred      {when}")
        print(
            f"      source        stream {event.source.stream}, transaction {event.source.xid}, "
            f"event {event.source.ordinal} of it"
        )
        sys.stdout.flush()

    def dead(self):
        return self.stream.value("select count(*) from outbox_events where status = 'DEAD'")

    def truth(self):
        """The rows of the table are what was committed; their order within a key is its own."""
        rows = self.stream.execute(
            "select id::text, aggregate_id, row_number() over (partition by aggregate_id "
            "order by created_at, (payload->>'line')::int) from outbox_events "
            "where status <> 'DEAD'"
        )
        truth = Truth()
        truth.note(rows, [])
        return truth


def main():
    title("A PostgreSQL and a Kafka of our own")
    with Postgres() as postgres, Kafka() as kafka:
        version = postgres.value("show server_version")
        indented(f"PostgreSQL {version} at 127.0.0.1:{postgres.port}\nKafka at {kafka.bootstrap}")
        demo = Demo(postgres, kafka)

        title("A stream: table, publication, slot and topics")
        command("cat walpost.yaml")
        with open(demo.walpost.config_file, encoding="utf-8") as file:
            indented(file.read())
        command("walpost init -c walpost.yaml")
        indented(demo.walpost.init().stdout)
        demo.run()
        command(f'psql "host=127.0.0.1 port={postgres.port} user=postgres dbname=shop"')

        title("Rows, in the same transactions as the business changes they tell of")
        demo.psql(
            "insert into outbox_events (aggregate_id, event_type, payload) values "
            "('order-1', 'Order.Placed', '{\"line\": 0, \"customer\": \"Ada\"}'), "
            "('order-2', 'Order.Placed', '{\"line\": 0, \"customer\": \"Grace\"}')"
        )
        demo.psql(
            "begin; insert into outbox_events (aggregate_id, event_type, payload) values "
            "('order-1', 'Order.Cancelled', '{\"line\": 1}'); rollback"
        )
        demo.inserted += 2
        demo.wait_visible()
        print("  In Kafka, for a read_committed consumer (what was rolled back is nowhere):")
        for record in demo.reader.records[:2]:
            demo.show(record)

        title("An event that breaks its contract, schemas/Order.Placed/v1.proto")
        demo.psql(
            "insert into outbox_events (aggregate_id, event_type, payload) values "
            "('order-3', 'Order.Placed', '{\"line\": \"first\", \"customer\": \"Alan\"}')"
        )
        wait_until(demo.dead, 60, "it is a dead letter")
        command("walpost dlq list")
        indented(demo.walpost.command("dlq", "list").stdout.replace("\t", "  "))

        title("kill -9, three times, while rows keep coming")
        for turn in range(3):
            demo.insert("order-1", 30000)
            time.sleep(0.03 * (turn + 1))  # somewhere in the middle of them
            command(f"kill -9 {demo.walpost.process.pid}")
            demo.walpost.kill()
            indented(f"{demo.visible()} of {demo.inserted} rows are visible")
            demo.insert(f"order-{3 + turn}", 500)
            demo.run()
        demo.wait_visible()

        title("A clean stop")
        command(f"kill -TERM {demo.walpost.process.pid}")
        status = demo.walpost.stop()
        indented(f"exit status {status}")
        demo.psql("select status, count(*) from outbox_events group by status")

        title("Verdict, by a read_committed consumer from the beginning of every topic")
        truth = demo.truth()
        with demo.stream.reader("outbox.event.", slim=True) as reader:
            verdict = judge(truth, reader.read_to_end())
        good = verdict.exactly_once and status == 0 and verdict.inserted == demo.inserted
        good = good and demo.dead() == 1
        print(
            f"  inserted {verdict.inserted}   visible {verdict.visible}   "
            f"repeated {verdict.repeated}   lost {verdict.lost}   out of order {verdict.out_of_order}"
        )
        for complaint in verdict.complaints[:10]:
            print(f"  {complaint}")
        print(paint("  exactly once", "green") if good else paint("  NOT exactly once", "red"))
        demo.reader.close()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
