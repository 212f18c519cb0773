# SPDX-License-Identifier: Apache-2.0
"""The checks of the sources must be able to fail."""

import os
import subprocess

import pytest

from support.servers import REPOSITORY

SCRIPT = os.path.join(REPOSITORY, "scripts", "check-layers.sh")


def check(root):
    return subprocess.run([SCRIPT, root], capture_output=True, text=True)


FOLDERS = "base config pg pgoutput outbox encode checkpoint lane kafka ledger pipeline cli".split()
HEADERS = ["pg/link.h", "pgoutput/change.h", "pgoutput/relation.h", "lane/lane.h", "base/error.h"]


@pytest.fixture
def sound(tmp_path):
    """A small tree in which everything is as it should be."""
    os.mkdir(tmp_path / "tests")
    for folder in FOLDERS:
        os.makedirs(tmp_path / "src" / folder)
        (tmp_path / "src" / folder / "good.c").write_text('#include "base/error.h"\n')
    for header in HEADERS:
        (tmp_path / "src" / header).touch()
    (tmp_path / "src" / "outbox" / "good.c").write_text('#include "pgoutput/change.h"\n')
    (tmp_path / "src" / "pg" / "good.c").write_text("#include <libpq-fe.h>\n")
    done = check(tmp_path)
    assert done.returncode == 0, done.stderr
    return tmp_path


@pytest.mark.quick
@pytest.mark.parametrize(
    "folder, line, complaint",
    [
        ("ledger", '#include "pg/link.h"', "ledger/ may not include pg/link.h"),
        ("outbox", '#include "pgoutput/relation.h"', "outbox/ may not include"),
        ("kafka", '#include "lane/lane.h"', "kafka/ may not include lane/lane.h"),
        ("base", "#include <librdkafka/rdkafka.h>", "has no home in base/"),
        ("lane", "# include <ev.h>", "ev.h has no home in lane/"),
        ("kafka", "#include <libpq-fe.h>", "libpq-fe.h has no home in kafka/"),
        ("config", "#include <jansson.h>", "jansson.h has no home in config/"),
        ("pg", "static void f(char *a, char *b) { strcpy(a, b); }", "not in this code base"),
        ("lane", "static void f(void) { usleep(10); }", "not in this code base"),
        pytest.param("base", "\n" * 500, "a file has fewer than 500", id="long"),
    ],
)
def test_a_planted_breach_is_found(sound, folder, line, complaint):
    (sound / "src" / folder / "planted.c").write_text(line + "\n")
    done = check(sound)
    assert done.returncode == 1
    assert complaint in done.stderr and "planted.c" in done.stderr


@pytest.mark.quick
def test_a_new_folder_needs_a_row_in_the_table(sound):
    os.mkdir(sound / "src" / "utilities")
    done = check(sound)
    assert done.returncode == 1 and "not in the table of layers" in done.stderr
