#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The transcoder against Python's google.protobuf.json_format, on payloads that nobody thought of.

Three questions, each about random messages of tests/contracts:
  read     JSON that Python wrote: do both read the same message?
  write    Protobuf that Python wrote: does Python read walpost's JSON of it as the same message?
  broken   JSON with something changed in it: do both accept it, or both refuse it? Where they differ
           on purpose, DIFFERENCES below says why.
A case is made from its number alone: --only N runs it again."""
import argparse
import base64
import json
import math
import random
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

CONTRACTS = Path(__file__).resolve().parent.parent / "contracts"
PROTOBUF, JSON = 1, 2


class Testee:
    """Speaks the protocol of tests/conformance/testee.c."""

    def __init__(self, program, descriptors):
        self.process = subprocess.Popen([program, descriptors], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)

    def ask(self, message_type, payload, wanted, is_json, ignore=False):
        request = field(2 if is_json else 1, payload) + bytes([3 << 3, wanted])
        request += field(4, message_type.encode())
        if ignore:
            request += bytes([5 << 3, 3])
        self.process.stdin.write(struct.pack("<I", len(request)) + request)
        self.process.stdin.flush()
        size = self.process.stdout.read(4)
        if len(size) < 4:
            raise SystemExit(f"the testee died on {message_type} {payload!r}")
        answer = self.process.stdout.read(struct.unpack("<I", size)[0])
        number = answer[0] >> 3
        at = 1
        while answer[at] >= 0x80:
            at += 1
        return number in (3, 4), answer[at + 1:]


def field(number, data):
    out = bytearray([number << 3 | 2])
    left = len(data)
    while left >= 0x80:
        out.append(left & 0x7F | 0x80)
        left >>= 7
    out.append(left)
    return bytes(out) + data


# --- random messages ----------------------------------------------------------------------------

INTEGERS = {5: (-2**31, 2**31 - 1), 17: (-2**31, 2**31 - 1), 15: (-2**31, 2**31 - 1),
            13: (0, 2**32 - 1), 7: (0, 2**32 - 1), 3: (-2**63, 2**63 - 1),
            18: (-2**63, 2**63 - 1), 16: (-2**63, 2**63 - 1), 4: (0, 2**64 - 1), 6: (0, 2**64 - 1)}
LETTERS = ["a", "Z", "0", " ", "\"", "\\", "/", "\n", "\t", "\x00", "\x1f", "\x7f", "é", "ß", "€",
           "漢", "😀", "\u2028", "<", "=", "_", "-", ".", ","]


def random_text(rng):
    size = rng.choice([0, 1, 3, 8, 15, 16, 17, 31, 40, 127, 128, 129, 300])
    if rng.random() < 0.5:
        return "".join(rng.choice("abcdefgh ") for _ in range(size))
    return "".join(rng.choice(LETTERS) for _ in range(size))


def random_double(rng):
    kind = rng.randrange(6)
    if kind == 0:
        return rng.choice([0.0, -0.0, math.nan, math.inf, -math.inf, 5e-324, 1.7976931348623157e308,
                           2.2250738585072014e-308, 9007199254740993.0, 0.1])
    if kind == 1:
        return float(rng.randrange(-10**6, 10**6))
    if kind == 2:
        return round(rng.uniform(-1000, 1000), rng.randrange(6))
    if kind == 3:
        value = struct.unpack("<d", struct.pack("<Q", rng.getrandbits(64)))[0]
        return value if math.isfinite(value) else 1.5
    return rng.uniform(-1, 1)


def random_float(rng):
    value = random_double(rng)
    if math.isfinite(value) and abs(value) > 3.4e38:
        return 1.25
    return struct.unpack("<f", struct.pack("<f", value))[0]


def random_scalar(rng, descriptor):
    kind = descriptor.type
    if kind in INTEGERS:
        low, high = INTEGERS[kind]
        return rng.choice([low, high, 0, 1, min(high, 127), min(high, 128),
                           rng.randint(low, high), rng.randrange(1000)])
    if kind == 1:
        return random_double(rng)
    if kind == 2:
        return random_float(rng)
    if kind == 8:
        return rng.random() < 0.5
    if kind == 9:
        return random_text(rng)
    if kind == 12:
        return rng.getrandbits(8 * 300).to_bytes(300, "big")[:rng.choice([0, 1, 2, 3, 4, 20, 95, 96, 97, 130, 300])]
    return rng.choice(descriptor.enum_type.values).number


def random_value(rng, depth):
    kind = rng.randrange(4 if depth > 3 else 6)
    if kind < 4:
        return [None, rng.random() < 0.5, random_text(rng), rng.uniform(-1e6, 1e6)][kind]
    if kind == 4:
        return [random_value(rng, depth + 1) for _ in range(rng.randrange(4))]
    return {random_text(rng): random_value(rng, depth + 1) for _ in range(rng.randrange(4))}


def fill_known(rng, message, depth, classes):
    """True: it is one of google.protobuf's own."""
    name = message.DESCRIPTOR.full_name
    if not name.startswith("google.protobuf."):
        return False
    short = name[len("google.protobuf."):]
    if short == "Timestamp":
        message.seconds = rng.choice([0, -1, 1, -62135596800, 253402300799, rng.randrange(-10**10, 10**10)])
        message.nanos = rng.choice([0, 1, 10**6, 10**3, 999999999, rng.randrange(10**9)])
    elif short == "Duration":
        sign = rng.choice([1, -1])
        message.seconds = sign * rng.choice([0, 1, 315576000000 - 1, rng.randrange(10**9)])
        message.nanos = sign * rng.choice([0, 1, 10**6, 10**3, 999999999, rng.randrange(10**9)])
    elif short == "FieldMask":
        paths = [rng.choice(["a", "foo_bar", "a.b_c.d", "x1"]) for _ in range(rng.randrange(4))]
        message.paths.extend(paths)
    elif short in ("Struct", "Value", "ListValue"):
        value = random_value(rng, depth)
        if short == "Struct":
            value = {random_text(rng): random_value(rng, depth + 1) for _ in range(rng.randrange(4))}
        elif short == "ListValue":
            value = [random_value(rng, depth + 1) for _ in range(rng.randrange(4))]
        json_format.ParseDict(value, message)
    elif short == "Any":
        if rng.random() < 0.9:
            inner = classes[rng.choice(list(classes))]()
            fill(rng, inner, depth + 3, classes)
            message.Pack(inner)
    elif short != "Empty":
        message.value = random_scalar(rng, message.DESCRIPTOR.fields[0])
    return True


def fill_one(rng, message, descriptor, depth, classes):
    if descriptor.label == descriptor.LABEL_REPEATED:
        if descriptor.message_type is not None and descriptor.message_type.GetOptions().map_entry:
            fill_map(rng, message, descriptor, depth, classes)
            return
        target = message.Extensions[descriptor] if descriptor.is_extension else getattr(message, descriptor.name)
        for _ in range(rng.randrange(4)):
            if descriptor.message_type is not None:
                fill(rng, target.add(), depth + 1, classes)
            else:
                target.append(random_scalar(rng, descriptor))
        return
    if descriptor.message_type is not None:
        target = message.Extensions[descriptor] if descriptor.is_extension else getattr(message, descriptor.name)
        target.SetInParent()
        fill(rng, target, depth + 1, classes)
    elif descriptor.is_extension:
        message.Extensions[descriptor] = random_scalar(rng, descriptor)
    else:
        setattr(message, descriptor.name, random_scalar(rng, descriptor))


def fill_map(rng, message, descriptor, depth, classes):
    target = getattr(message, descriptor.name)
    key, value = descriptor.message_type.fields_by_number[1], descriptor.message_type.fields_by_number[2]
    for _ in range(rng.randrange(4)):
        at = random_scalar(rng, key)
        if value.message_type is not None:
            fill(rng, target[at], depth + 1, classes)
        else:
            target[at] = random_scalar(rng, value)


def fill(rng, message, depth, classes):
    if fill_known(rng, message, depth, classes):
        return
    fields = list(message.DESCRIPTOR.fields)
    if message.DESCRIPTOR.is_extendable and not message.DESCRIPTOR.GetOptions().message_set_wire_format:
        # json_format of protobuf 3.21 cannot read repeated extensions.
        fields += [extension for extension in message.DESCRIPTOR.file.pool.FindAllExtensions(message.DESCRIPTOR)
                   if extension.label != extension.LABEL_REPEATED]
    share = rng.choice([0.1, 0.3, 0.6]) / (1 + 2 * depth)
    for descriptor in fields:
        required = descriptor.label == descriptor.LABEL_REQUIRED
        if required or (depth < 6 and rng.random() < share):
            fill_one(rng, message, descriptor, depth, classes)
    # An empty Value has no JSON.
    for descriptor in message.DESCRIPTOR.fields:
        if descriptor.message_type is not None and descriptor.message_type.full_name == "google.protobuf.Value":
            if descriptor.label != descriptor.LABEL_REPEATED and message.HasField(descriptor.name):
                if getattr(message, descriptor.name).WhichOneof("kind") is None:
                    message.ClearField(descriptor.name)


# --- broken payloads ------------------------------------------------------------------------------

PIECES = ["null", "{\"unknown\": [{\"a\": 1}]}", "true", "false", "0", "-1", "1.5", "1e3", "\"\"", "\"1\"", "\"x\"", "[]", "{}", "[null]",
          "2147483648", "4294967296", "18446744073709551616", "\"9223372036854775808\"", "1.0", "1e400", "-0.0",
          "01", "\"01\"", "\"1e2\"", "\"NaN\"", "NaN", "\"Infinity\"", "\"2024-02-30T00:00:00Z\"",
          "\"2024-02-29T23:59:59.123456789+01:30\"", "\"1.5s\"", "\"-0.5s\"", "\"a,bC\"", "\"AQI=\"", "\"AQI\"",
          "\"-_-_\"", "\"COLOR_RED\"", "\"COLOR_PINK\"", "{\"@type\": \"t/tests.v1.Small\", \"number\": 1}",
          "{\"@type\": \"t/google.protobuf.Duration\", \"value\": \"3s\"}", "[[1], {\"a\": null}]",
          "{\"number\": 1, \"number\": 2}", "\"\\ud83d\\ude00\"", "\"\\ud83d\"", "\"\\u0000\"", "1E+2", "100e-2"]


def break_bytes(rng, text):
    at = rng.randrange(len(text) + 1)
    kind = rng.randrange(4)
    if kind == 0:
        return text[:at] + text[at + 1:]
    if kind == 1:
        return text[:at] + rng.choice(list("{}[]\",:\\0e.-n x\x01é")) + text[at:]
    if kind == 2:
        return text[:at]
    return text[:at] + rng.choice(PIECES) + text[at:]


def break_value(rng, text):
    """Replaces a value behind a colon or in a list by another one."""
    spots = [m for m in re.finditer(r'(?<=[:\[,] )("(?:[^"\\]|\\.)*"|-?[0-9.eE+-]+|true|false|null|\{\}|\[\])', text)
             if not text[m.end():].lstrip().startswith(":")]
    if not spots:
        return break_bytes(rng, text)
    spot = rng.choice(spots)
    return text[:spot.start()] + rng.choice(PIECES) + text[spot.end():]


# What Python does and walpost does not, or the other way round. (accepts, pattern of the other's
# complaint, reason)
WALPOST, PYTHON = "walpost", "python"
# Only where unknown fields are ignored.
IGNORING = [
    (PYTHON, r"expected an object .*, found (the string|an array)", "Python goes through the letters of a string, as names of fields"),
    (WALPOST, r"Invalid enum value", "protobuf 3.21 does not pass over names of enum values"),
    (WALPOST, r"duplicate key", "walpost does not look into what it passes over"),
]
DIFFERENCES = [
    (PYTHON, r"a string of Base64, found", "Python passes over letters that are not Base64"),
    (PYTHON, r"expected (a value|a value, .*|JSON|an? .*|true or false), found (a character .*|NaN|-?Infinity.*|the number -Infinity)",
     "Python's json reads NaN and Infinity without quotes"),
    (PYTHON, r"one half of a surrogate pair", "Python keeps halves of surrogate pairs as long as nobody encodes them"),
    (PYTHON, r"expected a double, found the number 1e400", "Python's json reads it as infinity"),
    (PYTHON, r"expected an? u?int(32|64), found the string \"(0[0-9]+|[+_].*)\"|expected a (double|float), found the string \"0[0-9]+\"",
     "Python's int() and float() take zeros in front"),
    (PYTHON, r"expected (a double|a float|the name of an enum value), found (true|false)", "Python's True is 1"),
    (PYTHON, r"the number of an enum value, (without a fraction, )?found|([cC]olors?|null_?[vV]alue|[sS]izes?|choice_?[nN]ull|[mM]ap\[.*\]|s\[\d+\]): expected an int32, found the number",
     "Python's int() cuts fractions off, and an enum's number to 32 bits"),
    (PYTHON, r"expected a value of [\w.]+, found the string \"0[0-9]+\"", "Python's int() takes zeros in front"),
    (PYTHON, r"expected an object .*, found (the string \"\"|an array)", "Python takes what is empty for an empty object"),
    (PYTHON, r"names of fields in lowerCamelCase", "Python looks for underscores only"),
    (PYTHON, r"expected a timestamp, .* found the string \"\d+-\d+-\d+T\d+:\d+:\d+(\.\d+)?(Z|[-+])", "Python's strptime does not count digits"),
    (PYTHON, r"the field is required", "json_format does not ask whether a message is complete"),
    (WALPOST, r"has no \"extra_number\" field", "protobuf 3.21 cannot read null for an extension"),
    (PYTHON, r"without a fraction, found the number [-0-9.]+[eE]-[0-9]{3}", "Python reads it as zero"),
    (WALPOST, r"invalid literal for int|Invalid enum value 1e2|Couldn't parse integer", "Python's int() does not take \"1e2\" and \"1.0\", which the mapping allows"),
]


def normalize(message, classes):
    """The bytes in an Any are a message too, and its fields may stand in any order."""
    if message.DESCRIPTOR.full_name == "google.protobuf.Any":
        name = message.type_url.rpartition("/")[2]
        if name in classes:
            inner = classes[name].FromString(message.value)
            normalize(inner, classes)
            message.value = inner.SerializePartialToString(deterministic=True)
        return
    for descriptor, value in message.ListFields():
        if descriptor.message_type is None:
            continue
        if descriptor.label != descriptor.LABEL_REPEATED:
            normalize(value, classes)
        elif not descriptor.message_type.GetOptions().map_entry:
            for element in value:
                normalize(element, classes)
        elif descriptor.message_type.fields_by_number[2].message_type is not None:
            for key in value:
                normalize(value[key], classes)


def is_known(who_accepts, complaint, ignore):
    known = DIFFERENCES + (IGNORING if ignore else [])
    return any(who == who_accepts and re.search(pattern, complaint) for who, pattern, _ in known)


# --- the comparison -------------------------------------------------------------------------------

class Comparison:
    def __init__(self, testee, classes, pool):
        self.testee, self.classes, self.pool = testee, classes, pool
        self.accepted = self.refused = self.known = 0

    def python_reads(self, name, text, ignore=False):
        message = self.classes[name]()
        try:
            json_format.Parse(text, message, ignore_unknown_fields=ignore, descriptor_pool=self.pool)
            return self.canonical(message), ""
        except Exception as error:  # pylint: disable=broad-except # it raises whatever its parts raise
            return None, f"{type(error).__name__}: {error}"

    def canonical(self, message):
        normalize(message, self.classes)
        return message.SerializePartialToString(deterministic=True)

    def read(self, name, text, ignore=False):
        """None: they agree; else how they do not."""
        try:
            payload = text.encode()
        except UnicodeEncodeError:
            return None
        if ignore and '"01"' in text:
            return None  # for Python's int() that is the number of an enum value, for walpost a name to pass over
        expected, complaint = self.python_reads(name, text, ignore)
        good, answer = self.testee.ask(name, payload, PROTOBUF, True, ignore)
        if good and expected is not None:
            self.accepted += 1
            return None if self.canonical(self.classes[name].FromString(answer)) == expected else "both accept, and read different messages"
        if not good and expected is None:
            self.refused += 1
            return None
        if good:
            who, words = WALPOST, complaint
        else:
            who, words = PYTHON, answer.decode()
        if is_known(who, words, ignore):
            self.known += 1
            return None
        return f"only {who} accepts it; the other says: {words}"

    def write(self, name, message):
        wire = message.SerializePartialToString()
        good, answer = self.testee.ask(name, wire, JSON, False)
        if not good:
            return f"walpost cannot write it: {answer.decode()}"
        read, complaint = self.python_reads(name, answer.decode())
        if read is None:
            return f"Python refuses {answer.decode()!r}: {complaint}"
        self.accepted += 1
        expected = self.canonical(message)
        return None if read == expected else f"Python reads another message from {answer.decode()!r}"


def shuffled(rng, data):
    """Members in an order that the case alone decides: maps come out in another one each time."""
    if isinstance(data, list):
        return [shuffled(rng, element) for element in data]
    if not isinstance(data, dict):
        return data
    names = sorted(data)
    if rng.random() < 0.5:
        rng.shuffle(names)
    return {name: shuffled(rng, data[name]) for name in names}


def run_case(comparison, number):
    rng = random.Random(number)
    name = rng.choice(["tests.v1.Everything", "tests.v1.Everything", "tests.v1.Classic", "tests.v1.Wide"])
    message = comparison.classes[name]()
    fill(rng, message, 0, comparison.classes)
    found = comparison.write(name, message)
    if found is not None:
        return name, base64.b64encode(message.SerializePartialToString()).decode(), found
    data = json_format.MessageToDict(message, preserving_proto_field_name=rng.random() < 0.3,
                                     including_default_value_fields=rng.random() < 0.2,
                                     descriptor_pool=comparison.pool)
    text = json.dumps(shuffled(rng, data), indent=rng.choice([None, 0, 2]), ensure_ascii=rng.random() < 0.5)
    found = comparison.read(name, text)
    for _ in range(4):
        if found is not None:
            break
        text = rng.choice([break_bytes, break_value, break_value])(rng, text)
        found = comparison.read(name, text, ignore=rng.random() < 0.3)
    return (name, text, found) if found is not None else None


def load():
    descriptors = tempfile.NamedTemporaryFile(suffix=".binpb")
    subprocess.run(["protoc", "--include_imports", f"-I{CONTRACTS}", f"--descriptor_set_out={descriptors.name}",
                    "everything.proto", "classic.proto"], check=True)
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(Path(descriptors.name).read_bytes()).file:
        pool.Add(file)
    factory = message_factory.MessageFactory(pool)
    names = ["Everything", "Small", "Wide", "Classic"]
    classes = {f"tests.v1.{n}": factory.GetPrototype(pool.FindMessageTypeByName(f"tests.v1.{n}")) for n in names}
    for extension in pool.FindAllExtensions(pool.FindMessageTypeByName("tests.v1.Classic")):
        classes["tests.v1.Classic"].RegisterExtension(extension)
    return descriptors, pool, classes


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--testee", required=True)
    parser.add_argument("--cases", type=int, default=3000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--only", type=int)
    parser.add_argument("--keep-going", action="store_true", help="shows all differences")
    options = parser.parse_args()
    descriptors, pool, classes = load()
    comparison = Comparison(Testee(options.testee, descriptors.name), classes, pool)
    numbers = range(options.first, options.first + options.cases) if options.only is None else [options.only]
    failures = 0
    for number in numbers:
        found = run_case(comparison, number)
        if found is not None:
            failures += 1
            print(f"case {number}: {found[0]}: {found[2]}\n{found[1]}", file=sys.stderr)
            if not options.keep_going:
                break
    print(f"{len(numbers)} cases: {comparison.accepted} accepted by both, {comparison.refused} refused by both, "
          f"{comparison.known} where they differ on purpose, {failures} where they must not")
    # A comparison that never accepts or never refuses compares nothing.
    good = failures == 0 and (options.only is not None or (comparison.accepted > 0 and comparison.refused > 0))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
