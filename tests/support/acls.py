# SPDX-License-Identifier: Apache-2.0
"""Rights in Kafka, by its wire protocol: CreateAcls and DeleteAcls, version 1. The client that the
other tests use does not know them."""

import socket
import struct

CREATE, DELETE = 30, 31
TOPIC, TRANSACTIONAL_ID = 2, 5
PREFIXED = 4
READ, WRITE, DESCRIBE = 3, 4, 8
ALLOW = 3
EVERYBODY = "User:ANONYMOUS"


def _text(value):
    data = value.encode()
    return struct.pack(">h", len(data)) + data


def _acl(resource, prefix, operation):
    return (
        struct.pack(">b", resource)
        + _text(prefix)
        + struct.pack(">b", PREFIXED)
        + _text(EVERYBODY)
        + _text("*")
        + struct.pack(">bb", operation, ALLOW)
    )


def _request(bootstrap, api, body):
    host, _, port = bootstrap.partition(",")[0].rpartition(":")
    message = struct.pack(">hhi", api, 1, 1) + _text("tests") + body
    with socket.create_connection((host, int(port)), 30) as connection:
        connection.sendall(struct.pack(">i", len(message)) + message)
        file = connection.makefile("rb")
        (size,) = struct.unpack(">i", file.read(4))
        answer = file.read(size)
    correlation, _throttle, results = struct.unpack(">iii", answer[:12])
    assert correlation == 1
    assert results == 1
    (error,) = struct.unpack(">h", answer[12:14])
    assert error == 0, f"the request of rights failed with error {error}"


def allow(kafka, resource, prefix, *operations):
    """Who has rights on a resource then: those of the list, and nobody else."""
    for operation in operations:
        body = struct.pack(">i", 1) + _acl(resource, prefix, operation)
        _request(kafka.bootstrap, CREATE, body)


def forget(kafka, resource, prefix, *operations):
    """Takes the rights back; where none are left, everybody may everything again."""
    for operation in operations:
        body = struct.pack(">i", 1) + _acl(resource, prefix, operation)
        _request(kafka.bootstrap, DELETE, body)
