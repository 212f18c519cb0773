# SPDX-License-Identifier: Apache-2.0
"""`walpost schema register`: what a real registry has afterwards, and what is said when one does not
behave."""

import json
import os
import re
import socket

import pytest

from support.compatibility import read_answers, read_cases, registry_says
from support.messages import assert_plain
from support.process import free_port, new_folder
from support.registry import Certificates, FakeRegistry, basic, wants_login
from support.walpost import Walpost

PASSWORD, TOKEN = "hunter2!secret", "t0ken.secret"

MONEY = """syntax = "proto3";
package shop.common;
message Money { int64 units = 1; }
"""

# Imports, in an order of their own: what is imported is registered first.
ORDER = """syntax = "proto3";
package shop.v1;
import "common/price.proto"; // with "Ünïcode" and \\ in it
import "google/protobuf/timestamp.proto";
message Item { string sku = 1; }
message Created { string id = 1; shop.common.Price price = 2; google.protobuf.Timestamp at = 3;
  repeated Item items = 4; %s}
"""
PRICE = """syntax = "proto3";
package shop.common;
import "common/money.proto";
message Price { Money net = 1; }
"""
PAID = 'syntax = "proto3";\npackage shop.v1;\nmessage Paid { %s id = 1; }\n'


@pytest.fixture(scope="module")
def certificates():
    return Certificates()


class Contracts(Walpost):
    """A configuration with a folder of contracts. Every test has a topic of its own."""

    def __init__(self, name, url, **options):
        folder = new_folder("contracts")
        self.topic = name + ".{domain}"
        super().__init__(
            folder,
            {
                "stream": "contracts",
                "postgres": {"dsn": "host=127.0.0.1 port=1"},
                "kafka": {"bootstrap.servers": "127.0.0.1:1"},
                "route": {"topic": self.topic},
                "contracts": {
                    "dir": os.path.join(folder, "schemas"),
                    "registry": {"url": url, "subject": "topic", **options},
                },
            },
        )

    def write(self, name, text):
        path = os.path.join(self.folder, "schemas", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def register(self, *arguments, status=0):
        done = self.command(
            "schema", "register", *arguments, status=status, environment={"no_proxy": "127.0.0.1"}
        )
        for text in (done.stdout, done.stderr):
            assert PASSWORD not in text and TOKEN not in text, text
        return done

    def refused(self, *arguments, status=1):
        """(what, remedy) of a command that did not do it."""
        done = self.register(*arguments, status=status)
        assert_plain(done.stderr)
        what, remedy = done.stderr.splitlines()
        return what.removeprefix("walpost: "), remedy.strip()


@pytest.fixture
def name(request):
    return re.sub(r"[^a-z0-9]+", "-", request.node.name)


@pytest.fixture
def shop(name, registry):
    contracts = Contracts(name, registry.url)
    contracts.write("common/money.proto", MONEY)
    contracts.write("common/price.proto", PRICE)
    contracts.write("Order.Created/v1.proto", ORDER % "")
    contracts.write("Order.Created/v2.proto", ORDER % "string note = 5; ")
    contracts.write("Payment.Paid/v1.proto", PAID % "string")
    return contracts


def refuses(_method, path, _headers, _body):
    if path.endswith("/versions"):
        return 422, json.dumps({"error_code": 42201, "message": "field 3 of Money"})
    return 404, json.dumps({"error_code": 40401, "message": "no"})


# --- a real registry ---


def test_what_is_missing_is_registered_with_what_it_imports(shop, registry, name):
    before = registry.subjects()
    done = shop.register("--dry-run", "--compatibility", "BACKWARD")
    assert "Order.Created v1" in done.stdout and "would be registered" in done.stdout
    assert registry.subjects() == before

    done = shop.register("--compatibility", "BACKWARD")
    order, payment = f"{name}.Order-value", f"{name}.Payment-value"
    assert registry.subjects() - before >= {order, payment}
    assert registry.versions(order) == [1, 2] and registry.versions(payment) == [1]
    for version, more in ((1, ""), (2, "string note = 5; ")):
        schema = registry.version(order, version)
        assert schema["schema"] == ORDER % more and schema["schemaType"] == "PROTOBUF"
        [reference] = schema["references"]
        assert (reference["name"], reference["subject"]) == ("common/price.proto",) * 2
        price = registry.version("common/price.proto", reference["version"])
        assert price["schema"] == PRICE
        assert price["references"][0]["subject"] == "common/money.proto"
        assert f"subject {order}, version {version}, id {schema['id']}" in done.stdout
        assert registry.get(f"/schemas/ids/{schema['id']}")["schema"] == ORDER % more
    assert registry.get(f"/config/{order}")["compatibilityLevel"] == "BACKWARD"

    again = shop.register()
    assert "0 registered, 5 already there" in again.stdout
    assert registry.versions(order) == [1, 2]
    level = shop.register("--compatibility", "FULL").stdout
    assert f"subject {order}: compatibility is now FULL, was BACKWARD" in level
    assert registry.get(f"/config/{order}")["compatibilityLevel"] == "FULL"


def test_an_incompatible_version_is_refused_in_the_registrys_words(shop, registry, name):
    shop.register("--compatibility", "BACKWARD")
    shop.write("Payment.Paid/v2.proto", PAID % "int32")
    rehearsal = shop.register("--dry-run", status=1)
    assert "Payment.Paid v2" in rehearsal.stdout and "would be refused" in rehearsal.stdout
    what, remedy = shop.refused()
    assert what.startswith(
        f'Payment.Paid v2: the schema registry refuses this schema for subject "{name}.Payment-value"'
        " as incompatible: "
    )
    assert "not backward compatible" in what
    assert remedy.startswith("Change the schema")
    assert registry.versions(f"{name}.Payment-value") == [1]


def test_a_version_that_was_changed_after_its_release_is_refused(shop, registry, name):
    shop.register()
    shop.write("Order.Created/v1.proto", ORDER % "string more = 6; ")
    rehearsal = shop.register("--dry-run", status=1)
    assert re.search(r"Order.Created v1 +would be refused: .*v2 is registered", rehearsal.stdout)
    assert "Order.Created v2" in rehearsal.stdout and "1 would be refused" in rehearsal.stdout
    what, remedy = shop.refused()
    assert what.startswith("Order.Created v1: v2 is registered, but v1 not as it stands in ")
    assert remedy.startswith("Bring Order.Created/v1.proto back")
    assert registry.versions(f"{name}.Order-value") == [1, 2]


def test_avro_and_json_schema(name, registry):
    contracts = Contracts(name, registry.url)
    record = '{"type": "record", "name": "Placed", "namespace": "shop", "fields": [%s]}'
    contracts.write("Order.Placed/v1.avsc", record % '{"name": "id", "type": "string"}')
    contracts.write("Payment.Paid/v1.json", '{"title": "Paid", "properties": {"id": {"type": "string"}}}')
    done = contracts.register("--set", "contracts.registry.subject=topic_record")
    assert done.stdout.count("registered: subject") == 2
    types = {registry.version(subject).get("schemaType", "AVRO")
             for subject in (f"{name}.Order-shop.Placed", f"{name}.Payment-Paid")}
    assert types == {"AVRO", "JSON"}
    again = contracts.register("--set", "contracts.registry.subject=topic_record")
    assert "0 registered, 2 already there" in again.stdout
    contracts.write("Order.Placed/v2.avsc", record % '{"name": "id", "type": "long"}')
    what, _ = contracts.refused(
        "--set", "contracts.registry.subject=topic_record", "--compatibility", "BACKWARD"
    )
    assert what.startswith("Order.Placed v2: the schema registry refuses this schema"), what


def test_other_subjects(shop, registry, name):
    shop.write("Order.Cancelled/v1.proto", 'syntax = "proto3"; package shop.v1; message Gone {}')
    what, remedy = shop.refused(status=2)
    assert what == (
        f"Order.Cancelled and Order.Created have the same subject, {name}.Order-value"
    )
    assert "topic_record" in remedy
    shop.register("--set", "contracts.registry.subject=topic_record")
    assert registry.versions(f"{name}.Order-shop.v1.Created") == [1, 2]
    assert registry.versions(f"{name}.Order-shop.v1.Gone") == [1]
    shop.register("--set", "contracts.registry.subject=record", "--set", "route.topic={aggregate_id}")
    assert registry.versions("shop.v1.Paid") == [1]
    what, remedy = shop.refused("--set", "route.topic={aggregate_id}", status=2)
    assert "route.topic has {aggregate_id}" in what and "record" in remedy


def test_a_schema_that_only_protoc_takes(shop):
    """An option of a later registry, for example: the words are the registry's."""
    with FakeRegistry(refuses) as fake:
        what, remedy = shop.refused("--set", f"contracts.registry.url={fake.url}")
    assert "does not accept this schema (422): field 3 of Money" in what and remedy


def test_the_login_and_address_are_checked(shop, registry):
    done = shop.check("--json", status=None, environment={"no_proxy": "127.0.0.1"})
    [point] = [p for p in json.loads(done.stdout)["points"] if p["point"] == "registry"]
    assert point["state"] == "ok" and registry.url in point["text"], point
    url = f"http://127.0.0.1:{registry.port}"
    done = shop.check("--json", "--set", f"contracts.registry.url={url}", status=None)
    [point] = [p for p in json.loads(done.stdout)["points"] if p["point"] == "registry"]
    assert point["state"] == "wrong" and "/apis/ccompat/v7" in point["remedy"], point


# --- contracts that cannot be registered: nothing is asked ---


@pytest.mark.quick
@pytest.mark.parametrize(
    "files, what",
    [
        ({}, "schemas cannot be read: No such file or directory"),
        ({"common/money.proto": MONEY}, "there is no contract in "),
        ({"A.B/v1.proto": "", "A.B/v3.proto": ""}, "A.B/v2.proto is missing, though there is a v3"),
        ({"A.B/v1.proto": 'syntax = "proto3"; import "x.proto"; message B {}'}, "x.proto"),
        ({"A.B/v1.proto": 'syntax = "proto3"; message B {\n'}, "A.B/v1.proto"),
    ],
)
def test_contracts_that_cannot_be(name, files, what):
    with FakeRegistry(lambda *_: (500, "")) as fake:
        contracts = Contracts("x", fake.url)
        for path, text in files.items():
            contracts.write(path, text)
        said, remedy = contracts.refused(status=2)
        assert what in said, said
        assert fake.requests == []


# --- registries that do not behave ---


def good(method, path, _headers, _body):
    """Knows every schema already."""
    return 200, json.dumps({"id": 7, "version": 1, "compatibilityLevel": "FULL"})


def contracts_for(url, **options):
    contracts = Contracts("x", url, **options)
    contracts.write("Payment.Paid/v1.proto", PAID % "string")
    return contracts


BAD = {
    "page": (lambda *_: (200, "<html>welcome</html>"), "what no schema registry says: <html>"),
    "half": (lambda *_: (200, '{"id":7}'), 'what no schema registry says: {"id":7}'),
    "failed": (lambda *_: (500, "<html>trace"), "failed (500)"),
    "busy": (lambda *_: (429, ""), "is overloaded (429)"),
    "forbidden": (lambda *_: (403, '{"message":"read only"}'), "allow this (403): read only"),
    "moved": (lambda *_: (301, "", {"Location": "http://evil.invalid"}), "another address (301)"),
    "elsewhere": (lambda *_: (404, "Not here"), "no schema registry under the path"),
    "large": (lambda *_: (200, b'{"x":"' + b"x" * (5 << 20)), "larger than any"),
}


@pytest.mark.quick
@pytest.mark.parametrize("case", BAD)
def test_answers_that_cannot_be(case):
    answer, what = BAD[case]
    with FakeRegistry(answer) as fake:
        said, remedy = contracts_for(fake.url).refused()
        assert what in said and said.startswith("Payment.Paid v1: ") and remedy, said
        assert not any(path.endswith("/versions") for _, path, _, _ in fake.requests)


@pytest.mark.quick
def test_one_that_hangs_and_one_that_is_not_there():
    with FakeRegistry(None) as fake:
        fake.answer = fake.hang
        said, remedy = contracts_for(fake.url, timeout="300ms").refused()
        assert f"{fake.url} did not answer within 0.3 s" in said and remedy
    with socket.socket() as silent:  # its queue takes the connection, nobody reads
        silent.bind(("127.0.0.1", 0))
        silent.listen(1)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        said, _ = contracts_for(url, timeout="300ms").refused()
        assert "did not answer within 0.3 s" in said
    said, _ = contracts_for(f"http://127.0.0.1:{free_port()}").refused()
    assert said.endswith("cannot be reached: Connection refused")


@pytest.mark.quick
def test_the_second_address_answers():
    with FakeRegistry(lambda *_: (503, "")) as down, FakeRegistry(good) as up:
        done = contracts_for(f"{down.url},{up.url}").register()
        assert "is there: subject x.Payment-value, version 1, id 7" in done.stdout
        assert len(down.requests) == 1


@pytest.mark.quick
@pytest.mark.parametrize(
    "auth, header",
    [
        ({"username": "me", "password": PASSWORD}, basic("me", PASSWORD)),
        ({"token": TOKEN}, "Bearer " + TOKEN),
    ],
)
def test_logging_in_without_showing_secrets(auth, header):
    with FakeRegistry(wants_login(good, header)) as fake:
        contracts_for(fake.url, auth=auth).register()
        said, remedy = contracts_for(fake.url).refused()
        assert "asks for a user or token (401)" in said and "auth.token" in remedy
        fake.answer = wants_login(good, "another")  # its error page shows what was sent
        said, remedy = contracts_for(fake.url, auth=auth).refused()
        assert "does not accept the user or token (401)" in said, said
        assert header.split()[1] not in said and "****" in said, said


@pytest.mark.quick
def test_tls_is_verified(certificates):
    with FakeRegistry(good, tls=certificates.server_context()) as fake:
        said, remedy = contracts_for(fake.url).refused()
        assert "is not trusted" in said and "contracts.registry.tls.ca" in remedy
        contracts_for(fake.url, tls={"ca": certificates.ca}).register()
        said, _ = contracts_for(fake.url, tls={"ca": "/nowhere/ca.pem"}).refused(status=2)
        assert said == (
            "contracts.registry.tls.ca: /nowhere/ca.pem cannot be read: No such file or directory"
        )
        said, _ = contracts_for(fake.url, tls={"ca": certificates.path("ca.key")}).refused()
        assert "holds no certificate that can be used" in said
    with FakeRegistry(good, tls=certificates.server_context("stranger")) as fake:
        said, _ = contracts_for(fake.url, tls={"ca": certificates.ca}).refused()
        assert said.endswith("is for another host")
    with FakeRegistry(good) as fake:
        said, remedy = contracts_for(fake.url.replace("http:", "https:")).refused()
        assert "no TLS connection with" in said and "http://" in remedy


@pytest.mark.quick
def test_a_client_certificate(certificates):
    with FakeRegistry(good, tls=certificates.server_context(wants_client=True)) as fake:
        tls = {
            "ca": certificates.ca,
            "certificate": certificates.path("client.pem"),
            "key": certificates.path("client.key"),
        }
        contracts_for(fake.url, tls=tls).register()
        said, _ = contracts_for(fake.url, tls={"ca": certificates.ca}).refused()
        assert "no TLS connection with" in said or "closed the connection" in said, said
        tls["key"] = certificates.path("server.key")
        said, _ = contracts_for(fake.url, tls=tls).refused()
        assert said.endswith("contracts.registry.tls.certificate and key cannot be used")


def test_the_registry_says_what_the_table_of_compatibility_has(registry):
    asked, answers = read_answers()
    assert asked["registry"] == f"Apicurio {registry.release}"
    cases = read_cases()
    assert len(cases) >= 90
    said = {case.key(): registry_says(registry, case, f"case{n}") for n, case in enumerate(cases)}
    assert said == {key: answer.registry for key, answer in answers.items()}
