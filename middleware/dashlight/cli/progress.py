"""Progress of long reads: a bar on a terminal if rich is installed, plain lines otherwise."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO, TypeAlias

if TYPE_CHECKING:
    from rich.progress import Progress

Report: TypeAlias = Callable[[float], None]
"""Called with the share of a step that is done, 0 to 1."""


@contextmanager
def progress(out: TextIO) -> Generator[Callable[[str], Report]]:
    """Yields a function that starts a named step and returns its Report."""
    if not out.isatty():
        yield lambda name: _plain(name, out)
        return
    try:
        from rich.console import Console
        from rich.progress import Progress
    except ImportError:
        yield lambda name: _plain(name, out)
        return
    with Progress(console=Console(file=out)) as bars:
        yield lambda name: _bar(bars, name)


def _plain(name: str, out: TextIO) -> Report:
    print(f"{name} ...", file=out)
    return lambda _: None


def _bar(bars: "Progress", name: str) -> Report:
    task = bars.add_task(name, total=1.0)
    return lambda share: bars.update(task, completed=share)
