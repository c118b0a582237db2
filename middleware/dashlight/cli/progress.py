"""Progress of long reads, and tables: drawn on a terminal if rich is installed, plain lines otherwise."""

from collections.abc import Callable, Generator, Sequence
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


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]], out: TextIO) -> None:
    """Writes *rows* under *head*, column below column."""
    if out.isatty():
        try:
            from rich.console import Console
            from rich.table import Table
            from rich.text import Text
        except ImportError:
            pass
        else:
            table = Table(*head, box=None, pad_edge=False)
            for cells in rows:
                table.add_row(*map(Text, cells))  # as text: a name may look like markup
            Console(file=out).print(table)
            return
    lines = [head, *rows]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    for cells in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip(), file=out)


def _plain(name: str, out: TextIO) -> Report:
    print(f"{name} ...", file=out)
    return lambda _: None


def _bar(bars: "Progress", name: str) -> Report:
    task = bars.add_task(name, total=1.0)
    return lambda share: bars.update(task, completed=share)
