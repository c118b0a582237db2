"""The files of the checkpoint, one for each generation of its layout: an upgrade and a rollback both find their own."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from dashlight.store.private import OF_ANOTHER_RELEASE, OTHER_VERSION
from dashlight.workers.checkpoints import GENERATION, Checkpoint, CheckpointLayout
from dashlight.workers.record import SharedRecord

logger = logging.getLogger(__name__)

OF_FIRST_RELEASES = "checkpoint"
"""Name of the file that releases before the first generation wrote: never read, and never touched."""
MOST_OLDER = 4
"""Files of older generations that are kept."""
OLDER_SECONDS = 7 * 86_400.0
"""And for how long after they were last written."""


class CheckpointFiles:
    """The checkpoint of this generation, and those of others: the newest that can be read is gone on from.

    Only the holder of the lease uses them. Nothing here raises: what goes wrong is counted in `troubles` and said once.
    """

    def __init__(self, directory: Path, *, generation: int = GENERATION, said: set[str] | None = None) -> None:
        """*said*: see `SharedRecord`."""
        self._directory = directory
        self._generation = generation
        self._said = set[str]() if said is None else said
        self._own = self._record(generation)
        self.troubles = self._own.troubles
        """By kind, see `SharedRecord`; also of parts that could not be taken over."""

    @property
    def path(self) -> Path:
        """Where this generation's is written."""
        return self._path(self._generation)

    def write(self, checkpoint: Checkpoint) -> bool:
        """Replaces this generation's; False where it could not be written, and what was there stays."""
        return self._own.write(checkpoint)

    def inherited(self) -> Checkpoint | None:
        """The one written last of those that can be read; None where there is none. Old ones are removed."""
        generations = self._generations()
        is_first_start = not generations and (self._directory / OF_FIRST_RELEASES).exists()
        if is_first_start and OTHER_VERSION not in self._said:
            self._said.add(OTHER_VERSION)
            logger.warning("%s is not used; %s", OF_FIRST_RELEASES, OF_ANOTHER_RELEASE)
        checkpoint: Checkpoint | None = None
        for generation in generations:
            if checkpoint is None:
                checkpoint = self._inherited(generation)
        for lost in () if checkpoint is None else checkpoint.lost:
            self._own.count(lost.kind, f"a part of the checkpoint is not used and begins anew: {lost}")
        self._tidy([generation for generation in generations if generation < self._generation])
        return checkpoint

    def lose(self, part: str, error: Exception) -> None:
        """Counts a *part* of a checkpoint that was read, and cannot be gone on from."""
        self._own.count("corrupt", f"the {part} of the checkpoint is not used and begins anew: {error}")

    def _inherited(self, generation: int) -> Checkpoint | None:
        if generation == self._generation:
            return self._own.inherited()
        record = self._record(generation)
        if generation > self._generation:
            return record.read()  # what this release cannot read is the newer one's, and no trouble
        checkpoint = record.inherited()
        self.troubles.update(record.troubles)
        return checkpoint

    def _generations(self) -> list[int]:
        """Those of which there is a file, the one written last first."""
        written: list[tuple[int, int]] = []
        with suppress(OSError):
            for path in self._directory.glob("checkpoint-*"):
                number = path.name.removeprefix("checkpoint-")
                if number.isascii() and number.isdecimal() and len(number) < 9:
                    written.append((path.lstat().st_mtime_ns, int(number)))
        return [generation for _, generation in sorted(written, reverse=True)]

    def _tidy(self, older: Sequence[int]) -> None:
        """Removes all but MOST_OLDER of the *older* generations, the one written last first, and what is too old."""
        for place, generation in enumerate(older):
            path = self._path(generation)
            with suppress(OSError):  # gone already
                if place >= MOST_OLDER or abs(time.time() - path.lstat().st_mtime) > OLDER_SECONDS:
                    path.unlink()

    def _record(self, generation: int) -> SharedRecord[Checkpoint]:
        return SharedRecord(self._path(generation), CheckpointLayout(), said=self._said)

    def _path(self, generation: int) -> Path:
        return self._directory / f"checkpoint-{generation}"
