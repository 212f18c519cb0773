# SPDX-License-Identifier: Apache-2.0
"""I9: a publication that no longer covers the table, while the stream runs."""

import re
import time

import pytest

from support.stream import TABLE

LSN = r"[0-9A-F]+/[0-9A-F]+"

LOSSES = {
    "dropped from the publication": "alter publication {publication} drop table {table}",
    "renamed and created again": (
        "alter table {table} rename to old_table; "
        "create table public.{table} (like old_table including all)"
    ),
    "insert no longer published": "alter publication {publication} set (publish = 'update')",
    "the publication itself dropped": "drop publication {publication}",
}


@pytest.mark.parametrize("loss", LOSSES)
def test_the_publication_loses_the_table(stream, loss):
    stream.walpost.init()
    stream.walpost.start()
    stream.wait_streaming()
    stream.insert(3)
    stream.records(3)
    stream.execute(
        LOSSES[loss].format(publication=stream.publication, table=TABLE), user="walpost"
    )
    lost_at = time.monotonic()
    stream.insert(2)
    assert stream.walpost.wait_exit(timeout=15) == 3, stream.walpost.log_tail()
    assert time.monotonic() - lost_at < 10
    last = stream.walpost.last_error()
    text = str(last)
    assert len(set(re.findall(LSN, text))) >= 2, f"the LSN window is named: {text}"
    assert last.get("remedy"), text
    # It does not start again either, as if nothing had been.
    stream.walpost.start()
    assert stream.walpost.wait_exit() == 3, stream.walpost.log_tail()
