# SPDX-License-Identifier: Apache-2.0
"""The checker must be able to fail: each thing that may go wrong is planted, and has to be found."""

import pytest

from support.murmur2 import partition_of
from support.reader import Record, judge
from support.writer import Truth


@pytest.fixture
def truth():
    truth = Truth()
    truth.note([(f"a{n}", "a", n) for n in (1, 2, 3)] + [("b1", "b", 1)], ["gone"])
    return truth


@pytest.fixture
def records():
    return [record("a1", "a", 0), record("b1", "b", 1), record("a2", "a", 2), record("a3", "a", 3)]


def record(identity, key, offset, partition=0):
    return Record("t", partition, offset, key.encode(), b"", {"event_id": identity}, 0)


def test_all_is_well(truth, records):
    verdict = judge(truth, records)
    assert verdict.exactly_once
    assert (verdict.inserted, verdict.visible, verdict.complaints) == (4, 4, [])


def test_a_lost_event(truth, records):
    del records[2]
    verdict = judge(truth, records)
    assert not verdict.exactly_once and not verdict.at_least_once
    assert (verdict.lost, verdict.visible, verdict.out_of_order) == (1, 3, 0)
    assert "lost: a2" in str(verdict)


def test_a_repeated_event(truth, records):
    records.append(record("a1", "a", 4))
    verdict = judge(truth, records)
    assert not verdict.exactly_once and verdict.at_least_once
    assert (verdict.repeated, verdict.out_of_order, verdict.lost) == (1, 0, 0)


def test_two_events_of_a_key_that_changed_places(truth, records):
    records[2], records[3] = records[3], records[2]
    verdict = judge(truth, records)
    assert not verdict.exactly_once and not verdict.at_least_once
    assert (verdict.out_of_order, verdict.lost, verdict.repeated) == (1, 0, 0)


def test_an_event_that_was_rolled_back(truth, records):
    records.insert(1, record("gone", "a", 9))
    verdict = judge(truth, records)
    assert not verdict.exactly_once and not verdict.at_least_once
    assert verdict.phantom == 1
    assert "rolled back" in str(verdict)


def test_an_event_that_nobody_inserted(truth, records):
    records.append(record("who", "a", 9))
    assert judge(truth, records).phantom == 1


def test_a_key_in_two_partitions(truth, records):
    records[3] = record("a3", "a", 3, partition=1)
    verdict = judge(truth, records)
    assert verdict.scattered == 1 and not verdict.at_least_once


def test_a_topic_that_grew():
    truth = Truth()
    truth.note([(f"a{n}", "a", n) for n in range(1, 6)], [])
    was, more = partition_of(b"a", 3), partition_of(b"a", 5)
    good = [
        record("a1", "a", 0, was),
        record("a2", "a", 1, was),
        record("a4", "a", 2, was),  # by a client that did not know yet
        record("a3", "a", 0, more),
        record("a5", "a", 1, more),
    ]
    assert was != more
    verdict = judge(truth, good, {"t": [3, 5]})
    assert verdict.exactly_once and verdict.moved == 1

    assert judge(truth, good).scattered == 2, "a topic that did not grow"
    assert judge(truth, good, {"u": [3, 5]}).scattered == 2, "another one grew"
    assert judge(truth, good, {"t": [3, 4]}).scattered == 2, "no size by which it would be there"
    for bad in ([0, 2, 1, 3, 4], [0, 1, 2, 4, 3]):  # in each partition, in order
        verdict = judge(truth, [good[n] for n in bad], {"t": [3, 5]})
        assert verdict.out_of_order == 1 and not verdict.at_least_once


def test_the_wrong_partition_of_a_topic_that_grew():
    """Also when the key was never seen elsewhere."""
    truth = Truth()
    truth.note([("a1", "a", 1)], [])
    free = ({0, 1, 2, 3, 4} - {partition_of(b"a", 3), partition_of(b"a", 5)}).pop()
    assert judge(truth, [record("a1", "a", 0, free)], {"t": [3, 5]}).scattered == 1


def test_a_record_with_another_key(truth, records):
    records[1] = record("b1", "a", 1)
    verdict = judge(truth, records)
    assert verdict.wrong == 1 and not verdict.at_least_once


def test_nothing_at_all(truth):
    assert judge(truth, []).lost == 4
