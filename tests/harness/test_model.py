# SPDX-License-Identifier: Apache-2.0
"""The check of the model must be able to fail."""

import os
import shutil
import subprocess

import pytest

from support.servers import REPOSITORY

SCRIPT = os.path.join(REPOSITORY, "scripts", "check-model.py")


@pytest.fixture
def copy(tmp_path):
    """The model, to be broken."""
    os.symlink(os.path.join(REPOSITORY, "src"), tmp_path / "src")
    shutil.copytree(os.path.join(REPOSITORY, "docs", "model"), tmp_path / "docs" / "model")
    return tmp_path


def check(root, *options):
    return subprocess.run(
        ["/usr/bin/python3", SCRIPT, "--root", root, *options], capture_output=True, text=True
    )


def alter(root, file, old, new):
    path = root / "docs" / "model" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.quick
@pytest.mark.parametrize(
    "file, old, new, complaint",
    [
        pytest.param("README.md", "| `MARK_LEFT_OUT` |", "| |", "does not name the rule MARK_LEFT_OUT", id="no row"),
        pytest.param("README.md", "| `MARK_LEFT_OUT` |", "| `MARK_IT` |", "MARK_IT, which is not in rules.pml", id="no rule"),
        pytest.param("README.md", "flow.c: on_left_out", "flow.c: left_out_on", "flow.c: left_out_on, which does not exist", id="no function"),
        pytest.param("stream.pml", "WITHOUT(MARK_LEFT_OUT)", "0", "MARK_LEFT_OUT changes nothing", id="not used"),
    ],
)
def test_tables_that_do_not_agree(copy, file, old, new, complaint):
    alter(copy, file, old, new)
    done = check(copy)
    assert done.returncode == 1
    assert complaint in done.stderr


@pytest.mark.quick
def test_a_rule_that_can_be_removed(copy):
    alter(copy, "stream.pml", "WITHOUT(MARK_LEFT_OUT)", "WITHOUT(MARK_LEFT_OUT) && 0")
    done = check(copy, "--filter", "MARK_LEFT_OUT")
    assert done.returncode == 1
    assert "without MARK_LEFT_OUT: I1_unmarked holds all the same" in done.stderr


@pytest.mark.quick
def test_a_protocol_that_does_not_hold(copy):
    alter(copy, "stream.pml", "marked = marked |", "marked = marked &")
    done = check(copy, "--filter", "configuration killed")
    assert done.returncode == 1
    assert "configuration killed: I1_unmarked breaks" in done.stderr


@pytest.mark.quick
def test_a_world_that_never_ends(copy):
    alter(copy, "stream.pml", "PROMISE(REACHED_end,", "PROMISE(REACHED_end, 1 ||")
    done = check(copy, "--filter", "confirms everything")
    assert done.returncode == 1
    assert "REACHED_end holds all the same" in done.stderr
