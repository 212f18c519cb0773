# SPDX-License-Identifier: Apache-2.0
"""I11: whoever slept while another one led publishes nothing, marks nothing and exits with 4, though
Kafka has forgotten its ids meanwhile and would give them to anybody. And the other way round: an id
that is lost without a rival is no reason to end.

The broker of these tests forgets an id that was unused for 4 seconds."""

import pytest

from support.process import wait_until
from support.servers import Kafka
from support.stream import TABLE
from support.transactions import TransactionLog


@pytest.fixture(scope="module")
def forgetful_kafka():
    properties = {
        "transactional.id.expiration.ms": 4000,
        "transaction.remove.expired.transaction.cleanup.interval.ms": 500,
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": 500,
    }
    with Kafka(properties=properties) as cluster:
        yield cluster


@pytest.fixture
def log_of_ids(new_stream, postgres, forgetful_kafka):
    """A stream, and what the coordinator says of its ids."""
    stream = new_stream(postgres, forgetful_kafka, outbox={"snapshot": "none"})
    stream.walpost.init()
    with TransactionLog(forgetful_kafka, f"walpost.{stream.name}.") as log:
        yield stream, log


def generations(stream):
    with stream.reader(f"walpost.checkpoint.{stream.name}") as reader:
        return sum(record.key == b"generation" for record in reader.read_to_end())


def all_that_is_in_kafka(stream):
    """Every record of the stream's topics, uncommitted and aborted ones included, and where the
    partitions end: a marker of a Kafka transaction takes an offset too."""
    ends = {}
    for prefix in (stream.name, f"walpost.checkpoint.{stream.name}"):
        with stream.reader(prefix, isolation="read_uncommitted") as reader:
            reader.read_to_end()
            ends.update(reader.ends())
    return ends


def all_marks(stream):
    """Any UPDATE gives its row a new xmin, whether it changes a value or not."""
    return stream.execute(f"select id::text, status, xmin::text from {TABLE} order by 1")


def ids(records):
    return [record.headers["event_id"] for record in records]


def freeze_between_batches(stream):
    """Not in the middle of anything, but with rows in its socket that it has not read."""
    stream.walpost.start()
    stream.wait_streaming()
    rows = stream.insert(20)
    stream.records(20)
    stream.wait_statuses({"COMMITTED": 20})
    stream.walpost.freeze()
    stream.walpost.wait_frozen()
    rows += stream.insert(30)
    position = stream.wal_position()
    wait_until(
        lambda: stream.value(
            "select sent_lsn >= %s::pg_lsn from pg_stat_replication where pid = %s",
            (position, stream.slot_state("active_pid")),
        ),
        30,
        "the rows are in its socket",
    )
    return rows


def freeze_at(place):
    def freeze(stream):
        stream.walpost.start(freeze=f"{place}:3")
        stream.wait_streaming()
        rows = []

        def frozen():
            rows.extend(stream.insert(5))
            return stream.walpost.frozen

        wait_until(frozen, 60, f"frozen at {place}\n{stream.walpost.log_tail()}", 0.2)
        return rows

    return freeze


@pytest.mark.parametrize(
    "freeze",
    [
        pytest.param(freeze_between_batches, id="between_batches"),
        pytest.param(freeze_at("after_produce"), id="records_not_sent"),
        pytest.param(freeze_at("before_commit"), id="before_commit"),
        pytest.param(freeze_at("after_commit"), id="after_commit"),
    ],
)
def test_I11_whoever_slept_publishes_nothing_though_its_ids_expired(log_of_ids, freeze):
    stream, log = log_of_ids
    rows = freeze(stream)

    successor = stream.instance("successor")
    successor.start("--take-over")
    successor.wait_for('"streaming"')
    assert ids(stream.records(len(rows), 60)) == rows
    stream.wait_statuses({"COMMITTED": len(rows)})
    assert successor.stop() == 0, successor.log_tail()
    wait_until(log.all_forgotten, 60, "Kafka has forgotten every id of the stream")

    # Nobody leads, and there is work: the worst that can be offered to it.
    left = stream.insert(10)
    before = all_that_is_in_kafka(stream), all_marks(stream), stream.confirmed()
    stream.walpost.thaw()
    assert stream.walpost.wait_exit(60) == 4, stream.walpost.log_tail()
    assert "leads the stream now" in stream.walpost.last_error()["message"]
    assert (all_that_is_in_kafka(stream), all_marks(stream), stream.confirmed()) == before

    successor.start()
    assert ids(stream.records(len(rows + left), 60)) == rows + left
    stream.wait_statuses({"COMMITTED": len(rows + left)})
    assert successor.stop() == 0, successor.log_tail()


def test_I11_whoever_slept_in_its_start_harms_nobody(log_of_ids):
    """It has fenced the leader before it, then slept: it may not go on with that."""
    stream, log = log_of_ids
    successor = stream.instance("successor")
    stream.walpost.start(freeze="before_generation:1")
    stream.walpost.wait_frozen()
    successor.start("--take-over")
    successor.wait_for('"streaming"')
    rows = stream.insert(10)
    assert ids(stream.records(10)) == rows
    stream.wait_statuses({"COMMITTED": 10})
    wait_until(log.all_forgotten, 60, "Kafka has forgotten every id of the stream")

    before = all_that_is_in_kafka(stream)
    stream.walpost.thaw()
    stream.walpost.wait_for("standing by")  # it never led: it may wait for its turn
    assert all_that_is_in_kafka(stream) == before
    rows += stream.insert(10)
    assert ids(stream.records(20, 60)) == rows
    assert stream.walpost.running and successor.running
    assert stream.walpost.stop() == 0 and successor.stop() == 0


def test_an_id_that_expires_without_a_rival_does_not_end_the_process(log_of_ids):
    stream, log = log_of_ids
    stream.walpost.start()
    stream.wait_streaming()
    process = stream.walpost.process.pid
    rows = []
    for _ in range(2):
        rows += stream.insert(10)
        assert ids(stream.records(len(rows), 60)) == rows
        stream.wait_statuses({"COMMITTED": len(rows)})
        wait_until(log.all_forgotten, 60, "Kafka has forgotten every id of the stream")
    rows += stream.insert(10)
    assert ids(stream.records(len(rows), 60)) == rows, stream.walpost.log_tail()
    stream.wait_statuses({"COMMITTED": len(rows)})
    assert stream.walpost.running and stream.walpost.process.pid == process
    assert "is lost" in stream.walpost.log_text() and generations(stream) >= 4
    assert stream.walpost.stop() == 0, stream.walpost.log_tail()


def test_a_passed_transaction_timeout_does_not_end_the_process(
    new_stream, postgres, forgetful_kafka
):
    stream = new_stream(postgres, forgetful_kafka, outbox={"snapshot": "none"})
    stream.walpost.write_config(
        kafka={**stream.walpost.config["kafka"], "transaction.timeout.ms": 3000}
    )
    stream.walpost.init()
    with TransactionLog(forgetful_kafka, f"walpost.{stream.name}.0.") as log:
        rows = freeze_at("before_commit")(stream)
        process = stream.walpost.process.pid
        wait_until(
            lambda: "complete abort" in log.states().values(),
            60,
            "the coordinator has ended the Kafka transaction",
        )
    led = generations(stream)
    stream.walpost.thaw()
    assert ids(stream.records(len(rows), 60)) == rows, stream.walpost.log_tail()
    stream.wait_statuses({"COMMITTED": len(rows)})
    assert stream.walpost.running and stream.walpost.process.pid == process
    assert generations(stream) == led + 1, stream.walpost.log_tail()
    assert stream.walpost.stop() == 0, stream.walpost.log_tail()
