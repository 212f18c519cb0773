# SPDX-License-Identifier: Apache-2.0
"""docs/contracts.md, as somebody does it who reads it for the first time."""

import json
import os

import yaml

from support.document import blocks, on_a_terminal, shows
from support.walpost import program


class Reader:
    """Has the stream of the README, with a registry, and servers that are elsewhere."""

    def __init__(self, stream, registry):
        self.stream = stream
        self.registry = registry
        self.shell = (
            f'walpost() {{ {program()} "$@"; }}\n'
            f'kcat() {{ command kcat "${{@/localhost:9092/{stream.kafka.bootstrap}}}"; }}\n'
        )
        self.seen = ""

    def here(self, text):
        return text.replace("outbox.event.", self.stream.prefix)

    def does(self, kind, text):
        stream = self.stream
        if kind == "yaml":
            contracts = yaml.safe_load(text)["contracts"]
            contracts["dir"] = os.path.join(stream.folder, contracts["dir"])
            contracts["registry"].update(url=self.registry.url, timeout="1min")
            stream.walpost.write_config(contracts=contracts, encode={"value": "json"})
            stream.walpost.init()
        elif kind == "sql":
            stream.postgres.psql(text, stream.name)
            stream.wait_statuses({"COMMITTED": 1, "DEAD": 2})
        elif text == "walpost run\n":
            stream.walpost.start()
            stream.wait_streaming()
        elif kind == "sh":
            self.seen = on_a_terminal(
                self.shell + self.here(text), stream.folder, {"no_proxy": "127.0.0.1"}
            )
        elif kind == "":
            shows(self.seen, self.here(text))


def test_the_tour_of_the_document(stream, registry):
    tour = [block for block in blocks("contracts.md") if block[0] in ("yaml", "sh", "sql", "")]
    assert [kind for kind, _ in tour].count("sh") >= 7
    reader = Reader(stream, registry)
    for kind, text in tour:
        reader.does(kind, text)
    records = {record.key.decode(): record for record in stream.records(3)}
    assert sorted(records) == ["order-1", "order-2", "order-3"]
    assert json.loads(records["order-2"].value)["totalCents"] == "125000"
    assert stream.statuses() == {"COMMITTED": 3}
