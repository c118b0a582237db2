"""Environments of servers: made once, and where they cannot be made, said."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest


def test_what_cannot_be_installed_skips_the_test_on_a_users_machine(
    environment: Callable[[str, Sequence[str]], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)

    with pytest.raises(pytest.skip.Exception, match="impossible could not be installed: "):
        environment("impossible", ["!"])


def test_what_cannot_be_installed_fails_the_test_in_ci(
    environment: Callable[[str, Sequence[str]], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.fail.Exception, match="impossible could not be installed: "):
        environment("impossible", ["!"])


def test_what_was_made_is_given_again_with_the_code_of_this_tree(
    environment: Callable[[str, Sequence[str]], Path],
) -> None:
    python = environment("mlserver", ["mlserver==1.7.1", "uvloop<0.22"])
    made_at = python.lstat().st_ctime

    said = subprocess.run(
        [python, "-c", "import dashlight; print(dashlight.__file__)"], check=True, capture_output=True, text=True
    )

    assert environment("mlserver", ["mlserver==1.7.1", "uvloop<0.22"]).lstat().st_ctime == made_at
    assert Path(said.stdout.strip()) == Path(__file__).parents[2] / "middleware" / "dashlight" / "__init__.py"
