# SPDX-License-Identifier: Apache-2.0
"""I8, I12: one transaction that is far bigger than memory."""

from support.stream import TABLE
from support.writer import Truth

ROWS = 1_000_000
KEYS = 100


def identity(n):
    return f"00000000-0000-4000-8000-{n:012x}"


def test_a_million_rows_in_one_transaction(new_stream, postgres, kafka):
    stream = new_stream(
        postgres, kafka, memory="64MB", outbox={"after_publish": "keep", "snapshot": "none"}
    )
    stream.walpost.init()
    stream.walpost.start()
    stream.wait_streaming()
    stream.execute(
        f"insert into {TABLE} (id, aggregate_id, event_type, payload) "
        "select ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'k' || n %% %s, "
        "'Order.ItemAdded', jsonb_build_object('n', n, 'text', repeat('x', 60)) "
        "from generate_series(1, %s) n",
        (KEYS, ROWS),
    )
    truth = Truth()
    truth.note([(identity(n), f"k{n % KEYS}", n) for n in range(1, ROWS + 1)], [])
    stream.wait_confirmed(stream.wal_position(), timeout=180)
    peak = stream.walpost.rss_peak()
    verdict = stream.assert_exactly_once(truth, slim=True, timeout=180)
    print(f"peak resident memory: {peak / 2**20:.0f} MiB, {verdict}")
    assert verdict.visible == ROWS
    assert peak < 200 * 2**20
