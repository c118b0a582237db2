from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from dashlight.cli.main import main, parser
from dashlight.cli.run import environment, hook_directory

DASHLIGHT = [sys.executable, "-m", "dashlight.cli.main"]


def test_the_command_takes_the_place_of_the_process_and_nothing_else_is_printed(tmp_path: Path) -> None:
    code = "import os, sys; print(os.getpid(), sys.argv[1:], os.getcwd()); sys.exit(7)"
    command = [*DASHLIGHT, "run", "--", sys.executable, "-c", code, "--port", "--", "x"]

    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as child:
        said, complained = child.communicate(timeout=60)

    assert said == f"{child.pid} ['--port', '--', 'x'] {tmp_path}\n"
    assert complained == ""
    assert child.returncode == 7


def test_the_hook_comes_first_on_the_path_and_what_was_there_stays() -> None:
    hook = hook_directory()
    before = {"PYTHONPATH": os.pathsep.join(["/mine", hook, "", "/yours"]), "HOME": "/home"}

    assert environment(before) == {
        "PYTHONPATH": os.pathsep.join([hook, "/mine", "", "/yours"]),
        "HOME": "/home",
        "_DASHLIGHT_RUN": hook,
    }
    assert environment({})["PYTHONPATH"] == environment({"PYTHONPATH": ""})["PYTHONPATH"] == hook
    assert {path.name for path in Path(hook).glob("*.py")} == {"sitecustomize.py", "__init__.py"}


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ([], 2, "expected a command, such as: dashlight run -- uvicorn app:app"),
        (["--"], 2, "expected a command, such as: dashlight run -- uvicorn app:app"),
        (["--", "no-such-server", "app:app"], 127, "no-such-server: command not found"),
        (["no-such-server", "--port", "1"], 127, "no-such-server: command not found"),
        (["--", "/etc/hostname/server"], 127, "/etc/hostname/server: command not found"),
        (["--", "{tmp_path}"], 126, "{tmp_path}: Permission denied"),
    ],
    ids=["none", "none after --", "unknown", "unknown without --", "in no directory", "a directory"],
)
def test_what_cannot_be_started_is_one_line_and_a_shells_status(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str], status: int, message: str
) -> None:
    filled = [each.replace("{tmp_path}", str(tmp_path)) for each in arguments]

    assert main(["run", *filled]) == status
    assert capsys.readouterr().err == f"dashlight run: {message.replace('{tmp_path}', str(tmp_path))}\n"


def test_an_option_of_ours_that_does_not_exist_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(["run", "--reload", "--", "uvicorn", "app:app"])

    assert refused.value.code == 2
    assert "unrecognized arguments: --reload" in capsys.readouterr().err


def test_every_command_of_the_page_on_it_is_understood() -> None:
    page = (Path(__file__).parents[2] / "docs" / "zero-code.md").read_text()
    commands = [shlex.split(line) for line in re.findall(r"^\$ (dashlight .*)$", page, flags=re.MULTILINE)]

    parsed = [parser().parse_args(command[1:]) for command in commands]

    assert len(parsed) >= 9
    assert [each.command_line[-2:] for each in parsed] == [command[-2:] for command in commands]
