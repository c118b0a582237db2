"""What people say to the process that judges, and what it keeps for them to speak of: a small file for each.

Each file has one writer: the command line writes silences and marks, the judge writes what it told. A reader sees the old
file or the new one.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from dashlight.judge.past_alerts import MOST_PAST, Mark, PastAlert, check_past, remembered
from dashlight.judge.silences import Silence, check_silences
from dashlight.records import Notice
from dashlight.store.locks import try_lock
from dashlight.store.private import Signature, open_private, read_private, signature, write_private
from dashlight.window.fitting import refuse

SILENCES, MARKS, PAST = "silences.json", "marks.json", "alerts.json"
_MOST_BYTES = 4 << 20
_TRIES, _PAUSE_SECONDS = 200, 0.02
"""How often and how far apart somebody else who changes a file is waited for."""

logger = logging.getLogger("dashlight")

Content = TypeVar("Content")


@dataclass(frozen=True, slots=True)
class ToldAlerts:
    """What the judge told, and the budget under which it did."""

    seconds_between: float
    """On average, between false alarms of one model."""
    alerts: tuple[PastAlert, ...] = ()


class OperatorFile(Generic[Content]):
    """One of the files. What cannot be read counts as not there; it is said once for each content."""

    def __init__(self, path: Path, kind: type[Content], empty: Content, check: Callable[[Content], None]) -> None:
        self._path = path
        self._kind = kind
        self._check = check
        self._seen: Signature | None = None
        self._content = empty
        self._empty = empty

    def read(self) -> Content:
        """What is there now; the file is read where it is another than the last time."""
        try:
            present = signature(self._path)
        except OSError:  # not there, mostly
            self._seen, self._content = None, self._empty
            return self._content
        if present != self._seen:
            self._seen = present
            try:
                self._content = self._load()
            except (OSError, ValueError) as error:  # of which msgspec's errors are some
                logger.warning("%s is not used: %s", self._path, error)
                self._content = self._empty
        return self._content

    def change(self, changed: Callable[[Content], Content]) -> Content:
        """Replaces what is there by what *changed* makes of it, and returns that.

        Raises:
            OSError: it cannot be read or written.
            ValueError: what is there is no such file, or what it would become may not be.
        """
        with self._alone():
            try:
                content = self._load()
            except FileNotFoundError:
                content = self._empty
            return self.write(changed(content))

    def write(self, content: Content) -> Content:
        """Replaces what is there; raises as `change` does."""
        self._check(content)
        write_private(self._path, msgspec.json.encode(content))
        return content

    @contextmanager
    def _alone(self) -> Generator[None]:
        """While nobody else changes the file: of two at once, one would undo what the other did."""
        descriptor = open_private(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT)
        try:
            for _ in range(_TRIES):
                if try_lock(descriptor, exclusive=True):
                    yield
                    return
                time.sleep(_PAUSE_SECONDS)
            raise OSError(f"{self._path} is being changed by somebody who does not come to an end")
        finally:
            os.close(descriptor)

    def _load(self) -> Content:
        blob, _ = read_private(self._path, most_bytes=_MOST_BYTES)
        content = msgspec.json.decode(blob, type=self._kind)
        self._check(content)
        return content


def silences_in(directory: Path) -> OperatorFile[tuple[Silence, ...]]:
    """The silences of the application whose processes meet in *directory*."""
    return OperatorFile(directory / SILENCES, tuple[Silence, ...], (), check_silences)


def marks_in(directory: Path) -> OperatorFile[dict[str, Mark]]:
    """What people made of alerts, by the id of the notice that told of it first."""
    return OperatorFile(directory / MARKS, dict[str, Mark], {}, _check_marks)


def told_in(directory: Path) -> OperatorFile[ToldAlerts]:
    """What was told."""
    return OperatorFile(directory / PAST, ToldAlerts, ToldAlerts(0.0), lambda told: check_past(told.alerts))


@dataclass(slots=True)
class Operator:
    """The judge's side of the files; without a *directory* nobody has said anything, and nothing is kept."""

    directory: Path | None
    seconds_between: float
    quiet: frozenset[str] = frozenset()
    """Keys of incidents that were told, and of which nobody is to be reminded for now. Replaced as a whole: routes look at it."""
    _silences: OperatorFile[tuple[Silence, ...]] | None = field(init=False, default=None)
    _has_failed: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        """Opens nothing yet."""
        if self.directory is not None:
            self._silences = silences_in(self.directory)

    def silences(self) -> Sequence[Silence]:
        """Those that people have made, over or not."""
        return () if self._silences is None else self._silences.read()

    def is_quiet(self, key: str) -> bool:
        """Whether nobody is to be reminded of the incident *key*. From any thread."""
        return key in self.quiet

    def remember(self, notices: Sequence[Notice]) -> None:
        """Keeps what begins with *notices*, for people to mark. What cannot be kept is said once."""
        if self.directory is None or all(each.transition != "firing" for each in notices):
            return
        file = told_in(self.directory)
        try:
            file.write(ToldAlerts(self.seconds_between, remembered(file.read().alerts, notices)))
        except (OSError, ValueError) as error:
            if not self._has_failed:
                self._has_failed = True
                logger.warning("alerts cannot be kept to be marked: %s", error)


def _check_marks(marks: Mapping[str, Mark]) -> None:
    refuse(f"{len(marks)} marks: expected {4 * MOST_PAST} at most", where=len(marks) > 4 * MOST_PAST)
