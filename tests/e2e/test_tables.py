# SPDX-License-Identifier: Apache-2.0
"""Tables that would lose or repeat every event are refused before the first one, by `init`, `check`
and `run` alike; and a publication that was missing for a while is not tried for ever."""

import pytest

BY_STATUS = """
create table outbox_events (id uuid default gen_random_uuid(), aggregate_id text, event_type text,
  payload jsonb, status text default 'PENDING', created_at timestamptz default now(),
  primary key (id, status)) partition by list (status)
"""
NUMBERED = """
create table outbox_events (id bigserial primary key, aggregate_id text, event_type text,
  payload jsonb, status text default 'PENDING', created_at timestamptz default now())
"""


@pytest.mark.parametrize(
    "table, cause",
    [(BY_STATUS, "every event would come twice"), (NUMBERED, "an event's id is a UUID")],
    ids=["partitioned by its status", "numbered"],
)
def test_I3_I10_a_table_that_cannot_be_streamed(stream, table, cause):
    stream.execute(table, user="walpost")
    refused = stream.walpost.init(status=1)
    assert cause in refused.stderr and "outbox." in refused.stderr, refused.stderr
    checked = stream.walpost.check(status=1)
    assert cause in checked.stdout, checked.stdout
    assert not stream.slot_state("slot_name")


def test_I9_a_publication_that_was_missing_for_a_while(stream):
    stream.walpost.init()
    stream.execute(f"drop publication {stream.publication}")
    stream.insert(1)
    stream.execute(
        f"create publication {stream.publication} for table outbox_events with (publish = 'insert')"
    )
    stream.walpost.start()
    assert stream.walpost.wait_exit(20) == 3, stream.walpost.log_tail()
    last = stream.walpost.last_error()
    assert stream.publication in last["message"] and "walpost drop" in last["remedy"], last
    assert stream.statuses() == {"PENDING": 1}


BY_TIME = """
create table outbox_events (id uuid default gen_random_uuid(), aggregate_id text, event_type text,
  payload jsonb, status text default 'PENDING', created_at timestamptz default now(),
  primary key (id, created_at)) partition by range (created_at);
create table outbox_all partition of outbox_events default
"""


def test_I9_a_publication_that_sends_rows_under_the_names_of_partitions(stream):
    stream.execute(BY_TIME, user="walpost")
    stream.execute(
        f"create publication {stream.publication} for table outbox_events with (publish = 'insert')",
        user="walpost",
    )
    wanted = f'ALTER PUBLICATION "{stream.publication}" SET (publish_via_partition_root = true);'
    refused = stream.walpost.init(status=3)
    assert wanted in refused.stderr, refused.stderr
    checked = stream.walpost.check(status=1)
    assert wanted in checked.stdout, checked.stdout
    assert not stream.slot_state("slot_name")
    stream.execute(wanted, user="walpost")
    stream.walpost.init()
    assert "covers the table" in stream.walpost.check().stdout
    inserted = stream.insert(2)
    assert stream.walpost.command("run", "--once").returncode == 0
    assert [record.headers["event_id"] for record in stream.records(2)] == inserted
    assert stream.statuses() == {"COMMITTED": 2}
