# SPDX-License-Identifier: Apache-2.0
"""I3, I4 on topics that did not exist a moment ago. Their leaders refuse what comes too early and take
what comes next, with whatever sequence number; idempotence alone loses the first record then
(KAFKA-15591)."""

from collections import defaultdict

import pytest

from support.stream import TABLE

TOPICS = 40
ROWS = 8  # in each


@pytest.mark.parametrize("delivery", ["exactly_once", "at_least_once"])
def test_the_first_records_of_new_topics_are_not_lost(new_stream, postgres, kafka, delivery):
    stream = new_stream(postgres, kafka, delivery=delivery)
    with stream.running():
        rows = stream.execute(
            f"insert into {TABLE} (aggregate_id, event_type, payload) "
            "select 'k', 'Kind' || n / %s || '.Changed', to_jsonb(n) from generate_series(0, %s) n "
            "returning event_type, id::text",
            (ROWS, TOPICS * ROWS - 1),
        )
        wanted = defaultdict(list)
        for event_type, identity in rows:
            wanted[stream.prefix + event_type.partition(".")[0]].append(identity)
        stream.wait_statuses({"COMMITTED": len(rows)}, timeout=90)
        with stream.reader() as reader:
            found = defaultdict(list)
            for record in reader.read_to_end():
                found[record.topic].append(record.headers["event_id"])
    if delivery == "at_least_once":  # a batch that was sent again comes after its first appearance
        found = {topic: list(dict.fromkeys(identities)) for topic, identities in found.items()}
    assert dict(found) == dict(wanted)
