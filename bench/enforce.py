# SPDX-License-Identifier: Apache-2.0
"""What it costs to hold every event to a contract: the same drain with and without, in turns."""

import os
import statistics

from support.process import new_folder
from support.stream import Stream

# The payload that run.py writes.
CONTRACT = """syntax = "proto3";
package bench.v1;
message ItemAdded {
  int64 t = 1;
  int64 n = 2;
  int32 amount = 3;
  string currency = 4;
  string note = 5;
}
"""
WORKLOADS = ("one transaction", "one-row transactions")


def contracts():
    folder = new_folder("contracts")
    os.mkdir(os.path.join(folder, "Order.ItemAdded"))
    with open(os.path.join(folder, "Order.ItemAdded", "v1.proto"), "w", encoding="utf-8") as file:
        file.write(CONTRACT)
    return folder


def drain_once(postgres, kafka, name, workload, options, tools, folder):
    """A stream whose rows are written already: to null, then to Kafka."""
    sections = {"contracts": {"dir": folder}} if folder else {}
    stream = Stream(
        postgres, kafka, name,
        outbox={"after_publish": "keep", "snapshot": "none"}, encode={"value": "envelope"},
        memory="64MB", topics={"create": True, "partitions": 6}, **sections,
    )
    socket = options.transports.startswith("unix")
    stream.walpost.write_config(postgres={"dsn": postgres.dsn(name, "walpost", socket)})
    stream.walpost.init()
    kafka.create_topic(stream.prefix + "Order", 6)
    tools.generate(stream, workload, options.rows, socket)
    null = tools.Run(stream.walpost, "--once", "--to", "null")
    run = tools.Run(stream.walpost, "--once")
    assert run.published == options.rows, (run.published, options.rows)
    stream.end()
    return {
        "rate": options.rows / run.seconds, "cpu": run.cpu / options.rows * 1e6,
        "null cpu": null.cpu / options.rows * 1e6, "peak": run.peak_mb,
    }


def enforce(options, postgres, kafka, tools):
    say = tools.say
    folder = contracts()
    say(f"\n### Drain of {options.rows:,} events as envelopes, {options.repeat} pairs, medians\n")
    say("| events | without contracts, events/s | with | with / without | CPU us/event | with "
        "| to null CPU us/event | with | peak MiB | with |")
    say("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    drain_once(postgres, kafka, "enforce_warmup", WORKLOADS[0], options, tools, folder)
    number = 0
    for workload in WORKLOADS:
        pairs = []
        for repeat in range(options.repeat):
            order = (None, folder) if repeat % 2 == 0 else (folder, None)
            runs = {}
            for wanted in order:
                number += 1
                runs[wanted] = drain_once(
                    postgres, kafka, f"enforce{number}", workload, options, tools, wanted
                )
            pairs.append((runs[None], runs[folder]))

        def middle(side, key):
            return statistics.median(pair[side][key] for pair in pairs)

        ratio = statistics.median(after["rate"] / before["rate"] for before, after in pairs)
        say(f"| {workload} | {middle(0, 'rate'):,.0f} | {middle(1, 'rate'):,.0f} | {ratio:.2f} "
            f"| {middle(0, 'cpu'):.1f} | {middle(1, 'cpu'):.1f} | {middle(0, 'null cpu'):.1f} "
            f"| {middle(1, 'null cpu'):.1f} | {middle(0, 'peak'):.0f} | {middle(1, 'peak'):.0f} |")
