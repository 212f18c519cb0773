# SPDX-License-Identifier: Apache-2.0
"""The parts of the torture run that need no servers: a schedule must repeat, a judge must be able to
fail, evidence must be read as it is written."""

import itertools
import json
import socket
import struct
from collections import Counter

import pytest

from support.link import Link
from support.writer import Truth
from torture.board import FIRST_SEAT, SEAT, Board
from torture.schedule import KINDS, draw, kinds
from torture.second_judge import Second
from torture.servers import java_hash


def faults(seed, brokers, lanes, count):
    return list(itertools.islice(draw(seed, brokers, lanes), count))


def test_a_seed_repeats_its_faults():
    assert faults(1, 3, 3, 300) == faults(1, 3, 3, 300)
    assert faults(1, 3, 3, 300) != faults(2, 3, 3, 300)


@pytest.mark.parametrize("brokers", [1, 3])
def test_thirty_of_each_kind_in_a_thousand(brokers):
    """Those that need three brokers happen in half of a run only, and then as often."""
    count = Counter(fault.kind for fault in faults(5, brokers, 1, 1000))
    assert set(count) == set(kinds(brokers))
    assert min(count.values()) >= 30, count
    assert all(2 * shares >= 8 for shares, _ in KINDS.values())


def test_the_coordinator_is_found_as_java_does():
    assert java_hash("") == 0
    assert java_hash("hello") == 99162322
    assert java_hash("walpost.orders.leader") == java_hash("walpost.orders.leader")
    assert java_hash("polygenelubricants") == -(2**31)


def record(key, number, offset, value=None, partition=0):
    return {
        "topic": "t",
        "partition": partition,
        "offset": offset,
        "key": key,
        "value": value or "\x00" + json.dumps({"k": key, "n": number}),
    }


def judged(*records):
    truth = Truth()
    truth.note([("a", "k", 1), ("b", "k", 2), ("c", "l", 1)], ["d"])
    second = Second(truth)
    for offset, (key, number) in enumerate(records):
        second.take(record(key, number, offset))
    return second.close()


def test_the_second_judge_is_content():
    assert judged(("k", 1), ("l", 1), ("k", 2)).exactly_once


@pytest.mark.parametrize(
    "records, fault",
    [
        ([("k", 1), ("l", 1)], "lost"),
        ([("k", 1), ("k", 2), ("l", 1), ("k", 1)], "repeated"),
        ([("k", 2), ("k", 1), ("l", 1)], "out_of_order"),
        ([("k", 1), ("k", 2), ("k", 3), ("l", 1)], "phantom"),
    ],
)
def test_the_second_judge_complains(records, fault):
    second = judged(*records)
    assert not second.exactly_once and getattr(second, fault) == 1, second


@pytest.mark.parametrize("grown, partition, wrong", [([], 1, 1), (["t"], 1, 0), (["t"], 0, 1)])
def test_the_second_judge_where_partitions_were_added(grown, partition, wrong):
    """What it reads of one partition first was perhaps written last."""
    truth = Truth()
    truth.note([("a", "k", 1), ("b", "k", 2)], [])
    second = Second(truth, grown)
    second.take(record("k", 2, 0, partition=partition))
    second.take(record("k", 1, 1))
    assert second.close().out_of_order == wrong


def test_a_slow_link_holds_back_and_lets_go():
    with socket.create_server(("127.0.0.1", 0)) as server:
        link = Link(*server.getsockname())
        with socket.create_connection((link.address, link.port)) as client:
            far = server.accept()[0]
            with far:
                client.sendall(b"at once")
                assert far.recv(100) == b"at once"
                link.slow_down(1)  # a byte a second, in pieces of some hundred
                client.sendall(b"x" * 100000)
                far.settimeout(0.3)
                with pytest.raises(TimeoutError):
                    far.recv(1)
                far.settimeout(30)
                link.full_speed()
                assert far.recv(100000, socket.MSG_WAITALL) == b"x" * 100000
        link.close()


def test_a_board_tells_what_is_in_flight(tmp_path):
    board = Board(str(tmp_path / "board"))

    def pass_point(seat, thread, point):
        struct.pack_into(
            "<16s24sI", board.memory, FIRST_SEAT + seat * SEAT, thread.encode(), point.encode(), 1
        )

    assert not board.in_flight() and not board.in_commit()
    pass_point(0, "control", "before_generation")
    pass_point(1, "lane 0", "after_commit")
    pass_point(2, "lane 1", "batch_begun")
    assert board.in_flight() and not board.in_commit()
    pass_point(2, "lane 1", "before_commit")
    assert board.in_commit()
    pass_point(2, "lane 1", "batch_undone")
    assert not board.in_flight()
