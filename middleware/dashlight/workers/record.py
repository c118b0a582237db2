"""A value that one process writes for the others of the machine: the checkpoint, the briefing, the figures."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from dashlight.errors import StateError
from dashlight.store.frozen import Buffer
from dashlight.store.private import (
    DRAFT,
    Signature,
    count_trouble,
    is_abandoned,
    read_private,
    signature,
    write_private,
)
from dashlight.store.refused import put_aside

logger = logging.getLogger(__name__)

MOST_BYTES = 256 << 20
"""Of a record that is read or written: a state is a tenth of that at most."""


Value = TypeVar("Value")


class Frozen(Protocol[Value]):
    """How values become bytes, and bytes values again; StateError where they do not."""

    def freeze(self, value: Value, /) -> list[Buffer]:
        """The bytes of *value*, in pieces."""
        ...

    def thaw(self, blob: bytearray, /) -> Value:
        """The value that *blob* holds."""
        ...


class SharedRecord(Generic[Value]):
    """One file that holds one value, replaced as a whole; whoever reads it sees the old value or the new one.

    Nothing here raises: what goes wrong is counted in `troubles` by its kind and said once.
    """

    def __init__(
        self,
        path: Path,
        layout: Frozen[Value],
        *,
        said: set[str] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """*said*: kinds of trouble that are said once for all files that share it, see `count_trouble`."""
        self._path = path
        self._said = said
        self._layout = layout
        self._seen: Signature | None = None
        self.troubles: Counter[str] = Counter()
        """`unreadable`, `corrupt`, `other_version`, `not_written`."""
        self._remove_drafts(now())

    def write(self, value: Value) -> bool:
        """Replaces what is there by *value*; False where it could not be, and what was there stays."""
        try:
            self._seen = write_private(self._path, *_readable(self._layout.freeze(value)))
        except (OSError, StateError) as error:
            self.count("not_written", f"{self._path.name} could not be written: {error}")
            return False
        return True

    def inherited(self) -> Value | None:
        """As `read`, for whoever alone writes the file from now on: what is unusable for every version is put aside."""
        value, error = self._read()
        if isinstance(error, StateError) and error.kind == "corrupt":
            put_aside(self._path)
        return value

    def read(self) -> Value | None:
        """The value that the file holds; None where there is none that can be used."""
        return self._read()[0]

    def changed(self) -> Value | None:
        """The value, if the file is another than the one last read or written here; None where it is not, or unusable."""
        before = self._seen
        try:
            present = signature(self._path)
        except OSError:  # none, or not to be seen for the moment
            return None
        if present == before:
            return None
        value = self.read()
        if self._seen == before:  # it could not even be opened: not again until it is replaced
            self._seen = present
        return value

    def _read(self) -> tuple[Value | None, OSError | StateError | None]:
        """The value, or why there is none; neither where there is no file."""
        try:
            # By the opened file: what replaces it later is then seen as another.
            blob, self._seen = read_private(self._path, most_bytes=MOST_BYTES)
            return self._layout.thaw(blob), None
        except FileNotFoundError:
            return None, None
        except OSError as error:
            self.count("unreadable", f"{self._path.name} could not be read: {error}")
            return None, error
        except StateError as error:
            self.count(error.kind, f"{self._path.name} is not used: {error}")
            return None, error

    def _remove_drafts(self, at: float) -> None:
        """Those of processes that ended while they wrote."""
        for draft in self._path.parent.glob(f"{self._path.name}.*{DRAFT}"):
            with suppress(OSError):  # somebody else removed it first
                if is_abandoned(draft.lstat(), at=at):
                    draft.unlink()

    def count(self, kind: str, sentence: str) -> None:
        """Counts what went wrong; the first of its kind is said."""
        count_trouble(self.troubles, kind, sentence, logger=logger, said=self._said)


class Latest(Generic[Value]):
    """The latest value that the process which judges has made, for whichever process is asked.

    Kept by the analysis thread, read by any.
    """

    def __init__(self, record: SharedRecord[Value] | None) -> None:
        """*record* is where the processes share it, None where this one is alone."""
        self._record = record
        self.own: Value | None = None
        """The latest that this process made."""

    def keep(self, value: Value) -> None:
        """It is *value* from now on."""
        self.own = value
        if self._record is not None:
            self._record.write(value)

    def read(self) -> Value | None:
        """The latest; None where there is none yet. Reads a file, where there is one."""
        # Also where this process wrote it: a worker that shows newer ones than the next goes backwards.
        return self.own if self._record is None else self._record.read()

    def forget(self) -> None:
        """Lets go of what belongs to the parent process."""
        self.own = None


def _readable(pieces: Sequence[Buffer]) -> Sequence[Buffer]:
    """*pieces*, unless they are too many bytes to be read again: StateError."""
    size_bytes = sum(map(len, pieces))
    if size_bytes > MOST_BYTES:
        raise StateError("not_written", f"a state of {size_bytes} bytes is larger than {MOST_BYTES}")
    return pieces
