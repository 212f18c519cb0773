# SPDX-License-Identifier: Apache-2.0
"""I3, I8, I12: one transaction that is far bigger than memory, also with kills inside it."""

import contextlib

import pytest

from support.process import wait_until
from support.stream import TABLE

KEYS = 100
MEMORY_MB = 64
PEAK_MAX = (MEMORY_MB + 40) * 2**20  # I8; the rows are small
KILL_AFTER = 80  # batches of 5,000 to 20,000 events


def one_transaction(stream, rows):
    stream.execute(
        f"insert into {TABLE} (id, aggregate_id, event_type, payload) "
        "select ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'k' || n %% %s, "
        "'Order.ItemAdded', jsonb_build_object('n', n, 'text', repeat('x', 60)) "
        "from generate_series(1, %s) n",
        (KEYS, rows),
    )


class Judge:
    """Every row once, each key in order; without keeping millions of records."""

    def __init__(self, rows):
        self.rows = rows
        self.seen = bytearray(rows + 1)
        self.visible = 0
        self.last = {}

    def take(self, records):
        for record in records:
            n = int(record.headers["event_id"][-12:], 16)
            assert 0 < n <= self.rows and not self.seen[n], f"repeated, or never there: {n}"
            self.seen[n] = 1
            self.visible += 1
            assert record.key.decode() == f"k{n % KEYS}"
            assert self.last.get(record.key, 0) < n, f"{record.key}: {n} out of order"
            self.last[record.key] = n
        records.clear()

    def read(self, stream, timeout):
        """Until all are visible, then to the very end."""
        with stream.reader(slim=True) as reader:

            def all_visible():
                reader.poll()
                self.take(reader.records)
                return self.visible == self.rows

            wait_until(all_visible, timeout, f"{self.rows} events\n{stream.walpost.log_tail()}", 0)
            self.take(reader.read_to_end())
        assert self.visible == self.rows


def big_stream(new_stream, postgres, kafka):
    return new_stream(
        postgres,
        kafka,
        memory=f"{MEMORY_MB}MB",
        outbox={"after_publish": "keep", "snapshot": "none"},
    )


def test_a_million_rows_in_one_transaction(new_stream, postgres, kafka):
    rows = 1_000_000
    stream = big_stream(new_stream, postgres, kafka)
    stream.walpost.init()
    stream.walpost.start()
    stream.wait_streaming()
    one_transaction(stream, rows)
    stream.wait_confirmed(stream.wal_position(), timeout=180)
    peak = stream.walpost.rss_peak()
    Judge(rows).read(stream, timeout=180)
    print(f"peak resident memory: {peak / 2**20:.0f} MiB")
    assert peak < PEAK_MAX


def run_until_killed(stream):
    """The peak of its resident memory; killed after so many batches of its own."""
    peaks = [0]
    stream.walpost.start(crash=f"after_commit:{KILL_AFTER}")

    def killed():
        with contextlib.suppress(FileNotFoundError, AssertionError):  # gone in between
            peaks.append(stream.walpost.rss_peak())
        return not stream.walpost.running

    wait_until(killed, 1800, f"a kill\n{stream.walpost.log_tail()}", 0.1)
    assert stream.walpost.wait_exit() == -9, stream.walpost.log_tail()
    return max(peaks)


@pytest.mark.long
def test_five_million_rows_and_kills_inside_them(new_stream, postgres, kafka, killed):
    """What Kafka has of the transaction is left out by ordinal, and the rest follows."""
    rows = 5_000_000
    stream = big_stream(new_stream, postgres, kafka)
    stream.walpost.init()
    one_transaction(stream, rows)
    peaks = []
    for _ in range(2):
        peaks.append(run_until_killed(stream))
        killed("inside a transaction of 5,000,000 rows")
    stream.walpost.start()
    stream.wait_confirmed(stream.wal_position(), timeout=1800)
    peaks.append(stream.walpost.rss_peak())
    Judge(rows).read(stream, timeout=1800)
    assert stream.walpost.stop() == 0
    counts = next(entry for entry in stream.walpost.log() if entry["message"] == "stopped")
    print(
        f"peaks of resident memory: {', '.join(f'{peak / 2**20:.0f} MiB' for peak in peaks)}; "
        f"the last start left out {counts['left_out']} and published {counts['published']}"
    )
    assert counts["left_out"] > 0 and counts["left_out"] + counts["published"] == rows
    assert max(peaks) < PEAK_MAX
