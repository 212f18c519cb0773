# SPDX-License-Identifier: Apache-2.0
"""I11: whoever slept while another one led publishes nothing, marks nothing and exits with 4, though
Kafka has forgotten its ids meanwhile and would give them to anybody. And the other way round: an id
that is lost without a rival is no reason to end.

Who slept with a batch in hand is not even told that it has lost PostgreSQL: nothing but Kafka's own
answers keeps it from publishing that batch.

The broker of these tests forgets an id that was unused for 4 seconds."""

import pytest

from support.link import Link
from support.process import wait_until
from support.servers import Kafka
from support.stream import ROLE, TABLE
from support.transactions import TransactionLog
from torture.board import Board


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


@pytest.fixture
def link(postgres, log_of_ids):
    """The way of the first instance to PostgreSQL."""
    stream, _ = log_of_ids
    made = Link(postgres.address, postgres.port)
    stream.walpost.write_config(
        postgres={"dsn": f"host={made.address} port={made.port} user={ROLE} dbname={stream.name}"}
    )
    yield made
    made.close()


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


def unread(link):
    """Bytes in the sockets of those who came by the link."""
    with open("/proc/net/tcp", encoding="ascii") as file:
        sockets = [line.split() for line in file]
    return sum(
        int(fields[4].partition(":")[2], 16)
        for fields in sockets
        if fields[2].endswith(f":{link.port:04X}")
    )


def freeze_between_batches(stream, board, link):
    """Not in the middle of anything, but with rows in its socket that it has not read."""
    stream.walpost.start(environment=board.environment)
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
        "the rows are sent",
    )
    looks = []

    def all_there():
        looks.append(unread(link))
        return looks[-1] > 30 * 50 and looks[-3:] == [looks[-1]] * 3

    wait_until(all_there, 30, "the rows are in its socket")
    return rows


def freeze_at(place):
    def freeze(stream, board, _link=None):
        stream.walpost.start(freeze=f"{place}:3", environment=board.environment)
        stream.wait_streaming()
        rows = []

        def frozen():
            rows.extend(stream.insert(5))
            return stream.walpost.frozen

        wait_until(frozen, 60, f"frozen at {place}\n{stream.walpost.log_tail()}", 0.2)
        return rows

    return freeze


@pytest.mark.parametrize(
    "freeze, in_hand",
    [
        pytest.param(freeze_between_batches, True, id="between_batches"),
        pytest.param(freeze_at("after_produce"), True, id="records_not_sent"),
        pytest.param(freeze_at("before_commit"), True, id="before_commit"),
        pytest.param(freeze_at("after_commit"), False, id="after_commit"),
    ],
)
def test_I11_whoever_slept_publishes_nothing_though_its_ids_expired(
    log_of_ids, link, tmp_path, freeze, in_hand
):
    """in_hand: it has a batch, or rows for one, when it wakes up."""
    stream, log = log_of_ids
    board = Board(str(tmp_path / "board"))
    rows = freeze(stream, board, link)
    link.go_silent()

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
    passed = board.lane_passes()
    stream.walpost.thaw()
    if in_hand:
        wait_until(
            lambda: board.lane_passes() > passed and not board.in_flight(),
            60,
            f"it ends its batch, or finds that it cannot\n{stream.walpost.log_tail()}",
            0.01,
        )
    assert log.all_forgotten(), f"an id was taken anew\n{stream.walpost.log_tail()}"
    link.pass_again()
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
    new_stream, postgres, forgetful_kafka, tmp_path
):
    stream = new_stream(postgres, forgetful_kafka, outbox={"snapshot": "none"})
    stream.walpost.write_config(
        kafka={**stream.walpost.config["kafka"], "transaction.timeout.ms": 3000}
    )
    stream.walpost.init()
    with TransactionLog(forgetful_kafka, f"walpost.{stream.name}.0.") as log:
        rows = freeze_at("before_commit")(stream, Board(str(tmp_path / "board")))
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
