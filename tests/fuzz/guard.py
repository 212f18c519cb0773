#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The guard that `walpost schema sql` writes, in a real PostgreSQL, against the transcoder, on payloads
that nobody thought of: valid ones, and the same with something changed in them. Their verdicts must be
the same, always. Where jsonb itself changes a payload (keys that come twice, 1e2), the comparison is
made on what the column holds, which is what the stream reads.

A case is made from its number alone: --only N runs it again."""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
# pylint: disable=wrong-import-position
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

from fuzz.differential import CONTRACTS, PROTOBUF, Testee, break_bytes, break_value, fill, shuffled
from support.servers import Postgres

# Event type: its file, its message, more lines of it.
TYPES = {
    "Test.EverythingHappened": ("everything.proto", "tests.v1.Everything"),
    "Test.ClassicHappened": ("classic.proto", "tests.v1.Classic"),
    "Test.WideHappened": ("everything.proto", "tests.v1.Wide"),
    "Test.MarkedHappened": ("marked.proto", "tests.v1.Marked"),
    "Test.PlainHappened": (None, "tests.v2.Plain"),
}
# One without Any and circles, which the guard writes in another way.
PLAIN = """syntax = "proto3"; package tests.v2;
import "google/protobuf/timestamp.proto"; import "google/protobuf/duration.proto";
import "google/protobuf/struct.proto"; import "google/protobuf/wrappers.proto"; import "google/protobuf/field_mask.proto";
message Plain {
  string id = 1; // walpost.required
  int64 total_cents = 2; double rate = 3; float ratio = 4; bool paid = 5; bytes raw = 6; uint32 small_count = 7; uint64 big_count = 8;
  Kind kind = 9; repeated Kind kinds = 10; repeated Item items = 11; map<string, Item> named_items = 12;
  map<int32, Kind> numbered = 13; map<bool, double> flags = 14; map<string, string> labels = 15; map<int64, int32> counts = 16;
  repeated string tags = 17; repeated int32 numbers = 18; repeated double rates = 19; repeated uint64 bigs = 20; repeated bool bits = 21;
  google.protobuf.Timestamp placed_at = 22; google.protobuf.Duration took = 23; google.protobuf.Struct extra = 24;
  google.protobuf.Value anything = 25; google.protobuf.Int64Value maybe_long = 26; google.protobuf.FieldMask mask = 27;
  oneof way { string by_mail = 28; Item by_hand = 29; google.protobuf.NullValue not_at_all = 30; }
  repeated google.protobuf.Timestamp times = 31; repeated bytes raws = 32; google.protobuf.ListValue list = 33;
  map<string, google.protobuf.Value> values = 34; google.protobuf.DoubleValue maybe_double = 35;
  enum Kind { KIND_NONE = 0; KIND_BIG = 1; KIND_FAR = -7; }
  message Item { string sku = 1; int32 quantity_left = 2; Price price = 3; }
  message Price { int64 units = 1; int32 nanos = 2; optional string currency = 3; }
}
"""
# Put in by hand into every run: corners that chance is slow to find.
CORNERS = [
    '{"id": "1", "totalCents": "0e999999999999"}', '{"id": "1", "totalCents": "1e-1"}', '{"id": "1", "totalCents": "10e-1"}',
    '{"id": "1", "totalCents": "9223372036854775807.000"}', '{"id": "1", "totalCents": "9223372036854775808"}',
    '{"id": "1", "totalCents": "-9223372036854775808"}', '{"id": "1", "totalCents": -9223372036854775809}', '{"id": "1", "totalCents": ""}',
    '{"id": "1", "totalCents": "+1"}', '{"id": "1", "totalCents": "1 "}', '{"id": "1", "totalCents": "1e"}', '{"id": "1", "totalCents": [1]}',
    '{"id": "1", "totalCents": []}', '{"id": "1", "totalCents": {}}', '{"id": "1", "smallCount": -0}', '{"id": "1", "smallCount": "-0"}',
    '{"id": "1", "bigCount": 18446744073709551615}', '{"id": "1", "bigCount": 18446744073709551616}', '{"id": "1", "bigCount": 1e19}',
    '{"id": "1", "rate": 1.7976931348623158e308}', '{"id": "1", "rate": 1.7976931348623159e308}', '{"id": "1", "rate": 1e309}',
    '{"id": "1", "rate": "1.7976931348623158e308"}', '{"id": "1", "rate": "1.7976931348623159e308"}', '{"id": "1", "rate": "-1e400"}',
    '{"id": "1", "rate": "1e-400"}', '{"id": "1", "rate": "NaN"}', '{"id": "1", "rate": "nan"}', '{"id": "1", "rate": "-Infinity"}',
    '{"id": "1", "rate": "+Infinity"}', '{"id": "1", "rate": "inf"}', '{"id": "1", "rate": " 1"}', '{"id": "1", "rate": "0x1"}',
    '{"id": "1", "ratio": 340282346638528859811704183484516925440}', '{"id": "1", "ratio": 340282356779733642748073463979561713664}',
    '{"id": "1", "ratio": 340282356779733642748073463979561713663}', '{"id": "1", "ratio": 340282356779733661637539395458142568448}',
    '{"id": "1", "ratio": "3.4028235677973364e38"}', '{"id": "1", "ratio": "3.4028235677973367e38"}', '{"id": "1", "ratio": "3.5e38"}',
    '{"id": "1", "raw": "A"}', '{"id": "1", "raw": "AA"}', '{"id": "1", "raw": "AA="}', '{"id": "1", "raw": "AA=="}', '{"id": "1", "raw": "AAA="}',
    '{"id": "1", "raw": "AAA=="}', '{"id": "1", "raw": "===="}', '{"id": "1", "raw": "A-_/"}', '{"id": "1", "raw": "AAAA\\n"}', '{"id": "1", "raw": "=AAA"}',
    '{"id": "1", "kind": "KIND_BIG"}', '{"id": "1", "kind": "kind_big"}', '{"id": "1", "kind": 12345}', '{"id": "1", "kind": 2147483648}',
    '{"id": "1", "kind": "1"}', '{"id": "1", "kind": "1.5"}', '{"id": "1", "kind": "99999999999999999999999"}', '{"id": "1", "kind": true}',
    '{"id": "1", "kinds": ["KIND_BIG", null]}', '{"id": "1", "kinds": null}', '{"id": "1", "kinds": [["KIND_BIG"]]}',
    '{"id": "1", "numbered": {"1": "KIND_BIG", "1.0": "KIND_BIG"}}', '{"id": "1", "numbered": {"1": "KIND_BIG", "1e1": "KIND_BIG"}}',
    '{"id": "1", "numbered": {"01": "KIND_BIG"}}', '{"id": "1", "numbered": {"2147483648": "KIND_BIG"}}', '{"id": "1", "numbered": {"0": 0, "-0": 0}}',
    '{"id": "1", "flags": {"true": 1, "false": "2"}}', '{"id": "1", "flags": {"True": 1}}', '{"id": "1", "flags": {"1": 1}}', '{"id": "1", "labels": {"": ""}}',
    '{"id": "1", "labels": {"a": null}}', '{"id": "1", "labels": []}', '{"id": null}', '{"id": ""}', '{}', '[]', 'null', '"x"', '1', 'true',
    '{"id": "1", "total_cents": 1}', '{"id": "1", "total_cents": 1, "totalCents": 1}', '{"id": "1", "total_cents": null, "totalCents": 1}',
    '{"id": "1", "Total_cents": 1}', '{"id": "1", "totalcents": null}', '{"id": "1", "byMail": "", "byHand": null}', '{"id": "1", "byMail": "", "byHand": {}}',
    '{"id": "1", "byMail": "", "notAtAll": null}', '{"id": "1", "notAtAll": null}', '{"id": "1", "notAtAll": "NULL_VALUE", "byHand": null}', '{"id": "1", "notAtAll": 3}',
    '{"id": "1", "by_hand": {"price": {"units": "5", "nanos": 1e3}}}', '{"id": "1", "byHand": {"price": {"units": "5", "nanos": 1.5}}}',
    '{"id": "1", "items": [{"sku": "a"}, {"sku": 1}]}', '{"id": "1", "items": [null]}', '{"id": "1", "items": {}}', '{"id": "1", "namedItems": {"a": {"price": []}}}',
    '{"id": "1", "placedAt": "2024-02-29T23:59:59Z"}', '{"id": "1", "placedAt": "2023-02-29T23:59:59Z"}', '{"id": "1", "placedAt": "1900-02-29T00:00:00Z"}',
    '{"id": "1", "placedAt": "2000-02-29T00:00:00Z"}', '{"id": "1", "placedAt": "2024-01-31T24:00:00Z"}', '{"id": "1", "placedAt": "2024-01-31T23:59:60Z"}',
    '{"id": "1", "placedAt": "2024-01-31T23:59:59.1234567890Z"}', '{"id": "1", "placedAt": "2024-01-31T23:59:59.Z"}', '{"id": "1", "placedAt": "2024-01-31t23:59:59z"}',
    '{"id": "1", "placedAt": "2024-01-31T23:59:59"}', '{"id": "1", "placedAt": "2024-01-31T23:59:59+24:00"}', '{"id": "1", "placedAt": "2024-01-31T23:59:59-23:59"}',
    '{"id": "1", "placedAt": "0000-12-31T23:59:59Z"}', '{"id": "1", "placedAt": "0000-12-31T23:59:59-00:01"}', '{"id": "1", "placedAt": "0001-01-01T00:00:00+00:01"}',
    '{"id": "1", "placedAt": "0001-01-01T00:01:00+00:01"}', '{"id": "1", "placedAt": "0000-12-31T23:58:59-00:01"}', '{"id": "1", "placedAt": "9999-12-31T23:59:59.999999999Z"}',
    '{"id": "1", "placedAt": "9999-12-31T23:59:59-00:01"}', '{"id": "1", "placedAt": "9999-12-31T23:59:59+00:01"}', '{"id": "1", "placedAt": "0000-06-01T00:00:00Z"}',
    '{"id": "1", "placedAt": "2024-00-01T00:00:00Z"}', '{"id": "1", "placedAt": "2024-04-31T00:00:00Z"}', '{"id": "1", "placedAt": "2024-01-00T00:00:00Z"}',
    '{"id": "1", "placedAt": "٢٠٢٤-01-01T00:00:00Z"}', '{"id": "1", "placedAt": 0}', '{"id": "1", "placedAt": null}', '{"id": "1", "times": [null]}',
    '{"id": "1", "took": "315576000000s"}', '{"id": "1", "took": "315576000001s"}', '{"id": "1", "took": "-315576000000.999999999s"}', '{"id": "1", "took": "000000000000000001s"}',
    '{"id": "1", "took": "1"}', '{"id": "1", "took": "1.s"}', '{"id": "1", "took": ".5s"}', '{"id": "1", "took": "--1s"}', '{"id": "1", "took": "1.0000000001s"}', '{"id": "1", "took": "-s"}',
    '{"id": "1", "mask": ""}', '{"id": "1", "mask": "a,bC.d1"}', '{"id": "1", "mask": "a,"}', '{"id": "1", "mask": "a_b"}', '{"id": "1", "mask": ","}', '{"id": "1", "mask": null}',
    '{"id": "1", "extra": {"a": [1, {"b": null}]}}', '{"id": "1", "extra": []}', '{"id": "1", "extra": {"a": 1e400}}', '{"id": "1", "extra": {"a": {"b": [-1e309]}}}',
    '{"id": "1", "anything": null}', '{"id": "1", "anything": 1e308}', '{"id": "1", "anything": 1e309}', '{"id": "1", "list": [null, [], {}]}', '{"id": "1", "list": {}}',
    '{"id": "1", "maybeLong": "12"}', '{"id": "1", "maybeLong": {"value": 1}}', '{"id": "1", "maybeLong": 1.0}', '{"id": "1", "maybeDouble": "Infinity"}',
    '{"id": "1", "tags": ["a", 1]}', '{"id": "1", "tags": ["a", null]}', '{"id": "1", "numbers": [1, "2", 3.0, 1e2]}', '{"id": "1", "numbers": [1, "2.5"]}', '{"id": "1", "numbers": [2147483648]}',
    '{"id": "1", "rates": [1, "NaN", 1e308]}', '{"id": "1", "rates": [1e309]}', '{"id": "1", "bigs": [-1]}', '{"id": "1", "bigs": ["18446744073709551615", 0]}', '{"id": "1", "bits": [true, 0]}',
    '{"id": "1", "smallCount": 4294967295}', '{"id": "1", "smallCount": 4294967296}', '{"id": "1", "smallCount": "4294967296"}', '{"id": "1", "smallCount": -1}',
    '{"id": "1", "numbers": [2147483647, -2147483648]}', '{"id": "1", "numbers": [-2147483649]}', '{"id": "1", "counts": {"9223372036854775807": 2147483647}}',
    '{"id": "1", "counts": {"9223372036854775808": 1}}', '{"id": "1", "counts": {"1": 2147483648}}', '{"id": "1", "bigs": [18446744073709551616]}',
    '{"id": "1", "id": "2"}', '{"id": "1", "tags": 1e2}', '{"id": "1", "a\'b": 1}', '{"id": "1", "paid": "true"}', '{"id": "1", "paid": 1}',
]


def nested(levels, kind):
    """As deep as Protobuf reads, and a level deeper."""
    if kind == "message":
        return '{"nested": ' * levels + "{}" + "}" * levels
    if kind == "map":
        return '{"fixed64Map": {"1": ' * levels + "{}" + "}}" * levels
    if kind == "list":
        return '{"listValue": ' + "[" * levels + "]" * levels + "}"
    if kind == "any":
        return '{"any": {"@type": "a/tests.v1.Everything", "nested": ' * levels + "{}" + "}}" * levels
    if kind == "wrapped":
        return '{"nested": ' * levels + '{"timestamp": "2024-01-01T00:00:00Z", "int64Wrapper": 1, "stringMap": {"a": "b"}}' + "}" * levels
    return '{"struct": ' + '{"a": ' * levels + "1" + "}" * levels + "}"


def deep_cases():
    for kind in ("message", "map", "list", "any", "wrapped", "struct"):
        for levels in [*range(28, 37), *range(44, 54), *range(94, 104)]:
            yield "Test.EverythingHappened", nested(levels, kind)


def write_contracts(folder):
    for event, (file, message) in TYPES.items():
        text = PLAIN if file is None else (CONTRACTS / file).read_text(encoding="utf-8")
        path = Path(folder, event, "v1.proto")
        path.parent.mkdir()
        path.write_text(f"// walpost.event: {message.split('.')[-1]}\n" + text, encoding="utf-8")


class Contract:
    def __init__(self, folder, event, testee):
        self.message = TYPES[event][1]
        self.descriptors = Path(folder, event + ".binpb")
        subprocess.run(["protoc", "--include_imports", "--include_source_info", f"-I{folder}",
                        f"--descriptor_set_out={self.descriptors}", f"{event}/v1.proto"], check=True)
        self.pool = descriptor_pool.DescriptorPool()
        for file in descriptor_pb2.FileDescriptorSet.FromString(self.descriptors.read_bytes()).file:
            self.pool.Add(file)
        factory = message_factory.MessageFactory(self.pool)
        descriptor = self.pool.FindMessageTypeByName(self.message)
        names = [self.message] + (["tests.v1.Small"] if "Everything" in self.message else [])
        self.classes = {name: factory.GetPrototype(self.pool.FindMessageTypeByName(name)) for name in names}
        if descriptor.is_extendable:
            for extension in self.pool.FindAllExtensions(descriptor):
                self.classes[self.message].RegisterExtension(extension)
        self.testee = Testee(testee, str(self.descriptors))

    def payload(self, rng):
        message = self.classes[self.message]()
        fill(rng, message, 0, self.classes)
        data = json_format.MessageToDict(message, preserving_proto_field_name=rng.random() < 0.3,
                                         including_default_value_fields=rng.random() < 0.3,
                                         descriptor_pool=self.pool)
        return json.dumps(shuffled(rng, data), ensure_ascii=rng.random() < 0.5)

    def judge(self, payload, ignore):
        """None: accepted; else the complaint."""
        good, answer = self.testee.ask(self.message, payload.encode(), PROTOBUF, True, ignore)
        return None if good else answer.decode()


def make_case(contracts, number):
    rng = random.Random(number)
    event = rng.choice([*TYPES, "Test.PlainHappened", "Test.PlainHappened"])
    text = contracts[event].payload(rng)
    for _ in range(rng.choice([0, 0, 1, 1, 1, 2])):
        text = (break_bytes if rng.random() < 0.1 else break_value)(rng, text)
    return event, text.replace("\\u0000", "\\u0001")  # jsonb cannot hold it


# What is not JSON never becomes a row.
TRIAL = """
CREATE SCHEMA reject;
CREATE SCHEMA ignore;
CREATE TABLE reject.outbox_events (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), aggregate_id text NOT NULL, event_type text NOT NULL,
                            payload jsonb NOT NULL, status text DEFAULT 'PENDING', created_at timestamptz DEFAULT now());
CREATE TABLE ignore.outbox_events (LIKE reject.outbox_events);
CREATE TABLE cases (number int, event_type text, payload text);
CREATE FUNCTION as_jsonb(t text) RETURNS jsonb LANGUAGE plpgsql AS
$$ BEGIN RETURN t::jsonb; EXCEPTION WHEN others THEN RETURN NULL; END $$;
"""


def judge_all(server, guards, cases):
    """(number, what the column would hold, {policy: the guard's complaint or None}). A column of text holds the payload as it
    is, and has a policy of its own here."""
    connection = server.connect()
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute(TRIAL)
    for guard in guards * 2:  # it replaces itself
        cursor.execute(guard)
    rows = [(number, event, text) for number, (event, text) in cases.items() if "\x00" not in text]
    cursor.execute("INSERT INTO cases SELECT * FROM json_to_recordset(%s) AS r(number int, event_type text, payload text)",
                   (json.dumps([dict(zip(("number", "event_type", "payload"), row)) for row in rows]),))
    cursor.execute("""SELECT number, j::text, reject."walpost_guard judge outbox_events"(event_type, NULL, j),
                             ignore."walpost_guard judge outbox_events"(event_type, NULL, j)
                      FROM (SELECT number, event_type, as_jsonb(payload) AS j FROM cases OFFSET 0) c WHERE j IS NOT NULL""")
    judged = [(number, text, {"reject": strict, "ignore": lenient}) for number, text, strict, lenient in cursor.fetchall()]
    cursor.execute("""SELECT number, payload,
                             coalesce(reject.walpost_guard_text(payload),
                                      reject."walpost_guard judge outbox_events"(event_type, NULL, as_jsonb(payload))) FROM cases""")
    judged += [(number, text, {"text": complaint}) for number, text, complaint in cursor.fetchall()]
    return sorted(judged, key=lambda row: row[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--testee", required=True)
    parser.add_argument("--walpost", required=True)
    parser.add_argument("--cases", type=int, default=3000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--only", type=int)
    parser.add_argument("--keep-going", action="store_true", help="shows all differences")
    options = parser.parse_args()
    options.walpost = os.path.abspath(options.walpost)  # it is run elsewhere
    numbers = range(options.first, options.first + options.cases) if options.only is None else [options.only]
    with tempfile.TemporaryDirectory() as folder, Postgres() as server:
        write_contracts(folder)
        guards = [subprocess.run([options.walpost, "schema", "sql", "--folder", folder, "--table", f"{policy}.outbox_events",
                                  "--set", f"contracts.unknown_fields={policy}"], check=True, cwd=folder, capture_output=True,
                                 text=True, timeout=120).stdout for policy in ("reject", "ignore")]
        contracts = {event: Contract(folder, event, options.testee) for event in TYPES}
        cases = {number: make_case(contracts, number) for number in numbers}
        if options.only is None:
            by_hand = [("Test.PlainHappened", text) for text in CORNERS] + list(deep_cases())
            cases.update({-1 - i: case for i, case in enumerate(by_hand)})
        judged = judge_all(server, guards, cases)
        accepted = refused = different = 0
        verdicts = ((number, text, policy, guarded) for number, text, by_policy in judged for policy, guarded in by_policy.items())
        for number, text, policy, guarded in verdicts:
            event = cases[number][0]
            streamed = contracts[event].judge(text, policy == "ignore")
            if (guarded is None) == (streamed is None):
                accepted += guarded is None
                refused += guarded is not None
                continue
            different += 1
            print(f"case {number}: {event}, unknown fields: {policy}: the guard says {guarded or 'good'}, the stream "
                  f"{streamed or 'good'}\n{text}", file=sys.stderr)
            if not options.keep_going:
                break
    print(f"{len(judged)} rows: {accepted} accepted by both, {refused} refused by both, {different} where they differ")
    # A comparison that never accepts or never refuses compares nothing.
    good = different == 0 and (options.only is not None or (accepted > 100 and refused > 100))
    return 0 if good else 1


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
