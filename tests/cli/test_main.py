import signal
import subprocess
import sys

import pytest

from dashlight.cli.main import COMMANDS, main, parser


def test_every_command_has_its_place_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])

    assert ended.value.code == 0
    assert set(COMMANDS) <= set(capsys.readouterr().out.split())


def test_what_is_no_command_is_told_with_those_that_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["references"])

    assert ended.value.code == 2
    assert "invalid choice: 'references' (choose from" in capsys.readouterr().err


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_loads_without_the_others(name: str) -> None:
    others = [f"dashlight.cli.{other}" for other in COMMANDS if other != name]
    script = f"import sys; from dashlight.cli.main import parser; parser([{name!r}])\nsys.exit(str([m for m in {others} if m in sys.modules]))"

    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert ended.stderr == "[]\n"
    assert parser([name])


@pytest.mark.skipif(sys.platform == "win32", reason="pipes end otherwise there")
def test_what_is_printed_for_somebody_who_has_read_enough_ends_in_silence() -> None:
    command = [sys.executable, "-m", "dashlight.cli.main", "rules", "prometheus"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as printing:
        assert printing.stdout is not None
        assert printing.stderr is not None
        printing.stdout.close()
        said = printing.stderr.read()

    assert (said, printing.returncode) == (b"", -signal.SIGPIPE)
