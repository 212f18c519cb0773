# SPDX-License-Identifier: Apache-2.0
"""Throughput, CPU, memory and latency of build/walpost on real servers, in one run with its ceilings.

    ./dev bench                         everything, about 25 minutes
    ./dev bench drain --repeat 1        a part of it
    ./dev bench latency --seconds 20
    ./dev bench contracts               the drain with contracts beside the drain without
    ./dev bench transcode               JSON to Protobuf beside libprotobuf; no servers, one minute
    ./dev bench guard                   what the trigger of `schema sql` costs an INSERT; no Kafka
    ./dev bench replay --rows 1000000   replay against drain, and the stream's latency beside it
    ./dev bench recovery                kill -9 under load: visible again after how long

What is compared runs in turns, so that a noisy machine disturbs all alike; figures are medians, and
comparisons are medians of the ratios of neighbours. Kafka, PostgreSQL, walpost, the load and the
reader share the machine's cores.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "tests"))
sys.path.insert(0, HERE)

import cpu  # noqa: E402
import enforce  # noqa: E402
import guard  # noqa: E402
import recovery  # noqa: E402
import transcode  # noqa: E402
from support.process import new_folder, wait_until  # noqa: E402
from support.servers import Kafka, Postgres, REPOSITORY, SHIPPED_JAVA  # noqa: E402
from support.stream import Stream  # noqa: E402
from support.walpost import program  # noqa: E402

PAYLOAD = """jsonb_build_object('t', (extract(epoch from clock_timestamp()) * 1000000)::bigint, 'n', {n},
 'amount', {n} % 9973, 'currency', 'EUR', 'note', repeat(md5({n}::text), 12))"""
BIN = None  # of PostgreSQL
WARM_UP_SECONDS = 20  # of load before a latency is measured: the broker compiles its code


def say(*words):
    print(*words, flush=True)


def build(name):
    program = os.path.join(new_folder("bench"), name)
    subprocess.run(
        ["cc", "-O2", "-D_GNU_SOURCE", os.path.join(HERE, name + ".c"), "-o", program, "-lrdkafka"],
        check=True,
    )
    return program


def median(values):
    return statistics.median(values)


def percentile(sorted_values, share):
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))]


class Run:
    """A walpost that ran to its end: seconds from streaming to drained, CPU, peak memory."""

    def __init__(self, walpost, *arguments):
        self.started = time.time()
        walpost.start(*arguments)
        _, status, usage = os.wait4(walpost.process.pid, 0)
        walpost.process.returncode = os.waitstatus_to_exitcode(status)
        assert walpost.process.returncode == 0, walpost.log_tail()
        self.cpu = usage.ru_utime + usage.ru_stime
        self.peak_mb = usage.ru_maxrss / 1024
        at = {}
        for entry in walpost.log():
            at.setdefault(entry["message"].split(":")[0], entry.get("time"))
            if entry["message"] == "stopped":
                self.published = entry["published"]
        self.seconds = seconds(at["drained"]) - seconds(at["streaming"])
        self.to_streaming = seconds(at["streaming"]) - self.started


def seconds(text):
    whole, _, fraction = text.rstrip("Z").partition(".")
    import calendar

    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float("0." + fraction)


# --- drain ----------------------------------------------------------------------------------------


def generate(stream, workload, rows, socket):
    dsn = stream.postgres.dsn(stream.name, socket=socket)
    if workload == "one transaction":
        stream.execute(
            "insert into outbox_events (aggregate_id, event_type, payload) "
            f"select 'customer-' || (n % 5000), 'Order.ItemAdded', {PAYLOAD.format(n='n')} "
            f"from generate_series(1, {rows}) n"
        )
        return
    if workload == "logical messages":
        stream.execute(
            "select count(pg_logical_emit_message(true, 'walpost', jsonb_build_object("
            "'id', gen_random_uuid(), 'aggregate_id', 'customer-' || (n % 5000), "
            f"'event_type', 'Order.ItemAdded', 'payload', {PAYLOAD.format(n='n')})::text)) "
            f"from generate_series(1, {rows}) n"
        )
        return
    script = os.path.join(stream.folder, "one-row.sql")
    with open(script, "w", encoding="utf-8") as file:
        file.write(
            "\\set n random(1, 1000000)\n"
            "insert into outbox_events (aggregate_id, event_type, payload) values "
            f"('customer-' || (:n::int % 5000), 'Order.ItemAdded', {PAYLOAD.format(n=':n::int')});\n"
        )
    clients = 10
    subprocess.run(
        [os.path.join(BIN, "pgbench"), "-n", "-M", "prepared", "-c", str(clients), "-j", "2",
         "-t", str(rows // clients), "-f", script, dsn],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )


def recvlogical(stream, rows, socket):
    """Reads the slot and throws away; events a second from start to the wanted end."""
    end = stream.wal_position()
    from_time = time.time()
    host = stream.postgres.folder if socket else stream.postgres.address
    subprocess.run(
        [os.path.join(BIN, "pg_recvlogical"), "-n", "-h", host, "-p", str(stream.postgres.port),
         "-U", "postgres", "-d", stream.name, "-S", stream.slot, "--start", "-f", "/dev/null",
         "-o", "proto_version=1", "-o", f"publication_names={stream.publication}",
         "-o", "messages=true", "-E", end, "-s", "3600", "-F", "0"],
        check=True, stderr=subprocess.DEVNULL,
    )
    return rows / (time.time() - from_time)


def drain_once(postgres, kafka, name, workload, rows, socket, delivery, after, ceiling, lanes=1):
    """One stream with its rows already written: null, walpost, producer, in this order."""
    stream = Stream(
        postgres, kafka, name,
        outbox={"after_publish": after, "snapshot": "none"},
        delivery=delivery, memory="64MB", topics={"create": True, "partitions": 6}, lanes=lanes,
    )
    stream.walpost.write_config(postgres={"dsn": postgres.dsn(name, "walpost", socket)})
    stream.walpost.init()
    kafka.create_topic(stream.prefix + "Order", 6)
    kafka.create_topic(name + "-ceiling", 6)
    generate(stream, workload, rows, socket)
    null = Run(stream.walpost, "--once", "--to", "null")
    copy = stream.slot + "_recv"
    stream.execute(f"select pg_copy_logical_replication_slot('{stream.slot}', '{copy}')")
    own, stream.slot = stream.slot, copy
    received = recvlogical(stream, rows, socket)
    stream.execute("select pg_drop_replication_slot(%s)", (copy,))
    stream.slot = own
    before = cpu.servers(postgres, kafka)
    run = Run(stream.walpost, "--once")
    servers = cpu.servers(postgres, kafka) - before
    assert run.published == rows, (run.published, rows)
    size = value_size(stream)
    produced = float(
        subprocess.run([ceiling, kafka.bootstrap, name + "-ceiling", str(rows), str(size)],
                       check=True, capture_output=True, text=True).stdout
    )
    stream.end()
    return {
        "null": rows / null.seconds, "null cpu": null.cpu / rows * 1e6, "recvlogical": received,
        "walpost": rows / run.seconds, "cpu": run.cpu / rows * 1e6, "servers": servers / rows * 1e6, "peak": run.peak_mb,
        "producer": rows / produced, "value": size,
    }


def value_size(stream):
    with stream.reader() as reader:
        reader.read_until(lambda records: len(records) > 0, 30)
        return len(reader.records[0].value)


def warm_up(postgres, kafka, ceiling, rows, socket):
    """The broker compiles its code while it runs, and the code for transactions and headers only
    when they come: the first million records of each kind say little."""
    kafka.create_topic("warm-up", 6)
    for _ in range(2):
        subprocess.run([ceiling, kafka.bootstrap, "warm-up", "500000", "800"], check=True,
                       stdout=subprocess.DEVNULL)
    for number in range(3):
        drain_once(postgres, kafka, f"warmup{number}", "one transaction", rows, socket,
                   "exactly_once", "keep", ceiling)


def drain(options, postgres, kafka):
    ceiling = build("ceiling")
    say(f"\n### Drain of {options.rows:,} events, payload about 500 bytes, {options.repeat} paired runs, medians\n")
    say("| events | transport | delivery | after publish | events/s | to null | pg_recvlogical | producer alone "
        "| of the lower ceiling | CPU us/event | servers' CPU us/event | cores busy | null CPU us/event | peak MiB |")
    say("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    warm_up(postgres, kafka, ceiling, options.rows, options.transports.startswith("unix"))
    number = 0
    cases = []
    for transport in options.transports.split(","):
        for workload in ("one transaction", "one-row transactions", "logical messages"):
            cases.append((workload, transport, "exactly_once", "keep"))
    first = options.transports.split(",")[0]
    cases.append(("one-row transactions", first, "at_least_once", "keep"))
    cases.append(("one-row transactions", first, "exactly_once", "mark"))
    cases.append(("one-row transactions", first, "exactly_once", "delete"))
    for workload, transport, delivery, after in cases:
        if options.only and options.only not in " ".join((workload, transport, delivery, after)):
            continue
        runs = []
        for _ in range(options.repeat):
            number += 1
            runs.append(drain_once(postgres, kafka, f"drain{number}", workload, options.rows,
                                   transport == "unix", delivery, after, ceiling, options.lanes))
        m = {key: median([run[key] for run in runs]) for key in runs[0]}
        ratio = median([run["walpost"] / min(run["null"], run["producer"]) for run in runs])
        say(f"| {workload} | {transport} | {delivery} | {after} | {m['walpost']:,.0f} | {m['null']:,.0f} "
            f"| {m['recvlogical']:,.0f} | {m['producer']:,.0f} | {ratio:.2f} | {m['cpu']:.1f} "
            f"| {m['servers']:.1f} | {(m['cpu'] + m['servers']) * m['walpost'] / 1e6:.2f} | {m['null cpu']:.1f} | {m['peak']:.0f} |")


# --- latency --------------------------------------------------------------------------------------


class Receiver:
    """Receives the topic from its end on. Into a file: a pipe that nobody empties meanwhile would
    hold it up after 64 KiB."""

    def __init__(self, receive, kafka, topic):
        self._output = tempfile.TemporaryFile(dir=new_folder("receive"))
        self._process = subprocess.Popen([receive, kafka.bootstrap, topic, "3"], stdout=self._output,
                                         stderr=subprocess.PIPE)
        self._process.stderr.readline()

    def sorted_latencies(self):
        """In milliseconds, without the first tenth. Waits until nothing more comes."""
        self._process.communicate()
        self._output.seek(0)
        values = [float(line) for line in self._output]
        return sorted(values[len(values) // 10:])


def latency_once(postgres, kafka, name, delivery, receive, options, extra):
    stream = Stream(
        postgres, kafka, name, outbox={"after_publish": "keep", "snapshot": "none"},
        delivery=delivery, topics={"create": True, "partitions": 6}, **extra,
    )
    stream.walpost.init()
    topic = stream.prefix + "Order"
    kafka.create_topic(topic, 6)
    # A clean run first, so that the start that is measured is one after a clean stop.
    stream.walpost.start()
    stream.walpost.wait_for("streaming")
    stream.insert()
    stream.records(1)
    assert stream.walpost.stop() == 0
    first = start_to_first(stream)
    load(stream, insert_script(stream), 1000, WARM_UP_SECONDS)
    assert stream.walpost.stop() == 0
    reader = Receiver(receive, kafka, topic)
    stream.walpost.start()
    stream.walpost.wait_for("streaming")
    script = insert_script(stream)
    cpu = stream.walpost.cpu_seconds()
    began = time.time()
    load(stream, script, 500, options.seconds)
    share = (stream.walpost.cpu_seconds() - cpu) / (time.time() - began)
    values = reader.sorted_latencies()
    before = stream.walpost.cpu_seconds()
    began = time.time()
    wait_until(lambda: time.time() - began >= 5, 10, "five idle seconds")
    idle = (stream.walpost.cpu_seconds() - before) / (time.time() - began)
    peak = stream.walpost.rss_peak() / 2**20
    stream.walpost.stop()
    stream.end()
    return {"p50": percentile(values, 0.5), "p99": percentile(values, 0.99),
            "p99.9": percentile(values, 0.999), "n": len(values), "cpu": share, "idle": idle,
            "peak": peak, "first": first}


def insert_script(stream):
    script = os.path.join(stream.folder, "insert.sql")
    with open(script, "w", encoding="utf-8") as file:
        file.write("\\set n random(1, 1000000)\n"
                   "insert into outbox_events (aggregate_id, event_type, payload) values "
                   f"('customer-' || (:n::int % 5000), 'Order.ItemAdded', {PAYLOAD.format(n=':n::int')});\n")
    return script


def load(stream, script, rate, for_seconds):
    subprocess.run(
        [os.path.join(BIN, "pgbench"), "-n", "-M", "prepared", "-c", "4", "-R", str(rate),
         "-T", str(for_seconds), "-f", script, stream.postgres.dsn(stream.name)],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )


def start_to_first(stream):
    """Seconds from the start of the process until a row that waits is visible."""
    before = len(stream.records(1))
    stream.insert()
    with stream.reader() as reader:
        reader.read_until(lambda records: len(records) >= before, 10)
        began = time.time()
        stream.walpost.start()
        reader.read_until(lambda records: len(records) > before, 20)
        return time.time() - began


def latency(options, postgres, kafka):
    receive = build("receive")
    say(f"\n### From INSERT to received under read_committed, 500 one-row transactions/s for {options.seconds} s, "
        f"{options.repeat} runs in turns, medians\n")
    say("| delivery | p50 ms | p99 ms | p99.9 ms | share of a core | idle share | peak MiB | start to first event s |")
    say("| --- | --- | --- | --- | --- | --- | --- | --- |")
    runs = {"exactly_once": [], "at_least_once": []}
    extra = {"lanes": options.lanes}
    if options.linger:
        extra["batch"] = {"linger": options.linger}
    for turn in range(options.repeat):
        for delivery, results in runs.items():
            results.append(latency_once(postgres, kafka, f"latency{turn}{delivery[:2]}", delivery, receive,
                                        options, extra))
    for delivery, results in runs.items():
        m = {key: median([r[key] for r in results]) for key in results[0]}
        say(f"| {delivery} | {m['p50']:.1f} | {m['p99']:.1f} | {m['p99.9']:.1f} | {m['cpu']:.2f} "
            f"| {m['idle']:.4f} | {m['peak']:.0f} | {m['first']:.2f} |")


# --- replay ---------------------------------------------------------------------------------------


def replay_command(stream, *arguments):
    return [program(), "replay", "-c", stream.walpost.config_file, "--from", "begin", "--json", *arguments]


def replay_stream(postgres, kafka, name, workload, rows, socket):
    """A stream whose rows are published, with all of them in the window; and how fast that was."""
    stream = Stream(
        postgres, kafka, name, outbox={"after_publish": "keep", "snapshot": "none"}, memory="64MB",
        topics={"create": True, "partitions": 6}, replay={"keep_bytes": "100GB"},
    )
    stream.walpost.write_config(postgres={"dsn": postgres.dsn(name, "walpost", socket)})
    stream.walpost.init()
    stream.walpost.command("bookmark", "add", "begin", "--lsn",
                           stream.walpost.status()["replay"]["from_lsn"])
    kafka.create_topic(stream.prefix + "Order", 6)
    generate(stream, workload, rows, socket)
    drained = Run(stream.walpost, "--once")
    assert drained.published == rows, (drained.published, rows)
    return stream, rows / drained.seconds


def replay_rate(stream, rows, topic):
    done = json.loads(subprocess.run(replay_command(stream, "--topic", topic), check=True,
                                     capture_output=True, text=True).stdout)
    assert done["events"] == rows, done
    return rows / (done["milliseconds"] / 1000)


def replay_latency(stream, kafka, receive, seconds, topic):
    """p50 and p99 of the live stream, and how many events a replay published beside it. topic None:
    without one."""
    reader = Receiver(receive, kafka, stream.prefix + "Order")
    ends = threading.Event()
    replayed = []

    def again():  # one after the other, until the load ends
        while not ends.is_set():
            with subprocess.Popen(replay_command(stream, "--topic", topic), text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
                while process.poll() is None and not ends.wait(0.1):
                    pass
                process.terminate()
                replayed.append(json.loads(process.communicate()[0])["events"])

    beside = threading.Thread(target=again)
    if topic:
        beside.start()
    load(stream, insert_script(stream), 500, seconds)
    ends.set()
    if topic:
        beside.join()
    values = reader.sorted_latencies()
    return percentile(values, 0.5), percentile(values, 0.99), sum(replayed)


def replay(options, postgres, kafka):
    receive = build("receive")
    transport = options.transports.split(",")[0]
    say(f"\n### Replay of {options.rows:,} events, {transport}, {options.repeat} paired runs, medians\n")
    say("| events | drain events/s | replay events/s | replay / drain |")
    say("| --- | --- | --- | --- |")
    number = 0
    for workload in ("one transaction", "one-row transactions"):
        pairs = []
        for _ in range(options.repeat):
            number += 1
            stream, live = replay_stream(postgres, kafka, f"replay{number}", workload, options.rows,
                                         transport == "unix")
            kafka.create_topic(stream.name + ".again", 6)
            pairs.append((live, replay_rate(stream, options.rows, stream.name + ".again")))
            stream.end()
        ratio = median([again / live for live, again in pairs])
        say(f"| {workload} | {median([p[0] for p in pairs]):,.0f} | {median([p[1] for p in pairs]):,.0f} "
            f"| {ratio:.2f} |")
    say(f"\n### The stream's latency at 500 one-row transactions/s for {options.seconds} s, without and with a "
        f"replay beside it, {options.repeat} paired runs, medians\n")
    say("| | p50 ms | p99 ms | replayed beside it, events/s |")
    say("| --- | --- | --- | --- |")
    results = {"alone": [], "with a replay": []}
    for turn in range(options.repeat):
        stream, _ = replay_stream(postgres, kafka, f"beside{turn}", "one-row transactions", options.rows,
                                  transport == "unix")
        kafka.create_topic(stream.name + ".again", 6)
        stream.walpost.start()
        stream.walpost.wait_for("streaming")
        load(stream, insert_script(stream), 1000, WARM_UP_SECONDS)
        stream.execute("checkpoint")  # else one may come in between: its fsync holds up every commit
        for case, topic in (("alone", None), ("with a replay", stream.name + ".again")):
            results[case].append(replay_latency(stream, kafka, receive, options.seconds, topic))
        assert stream.walpost.stop() == 0
        stream.end()
    for case, runs in results.items():
        p50, p99, replayed = (median(column) for column in zip(*runs))
        say(f"| {case} | {p50:.1f} | {p99:.1f} | {replayed / options.seconds:,.0f} |")
    say(f"\np99 with a replay / alone: "
        f"{median([b[1] / a[1] for a, b in zip(results['alone'], results['with a replay'])]):.2f}")


# --- the machine ------------------------------------------------------------------------------------


def machine():
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    library = subprocess.run(["pkg-config", "--modversion", "rdkafka"], capture_output=True, text=True).stdout.strip()
    say(f"Machine: {os.cpu_count()} cores, {model}, "
        f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB; load "
        f"{os.getloadavg()[0]:.1f} at the start. librdkafka {library}. Servers and load on the same cores.")


def main():
    global BIN
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=["all", "drain", "latency", "replay", "transcode", "guard", "contracts", "recovery"], default="all")
    parser.add_argument("--rows", type=int, default=300000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=30, help="of load in each latency run")
    parser.add_argument("--transports", default="unix,tcp")
    parser.add_argument("--only", default="", help="only drain cases whose words contain this")
    parser.add_argument("--linger", default="", help="batch.linger in the latency runs, e.g. 2ms")
    parser.add_argument("--lanes", type=lambda text: int(text) if text.isdigit() else text, default=1,
                        help="in the drain and latency runs: a number, or partition")
    parser.add_argument("--kills", type=int, default=20, help="of the recovery runs")
    options = parser.parse_args()
    machine()
    if options.what in ("all", "transcode"):
        fast_enough = transcode.transcode(new_folder("bench"), 1, say)
        if options.what == "transcode":
            return 0 if fast_enough else 1
    settings = {"shared_buffers": "1GB", "max_wal_size": "8GB", "fsync": "on", "synchronous_commit": "on"}
    if options.what in ("all", "guard"):
        with Postgres(settings) as postgres:
            guard.guard(options, postgres, say)
        if options.what == "guard":
            return 0
    with Postgres(settings) as postgres, Kafka(heap="1g", java=SHIPPED_JAVA) as kafka:
        BIN = postgres.binaries
        say(f"PostgreSQL {postgres.value('show server_version').split()[0]}, Apache Kafka, one node.")
        if options.what in ("all", "drain"):
            drain(options, postgres, kafka)
        if options.what in ("all", "contracts"):
            enforce.enforce(options, postgres, kafka, sys.modules[__name__])
        if options.what in ("all", "latency"):
            latency(options, postgres, kafka)
        if options.what in ("all", "replay"):
            replay(options, postgres, kafka)
        if options.what in ("all", "recovery"):
            recovery.recovery(options, postgres, kafka, sys.modules[__name__])
    return 0


if __name__ == "__main__":
    sys.exit(main())
