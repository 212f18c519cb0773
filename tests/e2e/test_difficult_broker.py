# SPDX-License-Identifier: Apache-2.0
"""A broker that refuses: rights that are missing, a topic that is missing, a disk that is full.
walpost waits visibly, and nothing is lost or repeated."""

import os
import subprocess

import pytest

from support import acls
from support.process import new_folder, wait_until
from support.servers import Kafka

MB = 2**20
DISK = 24 * MB
PROPERTIES = {
    # Nobody needs a right where none is set; the first right set on a resource counts for all.
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "true",
}


@pytest.fixture(scope="module")
def kafka():
    with Kafka(properties=PROPERTIES) as cluster:
        yield cluster


RIGHTS = {
    "topic": (acls.TOPIC, lambda stream: stream.prefix, (acls.READ, acls.DESCRIBE), "no right"),
    "transactional id": (
        acls.TRANSACTIONAL_ID,
        lambda stream: f"walpost.{stream.name}.",
        (acls.DESCRIBE,),
        "may not use",
    ),
    "checkpoint": (
        acls.TOPIC,
        lambda stream: f"walpost.checkpoint.{stream.name}",
        (acls.READ, acls.DESCRIBE),
        "no right",
    ),
}


@pytest.mark.parametrize("case", RIGHTS)
def test_I3_a_right_that_is_missing_is_waited_for(new_stream, postgres, kafka, case):
    """Taken away while it runs, and given again. The log says which."""
    resource, prefix, left, words = RIGHTS[case]
    stream = new_stream(postgres, kafka)
    with stream.running():
        rows = stream.insert(3)
        stream.records(3)
        stream.wait_statuses({"COMMITTED": 3})
        acls.allow(kafka, resource, prefix(stream), *left)

        def refused():  # the brokers learn of it in their own time
            rows.extend(stream.insert(1))
            return [line for line in stream.walpost.log_text().splitlines() if words in line]

        line = wait_until(refused, 60, words, interval=0.5)[0]
        assert '"level":"warn"' in line and '"remedy":"Grant' in line, line
        assert stream.statuses()["PENDING"] >= 1
        assert stream.walpost.running
        acls.forget(kafka, resource, prefix(stream), *left)
        stream.wait_statuses({"COMMITTED": len(rows)}, 60)
        records = stream.records(len(rows), timeout=60)
    assert [record.headers["event_id"] for record in records] == rows


def test_I3_a_topic_that_is_missing_is_waited_for(new_stream, postgres, kafka):
    stream = new_stream(postgres, kafka, route={"on_missing_topic": "wait"})
    with stream.running():
        rows = stream.insert(3)
        line = stream.walpost.wait_for("a lane waits for something outside", 60)
        assert "does not exist" in line and "Create the topic" in line, line
        assert stream.statuses() == {"PENDING": 3}
        kafka.create_topic(stream.prefix + "Order", 3)
        records = stream.records(3, timeout=60)
        stream.wait_statuses({"COMMITTED": 3})
    assert [record.headers["event_id"] for record in records] == rows


# --- a disk that is full ---


@pytest.fixture
def disk():
    folder = new_folder("disk")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", folder]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small file system cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_I3_the_disk_of_the_broker_is_full(new_stream, postgres, disk):
    """The broker gives up; with a larger disk it comes back, and so does walpost."""
    properties = {
        "log.dirs": os.path.join(disk, "data"),
        "log.segment.bytes": 4 * MB,
        "log.index.size.max.bytes": 4096,
    }
    with Kafka(properties=properties) as kafka:
        stream = new_stream(postgres, kafka)
        writer = stream.writer(connections=4, keys=15, pause=0.01, padding=8000)
        with stream.running():
            with writer.running():
                full = kafka.processes[1]
                wait_until(lambda: full.poll() is not None, 120, "the broker gives up")
                assert stream.walpost.running, stream.walpost.log_tail()
            larger = ["mount", "-o", f"remount,size={20 * DISK}", disk]
            subprocess.run(larger, check=True)
            kafka.start_node(1)
            stream.assert_exactly_once(writer.truth, timeout=120)
        stream.assert_all_marked()
