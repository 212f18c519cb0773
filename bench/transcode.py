# SPDX-License-Identifier: Apache-2.0
"""JSON -> Protobuf and back, beside libprotobuf's C++, in one run, then the same payloads held to contracts in JSON
Schema and Avro: ./dev bench transcode

Payloads as PostgreSQL's jsonb and as a program without spaces would write them, small and large."""

import json
import os
import random
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
WANTED_RATE, WANTED_RATIO = 300, 3  # MB/s from JSON, and times libprotobuf

TITLES = ["Espresso machine, stainless steel", "Wool socks (pair)", "Teekanne aus Porzellan, weiß",
          "Mechanical keyboard with brown switches, in a case of aluminium and with a cable of two metres"]


def order(items):
    rng = random.Random(1)
    address = {"name": "Ada Lovelace", "street": "12 St James's Square", "city": "London",
               "postalCode": "SW1Y 4LB", "country": "GB"}
    return {
        "orderId": "0d3e9c5e-7a51-4b83-9a0c-0b8d3f1c5a77", "customerId": "cust-000184467",
        "placedAt": "2024-05-17T10:22:31.123456Z", "status": "STATUS_PAID",
        "items": [{"sku": f"SKU-{rng.randrange(10**6):06}", "title": rng.choice(TITLES),
                   "quantity": rng.randrange(1, 9),
                   "price": {"currency": "EUR", "units": str(rng.randrange(1, 2000)),
                             "nanos": rng.randrange(100) * 10**7},
                   "weightKg": round(rng.random() * 10, 3), "gift": rng.random() < 0.3,
                   "tags": rng.sample(["home", "kitchen", "sale", "new", "office", "winter"], 2)}
                  for _ in range(items)],
        "total": {"currency": "EUR", "units": "1299", "nanos": 990000000},
        "shipping": address, "billing": address,
        "attributes": {"channel": "web", "campaign": "spring-2024", "device": "mobile"},
        "discountCodes": [10, 25, 400], "signature": "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k=",
        "note": "Leave at the door, please.", "exchangeRate": 1.08342, "version": "17",
    }


def as_jsonb(value):
    """jsonb sorts names by length, then by bytes."""
    if isinstance(value, dict):
        return {name: as_jsonb(value[name]) for name in sorted(value, key=lambda n: (len(n.encode()), n.encode()))}
    return [as_jsonb(element) for element in value] if isinstance(value, list) else value


def write_payloads(folder):
    paths = []
    for size, items in (("small", 3), ("large", 300)):
        data = order(items)
        for form, text in (("jsonb", json.dumps(as_jsonb(data), ensure_ascii=False)),
                           ("compact", json.dumps(data, ensure_ascii=False, separators=(",", ":")))):
            paths.append(os.path.join(folder, f"{size}-{form}"))
            with open(paths[-1], "w", encoding="utf-8") as file:
                file.write(text)
    return paths


def compile_all(folder):
    program, descriptors = os.path.join(folder, "transcode"), os.path.join(folder, "order.binpb")
    subprocess.run(["protoc", "--include_imports", f"-I{HERE}/contracts", f"--descriptor_set_out={descriptors}",
                    "order.proto"], check=True)
    build = os.path.join(ROOT, "build")
    libraries = [os.path.join(build, path) for path in
                 ("src/contract/libcontract.a", "src/base/libbase.a", "proto/libdescriptor.a")]
    subprocess.run(["g++", "-O2", "-D_GNU_SOURCE", f"-I{ROOT}/src", os.path.join(HERE, "transcode.cc"), "-o", program,
                    *libraries, "-lprotobuf-c", "-lprotobuf", "-lpthread"], check=True)
    return program, descriptors


def compile_kinds(folder):
    program, build = os.path.join(folder, "kinds"), os.path.join(ROOT, "build", "src")
    libraries = [os.path.join(build, path) for path in
                 ("jsonschema/libjson_schema.a", "avro/libavro_contracts.a", "contract/libcontract.a", "base/libbase.a")]
    subprocess.run(["gcc", "-std=gnu17", "-O2", "-D_GNU_SOURCE", f"-I{ROOT}/src", os.path.join(HERE, "kinds.c"), "-o",
                    program, *libraries, "-lavro", "-lstdc++", "-lm", "-lpthread"], check=True)
    return program


def kinds(folder, seconds, say):
    """The other kinds of contracts."""
    contracts = [os.path.join(HERE, "contracts", name) for name in ("order.json", "order.avsc")]
    say("\nJSON Schema and Avro on one core, MB of JSON a second:")
    say(f"{'payload':16} {'JSON':>7} {'Avro':>7} {'JSON Schema':>12} {'to Avro':>8}")
    answer = subprocess.run([compile_kinds(folder), *contracts, str(seconds), *write_payloads(folder)],
                            capture_output=True, text=True, check=True).stdout
    for line in answer.splitlines():
        path, size, binary, checked, encoded = line.split()
        say(f"{os.path.basename(path):16} {size:>7} {binary:>7} {checked:>12} {encoded:>8}")


def transcode(folder, seconds, say):
    """True: fast enough, on every payload."""
    program, descriptors = compile_all(folder)
    version = subprocess.run(["pkg-config", "--modversion", "protobuf"], capture_output=True, text=True,
                             check=True).stdout.strip()
    say(f"\nTranscoding on one core, MB of JSON a second, beside libprotobuf {version} (C++):")
    say(f"{'payload':16} {'JSON':>7} {'wire':>7} {'from JSON':>10} {'theirs':>7} {'ratio':>6} {'to JSON':>8} {'theirs':>7}")
    answer = subprocess.run([program, descriptors, "bench.v1.OrderPlaced", str(seconds), *write_payloads(folder)],
                            capture_output=True, text=True, check=True).stdout
    good = True
    for line in answer.splitlines():
        path, size, wire, ours, theirs, ratio, written, their_written = line.split()
        enough = float(ours) >= WANTED_RATE and float(ratio) >= WANTED_RATIO
        good = good and enough
        say(f"{os.path.basename(path):16} {size:>7} {wire:>7} {ours:>10} {theirs:>7} {ratio:>6} {written:>8} "
            f"{their_written:>7}{'' if enough else '   too slow'}")
    kinds(folder, seconds, say)
    return good
