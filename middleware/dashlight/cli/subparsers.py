"""What a command adds itself to."""

import argparse
from typing import Protocol


class Subparsers(Protocol):
    """What `argparse` gives to add commands to; its own class has no public name."""

    def add_parser(
        self,
        name: str,
        *,
        help: str | None = ...,  # noqa: A002 - as argparse calls it
        description: str | None = ...,
    ) -> argparse.ArgumentParser:
        """A parser for the command *name*."""
        ...
