# SPDX-License-Identifier: Apache-2.0
"""The anchor slot, which keeps WAL for replays, and bookmarks in it. The stream never depends on it."""

import json

import pytest

from support.process import wait_until
from support.servers import Postgres

MB = 2**20


def anchor(stream, column):
    return stream.postgres.value(
        f"select {column} from pg_replication_slots where slot_name = %s", (stream.slot + "_anchor",)
    )


def write_wal(stream, megabytes):
    """WAL that is not the stream's."""
    stream.execute(
        "select count(pg_logical_emit_message(false, 'other', repeat('x', 1000000))) "
        f"from generate_series(1, {megabytes})"
    )


def window(stream):
    return stream.walpost.status()["replay"]


def bookmarks(stream):
    listed = json.loads(stream.walpost.command("bookmark", "list", "--json").stdout)["bookmarks"]
    return {bookmark["name"]: (bookmark["lsn"], bookmark["window"]) for bookmark in listed}


@pytest.mark.quick
def test_off_until_asked_for(new_stream, postgres, kafka):
    stream = new_stream(postgres, kafka)
    with stream.running():
        stream.insert()
        stream.records(1)
        assert anchor(stream, "slot_name") is None
        assert window(stream) == {
            "kept": False, "slot": stream.slot + "_anchor", "exists": False, "lost": False,
            "from_lsn": None, "to_lsn": None, "retained_bytes": None, "lag_bytes": None,
            "since": None, "age_seconds": None, "unfinished": [],
        }
    # The key is added to a stream that is there already.
    stream.walpost.write_config(replay={"keep_bytes": "1GB"})
    assert "created  anchor slot" in stream.walpost.init().stdout
    assert anchor(stream, "plugin") == "pgoutput"
    before = anchor(stream, "confirmed_flush_lsn::text")
    assert window(stream)["from_lsn"] == before
    assert "exists   anchor slot" in stream.walpost.init().stdout
    # And taken away again: it is said what is left over, and what that costs.
    stream.walpost.write_config(replay={})
    check = json.loads(stream.walpost.check("--json").stdout)
    point = next(p for p in check["points"] if p["point"] == "replay window")
    assert point["state"] == "warning" and "pg_drop_replication_slot" in point["remedy"], point
    stream.walpost.command("drop", "--yes")
    assert anchor(stream, "slot_name") is None


def test_follows_by_bytes(new_stream, postgres, kafka):
    stream = new_stream(postgres, kafka, replay={"keep_bytes": "16MB"})
    with stream.running():
        for _ in range(3):
            write_wal(stream, 12)
            stream.insert()
            end = stream.wal_position()
            stream.wait_confirmed(end)
            wait_until(
                lambda: anchor(
                    stream, "pg_current_wal_lsn() - confirmed_flush_lsn <= 17 * 1024 * 1024"
                ),
                30,
                f"the anchor follows\n{stream.walpost.log_tail()}",
            )
        kept = anchor(stream, "(pg_current_wal_lsn() - confirmed_flush_lsn)::bigint")
        assert kept > 8 * MB, "it follows, but keeps what it was asked to keep"
        assert anchor(stream, f"confirmed_flush_lsn <= '{stream.confirmed()}'::pg_lsn")


def test_follows_by_age(new_stream, postgres, kafka):
    stream = new_stream(postgres, kafka, replay={"keep_for": "4s"})
    with stream.running():
        stream.insert(10)
        first = stream.wal_position()
        stream.wait_confirmed(first)
        assert anchor(stream, f"confirmed_flush_lsn < '{first}'::pg_lsn")
        wait_until(
            lambda: anchor(stream, f"confirmed_flush_lsn >= '{first}'::pg_lsn"),
            30,
            f"what is older than four seconds goes\n{stream.walpost.log_tail()}",
        )
        stream.insert(10)
        wait_until(lambda: 3 <= window(stream)["age_seconds"] <= 20, 30, "the window grows old", 0.3)
        # Times are remembered over a restart: they stand in Kafka.
        stream.insert(10)
        second = stream.wal_position()
        stream.wait_confirmed(second)
        wait_until(
            lambda: anchor(stream, f"confirmed_flush_lsn >= '{second}'::pg_lsn"), 30, "it goes too"
        )
        since = window(stream)["since"]
        stream.walpost.kill()
        stream.walpost.start()
        stream.wait_streaming()
        assert window(stream)["since"] >= since


def restart_with(stream, **sections):
    assert stream.walpost.stop() == 0
    stream.walpost.write_config(**sections)
    stream.walpost.start()
    stream.wait_streaming()


def test_gives_way_before_the_server_takes_it(new_stream, kafka):
    """max_slot_wal_keep_size is smaller than what was asked for; then the server takes the anchor
    away at one blow: the live stream goes on, and the anchor is made again."""
    settings = {
        "max_slot_wal_keep_size": "64MB", "wal_keep_size": "0", "min_wal_size": "32MB",
        "max_wal_size": "64MB",
    }
    with Postgres(settings) as server:
        stream = new_stream(server, kafka, replay={"keep_bytes": "1GB"})
        with stream.running():
            check = json.loads(stream.walpost.check("--json").stdout)
            point = next(p for p in check["points"] if p["point"] == "replay window")
            assert point["state"] == "warning" and "max_slot_wal_keep_size" in point["text"]
            for number in range(7):
                write_wal(stream, 12)
                stream.insert()
                end = stream.wal_position()
                stream.wait_confirmed(end)
                wait_until(
                    lambda: anchor(
                        stream,
                        "pg_current_wal_lsn() - confirmed_flush_lsn <= 33 * 1024 * 1024 "
                        f"and safe_wal_size >= {16 * MB}",
                    ),
                    30,
                    f"the anchor keeps to half of the limit\n{stream.walpost.log_tail()}",
                )
                stream.execute("checkpoint")
                assert anchor(stream, "wal_status") != "lost", number
            # Little is left when somebody moves it again: it gives up all that it holds, at once.
            restart_with(stream, replay={})
            while anchor(stream, "safe_wal_size") > 14 * MB:
                write_wal(stream, 4)
                stream.insert()
                stream.wait_confirmed(stream.wal_position())
                stream.execute("checkpoint")
            restart_with(stream, replay={"keep_bytes": "1GB"})
            wait_until(
                lambda: anchor(stream, f"safe_wal_size >= {48 * MB}"),
                30,
                f"the anchor gives way\n{stream.walpost.log_tail()}",
            )
            # While nobody moves the anchor, the server takes it.
            restart_with(stream, replay={})
            for _ in range(8):
                write_wal(stream, 16)
                stream.insert()
                stream.wait_confirmed(stream.wal_position())
                stream.execute("checkpoint")
            assert anchor(stream, "wal_status") == "lost"
            assert stream.walpost.stop() == 0
            stream.walpost.write_config(replay={"keep_bytes": "1GB"})
            assert window(stream)["lost"]
            stream.walpost.start()
            stream.wait_streaming()
            line = stream.walpost.wait_for("is lost")
            assert "live stream is not concerned" in line and "max_slot_wal_keep_size" in line
            wait_until(lambda: anchor(stream, "wal_status") == "reserved", 30, "it is made again")
            stream.insert()
            stream.wait_confirmed(stream.wal_position())
            assert stream.slot_state("wal_status") == "reserved"
            stream.execute(f"select pg_drop_replication_slot('{stream.slot}_anchor')")
            wait_until(lambda: anchor(stream, "slot_name"), 30, "made again after a drop by hand")
        stream.walpost.command("drop", "--yes")


@pytest.mark.quick
def test_bookmarks(new_stream, postgres, kafka):
    stream = new_stream(postgres, kafka, replay={"keep_bytes": "64MB"})
    walpost = stream.walpost
    with stream.running():
        first = anchor(stream, "confirmed_flush_lsn::text")
        stream.insert()
        stream.wait_confirmed(stream.wal_position())
        generation = walpost.status()["checkpoint"]["generation"]
        walpost.command("bookmark", "add", "now")
        walpost.command("bookmark", "add", "begin", "--lsn", first)
        assert "outside" in walpost.command("bookmark", "add", "early", "--lsn", "0/1").stdout
        stream.insert()
        stream.wait_confirmed(stream.wal_position())
        found = bookmarks(stream)
        assert found["begin"] == (first, "inside")
        assert found["early"] == ("0/1", "outside")
        assert found["now"][1] == "inside"
        walpost.command("bookmark", "add", "now")  # it moves
        assert bookmarks(stream)["now"] != found["now"]
        walpost.command("bookmark", "rm", "now")
        assert set(bookmarks(stream)) == {"begin", "early"}
        assert "nearest is begin" in walpost.command("bookmark", "rm", "begn", status=2).stderr
        for words in (["add", "0/16"], ["add", "2026-01-01"], ["add"], ["list", "x"], ["move", "x"]):
            walpost.command("bookmark", *words, status=2)
        walpost.command("bookmark", "add", "late", "--lsn", "FFFF/0", status=2)
        # Nobody was fenced by it.
        assert walpost.running
        assert walpost.status()["checkpoint"]["generation"] == generation
        stream.insert()
        stream.records(3)
