# SPDX-License-Identifier: Apache-2.0
"""walpost schema: contracts in a folder, their history, and what is wrong with them. No server is needed."""

import json
import os
import subprocess

import pytest

from support.servers import REPOSITORY
from support.walpost import program

PLACED = 'syntax = "proto3"; package shop.v1;\nmessage OrderPlaced {{\n  string id = 1;\n  {} = 2;\n}}\n'


def write(folder, **files):
    """type__vN="..." becomes type/vN.proto, with dots for single underscores."""
    for name, text in files.items():
        event, version = name.split("__")
        path = folder / event.replace("_", ".") / f"{version}.proto"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def schema(folder, *arguments, environment=None):
    return subprocess.run([program(), "schema", *arguments, "--folder", str(folder)], text=True, capture_output=True,
                          timeout=60, stdin=subprocess.DEVNULL, env={**os.environ, **(environment or {})})


@pytest.mark.quick
def test_a_history_that_goes_together(tmp_path):
    write(tmp_path, Order_Placed__v1=PLACED.format("int64 total"),
          Order_Placed__v2=PLACED.format("int64 total").replace("}", "  string note = 3;\n}"))
    listed = schema(tmp_path, "list")
    assert listed.returncode == 0
    assert listed.stdout.splitlines()[1].split()[:3] == ["Order.Placed", "2", "Protobuf"]
    done = schema(tmp_path, "check", "--compatibility", "FULL_TRANSITIVE")
    assert (done.returncode, done.stdout) == (0, "1 event type, 2 versions, FULL_TRANSITIVE: 0 broken, 0 warnings\n"
                                              "Next: commit them, and `walpost schema register` where there is a registry. A stream "
                                              "with contracts.dir reads them at its next start.\n")


@pytest.mark.quick
def test_a_break_is_told_with_file_line_and_rule(tmp_path):
    write(tmp_path, Order_Placed__v1=PLACED.format("int64 total"), Order_Placed__v2=PLACED.format("string total"))
    done = schema(tmp_path, "check")
    assert done.returncode == 1
    assert f"{tmp_path}/Order.Placed/v2.proto:4: broken: OrderPlaced.total: int64 became string" in done.stdout
    assert "(FIELD_SCALAR_KIND_CHANGED, v2 reads v1)" in done.stdout
    found = json.loads(schema(tmp_path, "check", "--json").stdout)
    assert (found["broken"], found["findings"][0]["line"]) == (1, 4)
    assert schema(tmp_path, "check", "--compatibility", "NONE").returncode == 0


def test_a_number_used_again_shows_in_the_whole_history_only(tmp_path):
    write(tmp_path, Order_Placed__v1=PLACED.format("int64 total"),
          Order_Placed__v2='syntax = "proto3"; package shop.v1;\nmessage OrderPlaced {\n  string id = 1;\n}\n',
          Order_Placed__v3=PLACED.format("string total"))
    assert schema(tmp_path, "check", "--compatibility", "BACKWARD").returncode == 0
    done = schema(tmp_path, "check")
    assert done.returncode == 1 and "v3 reads v1" in done.stdout


def test_what_was_reserved_stays_reserved(tmp_path):
    text = 'syntax = "proto3"; package shop.v1;\nmessage OrderPlaced {{\n  string id = 1;\n  {}\n}}\n'
    write(tmp_path, Order_Placed__v1=text.format("reserved 2 to 5, 9; reserved \"total\";"),
          Order_Placed__v2=text.format(""), Order_Placed__v3=text.format("int64 total = 4;"))
    done = schema(tmp_path, "check", "--compatibility", "BACKWARD")
    assert done.returncode == 1
    assert f"{tmp_path}/Order.Placed/v3.proto:4: broken: OrderPlaced.total: 4: " in done.stdout
    assert "(RESERVED_NUMBER_USED, v3 after v1)" in done.stdout and "(RESERVED_NAME_USED, v3 after v1)" in done.stdout
    assert "1 broken, 1 warning" in done.stdout
    assert schema(tmp_path, "check", "--compatibility", "NONE").returncode == 0


def test_forward_is_the_other_way_round(tmp_path):
    member = 'syntax = "proto3"; package shop.v1;\nmessage OrderPlaced {{ oneof o {{ int32 a = 1; {} }} }}\n'
    write(tmp_path, Order_Placed__v1=member.format(""), Order_Placed__v2=member.format("int32 b = 2;"))
    assert schema(tmp_path, "check").returncode == 0
    done = schema(tmp_path, "check", "--compatibility", "FORWARD")
    assert done.returncode == 1 and "ONEOF_FIELD_REMOVED, v1 reads v2" in done.stdout


def test_imports_are_found_and_compared(tmp_path):
    (tmp_path / "common").mkdir()
    (tmp_path / "common" / "money.proto").write_text('syntax = "proto3"; package shop.v1; message Money { int64 units = 1; }')
    text = ('syntax = "proto3"; package shop.v1; import "common/money.proto"; import "google/protobuf/timestamp.proto";\n'
            "message OrderPlaced { Money total = 1; google.protobuf.Timestamp at = 2; }\n")
    write(tmp_path, Order_Placed__v1=text)
    assert "shop.v1.OrderPlaced, 2 fields" in schema(tmp_path, "list").stdout
    assert schema(tmp_path, "check").returncode == 0


def test_which_message_is_the_event(tmp_path):
    two = 'syntax = "proto3"; message Item {{ int32 a = 1; }}\nmessage {} {{ Item item = 1; }}\n'
    write(tmp_path, Order_Placed__v1=two.format("OrderPlaced"), Order_Shipped__v1=two.format("Shipped"),
          Order_Paid__v1="// walpost.event: Item\n" + two.format("Other"))
    lines = schema(tmp_path, "list").stdout.splitlines()[1:]
    assert [line.split()[3] for line in lines] == ["Item,", "OrderPlaced,", "Shipped,"]
    write(tmp_path, Order_Lost__v1=two.format("Other"))
    done = schema(tmp_path, "list")
    assert done.returncode == 2 and "Order.Lost/v1.proto does not say which of its messages" in done.stderr
    write(tmp_path, Order_Lost__v1="")
    done = schema(tmp_path, "list")
    assert done.returncode == 2 and "Order.Lost/v1.proto has no message" in done.stderr


def test_an_event_that_becomes_another_message_of_the_file_is_a_break(tmp_path):
    two = 'syntax = "proto3";\nmessage {} {{ string id = 1; }}\nmessage {} {{ string total = 1; }}\n'
    write(tmp_path, Order_Placed__v1="// walpost.event: One\n" + two.format("One", "Two"),
          Order_Placed__v2="// walpost.event: Two\n" + two.format("One", "Two"))
    done = schema(tmp_path, "check")
    assert (done.returncode, done.stdout.splitlines()[1].split(": ")[1]) == (1, "1 broken, 0 warnings")
    assert "Order.Placed/v2.proto:4: broken: Two: One became Two: the event is another message" in done.stdout
    assert "(EVENT_MESSAGE_CHANGED, v2 reads v1)" in done.stdout
    # By the rule of names, too: one that is new and has the better name takes the event over.
    write(tmp_path, Order_Placed__v1=two.format("Placed", "Item"), Order_Placed__v2=two.format("Placed", "OrderPlaced"))
    assert "Placed became OrderPlaced" in schema(tmp_path, "check").stdout


def test_names_are_events_in_the_past_tense(tmp_path):
    write(tmp_path, Order_PaymentProcessed__v1=PLACED.format("int64 total"), Order_Item_Add__v1=PLACED.format("int64 total"),
          order_placed__v1=PLACED.format("int64 total"))
    done = schema(tmp_path, "check")
    assert done.returncode == 0
    assert f"{tmp_path}/Order.Item.Add/v1.proto:2: warning: Order.Item.Add reads like a command" in done.stdout
    assert f"{tmp_path}/order.placed/v1.proto:2: warning: order.placed is neither Domain.Entity.Action nor" in done.stdout
    assert "0 broken, 2 warnings\n" in done.stdout
    rejected = schema(tmp_path, "check", "--set", "contracts.naming=reject", "--json")
    found = json.loads(rejected.stdout)
    assert (rejected.returncode, found["broken"], found["warnings"]) == (1, 2, 0)
    assert [(f["subject"], f["rule"]) for f in found["findings"]] == [
        ("Order.Item.Add", "EVENT_NAME_TENSE"), ("order.placed", "EVENT_NAME_SHAPE")]


def test_a_look_at_contracts_needs_only_their_part_of_the_configuration(tmp_path):
    write(tmp_path / "contracts", Order_Place__v1=PLACED.format("int64 total"))
    config = tmp_path / "walpost.yaml"
    config.write_text(f"postgres: {{dsn: \"${{NOWHERE_SET}}\"}}\ncontracts: {{dir: {tmp_path}/contracts, naming: off}}\n")
    check = [program(), "schema", "check", "-c", str(config)]
    done = subprocess.run(check, text=True, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "1 event type, 1 version, BACKWARD_TRANSITIVE: 0 broken, 0 warnings")
    config.write_text("contracts: {naming: no}\n")
    wrong = subprocess.run(check, text=True, capture_output=True, timeout=60, check=False)
    assert wrong.returncode == 2 and "contracts.naming cannot be" in wrong.stderr


def test_a_field_that_must_come(tmp_path):
    marked = PLACED.replace("string id = 1;", "string id = 1; // walpost.required")
    write(tmp_path, Order_Placed__v1=PLACED.format("int64 total"), Order_Placed__v2=marked.format("int64 total"))
    done = schema(tmp_path, "check")
    assert done.returncode == 1
    assert f"{tmp_path}/Order.Placed/v2.proto:3: broken: OrderPlaced.id: marked: the field is required now" in done.stdout
    assert schema(tmp_path, "check", "--compatibility", "FORWARD").returncode == 0
    write(tmp_path, Order_Placed__v2=marked.replace("required", "requird").format("int64 total"))
    done = schema(tmp_path, "check")
    assert done.returncode == 2 and "Order.Placed/v2.proto:3: a mark that walpost does not know" in done.stderr
    write(tmp_path, Order_Placed__v2=marked.replace("message", "// walpost.required\nmessage").format("int64 total"))
    done = schema(tmp_path, "check")
    assert done.returncode == 2 and "1 marks // walpost.required belong to no field" in done.stderr


@pytest.mark.quick
def test_what_is_wrong_is_said(tmp_path):
    missing = schema(tmp_path / "nowhere", "list")
    assert missing.returncode == 2 and "cannot be read: No such file" in missing.stderr
    write(tmp_path, Order_Placed__v2=PLACED.format("int64 total"))
    gap = schema(tmp_path, "check")
    assert gap.returncode == 2 and "v1.proto is missing, though there is a v2.proto" in gap.stderr
    write(tmp_path, Order_Placed__v1=PLACED.format("in64 total"))
    bad = schema(tmp_path, "check")
    assert bad.returncode == 2
    assert 'Order.Placed/v1.proto does not compile: Order.Placed/v1.proto:4:3: "in64" is not defined.' in bad.stderr
    none = schema(tmp_path, "check", environment={"PATH": "/nowhere"})
    assert none.returncode == 2 and "protobuf-compiler" in none.stderr
    level = schema(tmp_path, "check", "--compatibility", "backward")
    assert level.returncode == 2 and "BACKWARD_TRANSITIVE" in level.stderr
    flag = schema(tmp_path, "check", "--dry-run")
    assert flag.returncode == 2 and "--dry-run does not go with walpost schema check" in flag.stderr
    verb = schema(tmp_path, "chek")
    assert verb.returncode == 2 and "check" in verb.stderr
    assert schema(tmp_path, "register").returncode == 2


def test_nothing_that_is_meant_for_a_version_is_passed_over(tmp_path):
    write(tmp_path, Order_Placed__v1=PLACED.format("int64 total"))
    placed = tmp_path / "Order.Placed"
    for name in ("V2.proto", "v02.proto", "v2.PROTO", "v10000.proto", "v0.proto"):
        (placed / name).write_text("x", encoding="utf-8")
        done = schema(tmp_path, "check")
        assert done.returncode == 2 and f"Order.Placed/{name} is no version of a contract" in done.stderr
        (placed / name).unlink()
    os.mkfifo(placed / "v2.proto")
    done = schema(tmp_path, "check")
    assert done.returncode == 2 and "Order.Placed/v2.proto is no file" in done.stderr
    (placed / "v2.proto").unlink()
    (placed / "v2.proto").symlink_to("nowhere.proto")
    done = schema(tmp_path, "check")
    assert done.returncode == 2 and "Order.Placed/v2.proto cannot be read: No such file" in done.stderr
    (placed / "v2.proto").unlink()
    (placed / "README.md").write_text("what it is about", encoding="utf-8")
    assert schema(tmp_path, "check").returncode == 0


def test_a_folder_of_any_name_an_event_type_of_a_name_that_can_be_written(tmp_path):
    folder = tmp_path / "-a:b=c @d"
    for name in ("-Order.Placed", "@Order.Placed", "Order=Placed", "Order 'Placed' $walpost$"):
        (folder / name).mkdir(parents=True)
        (folder / name / "v1.proto").write_text(PLACED.format("int64 total"), encoding="utf-8")
    done = schema(folder, "check")
    assert (done.returncode, done.stdout.splitlines()[4].split(",")[0]) == (0, "4 event types")
    for name, what in ((b"Order.\xffPlaced", "bytes that are no UTF-8"), (b"Order.\nPlaced", "a control character")):
        type_folder = os.path.join(os.fsencode(folder), name)
        os.mkdir(type_folder)
        with open(os.path.join(type_folder, b"v1.proto"), "w", encoding="utf-8") as file:
            file.write(PLACED.format("int64 total"))
        done = schema(folder, "sql")
        assert (done.returncode, done.stdout) == (2, "") and what in done.stderr
        os.unlink(os.path.join(type_folder, b"v1.proto"))


def test_the_contracts_of_this_repository():
    done = schema(os.path.join(REPOSITORY, "schemas"), "check", "--compatibility", "FULL_TRANSITIVE")
    assert done.returncode == 0 and ": 0 broken, 0 warnings\n" in done.stdout, done.stdout
