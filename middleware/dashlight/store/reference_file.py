"""The reference file that the operator named, read again when it is replaced."""

import logging
from collections.abc import Sequence
from pathlib import Path

from dashlight.errors import ReferenceDataError
from dashlight.privacy.hashing import HashKey
from dashlight.store.learned import Fit, unchanged
from dashlight.store.private import Signature, signature
from dashlight.window.columns import Reference
from dashlight.window.disclosure import protected, with_shown
from dashlight.window.reference.file import load

logger = logging.getLogger(__name__)


class ReferenceFile:
    """A reference file on disk, and whether it is still the one that was read."""

    def __init__(
        self, path: Path, hash_key: HashKey | None = None, *, shown: Sequence[str] = (), fit: Fit = unchanged
    ) -> None:
        """In memory its values are hashed under *hash_key*, but for those that may be told: of the columns *shown*, globs.

        *fit* makes of what the file holds what is compared with.
        """
        self._path, self._hash_key, self._shown = path, hash_key, tuple(shown)
        self._fit = fit
        self.reference: Reference | None = None
        """What was read last; None before anything was."""
        self._signature: Signature | None = None

    def read(self) -> Reference:
        """The reference that the file holds now; ReferenceDataError, naming the file, where it cannot be used."""
        try:
            # The signature first: what is written in between is then seen as a replacement.
            self._signature = signature(self._path)
            reference = with_shown(load(_content(self._path), self._hash_key), self._shown)
            reference = reference if self._hash_key is None else protected(reference, self._hash_key)
            self.reference = self._fit(reference)
            return self.reference
        except OSError as error:
            raise ReferenceDataError(f"DASHLIGHT_REFERENCE={str(self._path)!r}: {error.strerror or error}") from None
        except ReferenceDataError as error:
            raise ReferenceDataError(f"DASHLIGHT_REFERENCE={str(self._path)!r} {error}") from None

    def replaced(self) -> Reference | None:
        """The reference, if the file was replaced since it was read; None where it was not, or by nothing usable.

        What cannot be used is said once, and what was read before stays in force.
        """
        try:
            if signature(self._path) == self._signature:
                return None
        except OSError:  # between the old file and the new one
            return None
        try:
            return self.read()
        except ReferenceDataError as error:
            logger.warning("the replaced reference is not usable, the one before stays: %s", error)
            return None


def _content(path: Path) -> bytes:
    if not path.is_file() and not path.is_dir():  # a pipe or a device may never end
        raise ReferenceDataError("is not a file")
    return path.read_bytes()
