"""Which runs of a command were begun and which went well, in a file, so that a restart does not begin anew."""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec

from dashlight.store.private import read_private, write_private

MOST_REMEMBERED = 2000
"""Things to run it for; the oldest goes first."""
_MOST_BYTES = 1 << 20
_MOST_TRIES = 1000
_WENT_WELL = 0

logger = logging.getLogger(__name__)


class CommandTries:
    """How often a command was run for what, the oldest first. For one thread; another process may take over the file."""

    def __init__(self, path: Path | None) -> None:
        """*path* is the file; None where nothing outlives the process."""
        self._path = path
        self._counts: dict[str, int] = {}
        self._told = False

    def begin(self, identifier: str) -> int:
        """Notes that a try begins, before it does; which one it is, 0 where an earlier one went well."""
        # Read each time: another process may have been the judge meanwhile.
        self._counts = self._read()
        count = self._counts.pop(identifier, None)
        number = _WENT_WELL if count == _WENT_WELL else min(max(count or 0, 0) + 1, _MOST_TRIES)
        self._note(identifier, number)
        return number

    def finish(self, identifier: str) -> None:
        """Notes that it went well."""
        self._counts.pop(identifier, None)
        self._note(identifier, _WENT_WELL)

    def _note(self, identifier: str, number: int) -> None:
        self._counts[identifier] = number
        while len(self._counts) > MOST_REMEMBERED:
            del self._counts[next(iter(self._counts))]
        if self._path is None:
            return
        try:
            write_private(self._path, msgspec.json.encode(self._counts))
        except OSError as error:
            self._tell(f"cannot be written ({type(error).__name__})")

    def _read(self) -> dict[str, int]:
        if self._path is None:
            return self._counts
        try:
            content, _ = read_private(self._path, most_bytes=_MOST_BYTES)
            counts = msgspec.json.decode(content, type=dict[str, int])
        except FileNotFoundError:
            return self._counts
        except (OSError, ValueError) as error:  # of which msgspec's errors are some
            self._tell(f"cannot be read ({type(error).__name__})")
            return self._counts
        # What this process knows and could not write.
        return {**counts, **{each: count for each, count in self._counts.items() if each not in counts}}

    def _tell(self, what: str) -> None:
        if not self._told:
            self._told = True
            logger.warning("%s %s: a restart may run the command of DASHLIGHT_ON_ALERT again", self._path, what)
