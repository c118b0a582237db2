import io
import subprocess
import sys

from dashlight.cli.progress import progress


class Terminal(io.StringIO):
    """Says that it is one."""

    def isatty(self) -> bool:
        """Always."""
        return True


def test_a_file_gets_a_plain_line_for_every_step() -> None:
    out = io.StringIO()

    with progress(out) as step:
        step("Reading")(0.5)
        step("Counting")(1.0)

    assert out.getvalue() == "Reading ...\nCounting ...\n"


def test_a_terminal_gets_a_bar() -> None:
    out = Terminal()

    with progress(out) as step:
        step("Reading")(1.0)

    assert "Reading" in out.getvalue()
    assert "100%" in out.getvalue()


def test_a_terminal_without_rich_gets_plain_lines() -> None:
    script = (
        "import io, sys; sys.modules['rich.console'] = None\n"
        "from dashlight.cli.progress import progress\n"
        "class Terminal(io.StringIO):\n"
        "    def isatty(self): return True\n"
        "out = Terminal()\n"
        "with progress(out) as step: step('Reading')(1.0)\n"
        "print(out.getvalue(), end='')\n"
    )

    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert ended.stdout == "Reading ...\n"
