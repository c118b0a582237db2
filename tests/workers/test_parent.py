"""A parent is known by more than its number."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from dashlight.workers.parent import PROC, Parent

on_linux = pytest.mark.skipif(not PROC.exists(), reason="there is no /proc here")
CHILD = "from dashlight.workers.parent import Parent\nprint(Parent.of_this_process(), end='', flush=True)\n"


def what_a_child_says() -> bytes:
    return subprocess.run([sys.executable, "-c", CHILD], check=True, capture_output=True).stdout


def test_children_of_one_process_have_the_same_parent() -> None:
    assert what_a_child_says() == what_a_child_says()
    assert Parent.read(what_a_child_says()) != Parent.of_this_process()


def test_a_parent_is_there_while_it_runs() -> None:
    assert not Parent.of_this_process().is_gone()


@pytest.fixture
def ended() -> Parent:
    """The parent of a child whose parent has ended."""
    script = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {CHILD!r}])"
    text = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True).stdout
    parent = Parent.read(text)
    assert parent is not None
    return parent


def test_a_parent_that_ended_is_gone(ended: Parent) -> None:
    assert ended.is_gone()


def test_without_proc_the_number_alone_tells_whether_it_is_there(tmp_path: Path, ended: Parent) -> None:
    parent = Parent.of_this_process(proc=tmp_path)

    assert (parent.started, parent.boot) == ("", "")
    assert not parent.is_gone(proc=tmp_path)
    assert replace(ended, started="", boot="").is_gone(proc=tmp_path)
    assert Parent(10**30, "", "").is_gone(proc=tmp_path)


@on_linux
def test_a_process_of_the_same_number_is_another_one() -> None:
    parent = Parent.of_this_process()

    assert replace(parent, started="1").is_gone()
    assert replace(parent, boot="another").is_gone()


@on_linux
def test_a_program_may_be_called_anything(tmp_path: Path) -> None:
    (tmp_path / str(os.getppid())).mkdir()
    fields = " ".join(str(number) for number in range(3, 53))
    (tmp_path / str(os.getppid()) / "stat").write_text(f"7 (a) b (c) ) {fields}")

    assert Parent.of_this_process(proc=tmp_path).started == "22"


@pytest.mark.parametrize("text", [b"", b"12", b"a\nb\nc", b"1\n2\n3\n4", b"\xff\n\n"])
def test_what_is_no_parent_is_not_read_as_one(text: bytes) -> None:
    assert Parent.read(text) is None
