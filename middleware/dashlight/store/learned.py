"""Learned references, on disk so that a restart need not learn again."""

import hashlib
import logging
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from dashlight.errors import ReferenceDataError
from dashlight.privacy.hashing import HashKey
from dashlight.store.private import Signature, read_private, signature
from dashlight.store.refused import put_aside
from dashlight.window.columns import Reference
from dashlight.window.disclosure import is_open, protected, with_shown
from dashlight.window.reference.file import dump, load, with_version

logger = logging.getLogger(__name__)

FILES = "reference-*.json"
"""Their names in the directory, as a glob."""
MOST_BYTES = 64 << 20
"""Of one file that is read."""
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9]+")


Fit: TypeAlias = Callable[[Reference], Reference]
"""Makes of a reference that is kept the one that is compared with: there may be no memory for all of it."""


def unchanged(reference: Reference) -> Reference:
    """*reference* itself."""
    return reference


class LearnedReferences:
    """References learned from traffic, one file for each endpoint, model and version; in memory without a directory."""

    def __init__(
        self,
        directory: Path | None,
        hash_key: HashKey | None = None,
        *,
        shown: Sequence[str] = (),
        fit: Fit = unchanged,
    ) -> None:
        """Values that may not be told are hashed under *hash_key*; *shown* are globs of columns whose values may be.

        *fit* makes of what was learned what is compared with; whole references are kept.
        """
        self._directory = directory
        self.hash_key = hash_key
        """None: values are kept in the clear."""
        self._shown = tuple(shown)
        self._fit = fit
        self._in_memory: dict[tuple[str, ...], Reference] = {}
        """Where there is no directory, or it could not be written: known to this process alone."""
        self._seen: dict[Path, Signature] = {}
        self._refused: dict[Path, tuple[Signature, bool]] = {}
        """Files that could not be used, and whether a newer Dashlight may use them."""

    @property
    def count(self) -> int:
        """How many are on disk, usable or not."""
        return 0 if self._directory is None else sum(1 for _ in self._directory.glob(FILES))

    def load(self, *key: str) -> Reference | None:
        """What was learned under *key* before; None where there is nothing usable, which is said once."""
        found = self._whole(key)
        return None if found is None else self._fit(found)

    def _whole(self, key: tuple[str, ...]) -> Reference | None:
        path, in_memory = self._path(key), self._in_memory.get(key)
        if path is None or (in_memory is not None and not self._is_new(path)):
            return in_memory
        try:
            # The signature first: what is written in between is then seen as another. Beside what is in memory it
            # is for `is_other` to see, which tells whoever compares with that.
            found = signature(path)
            if in_memory is None:
                self._seen[path] = found
            return self._loaded(path, found)
        except FileNotFoundError:
            return in_memory
        except (OSError, ReferenceDataError) as error:
            logger.warning("the learned reference %s is not usable and is learned anew: %s", path.name, error)
            return None

    def keep(self, reference: Reference, *key: str) -> Reference:
        """Keeps *reference* under *key*, unless another process kept one since; the one that is kept then."""
        path = self._path(key)
        reference = self._protected(reference)
        self._in_memory.pop(key, None)
        found = self.load(*key) if path is not None and self._is_new(path) else None
        if found is None:
            self.save(reference, *key)
        return found or self._fit(reference)

    def save(self, reference: Reference, *key: str) -> None:
        """Keeps *reference* under *key*, whole or not at all; where it cannot be written, for this process alone."""
        path, reference = self._path(key), self._protected(reference)
        if path is None:
            self._in_memory[key] = reference
            return
        if self._is_left_to_a_newer(path):
            logger.warning("%s is left to the newer Dashlight that made it: what is learned is not kept", path.name)
            self._in_memory[key] = reference
            self._pass_over(path)
            return
        draft = path.with_suffix(f".{os.getpid()}.new")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(dump(reference))
            draft.replace(path)
            self._seen[path] = signature(path)
            self._in_memory.pop(key, None)
        except OSError as error:
            logger.warning("the learned reference could not be kept in DASHLIGHT_STATE_DIR: %s", error)
            self._in_memory[key] = reference
            self._pass_over(path)

    def is_other(self, *key: str) -> bool:
        """Whether the file of *key*, loaded or saved before, was replaced or removed since; said once.

        Beside a reference that could not be written: whether another process has written one since.
        """
        path = self._path(key)
        if path is not None and key in self._in_memory:
            if not self._is_new(path):
                return False
            del self._in_memory[key]
            self._seen.pop(path, None)
            return True
        if path is None or path not in self._seen:
            return False
        try:
            if signature(path) == self._seen[path]:
                return False
        except FileNotFoundError:
            pass
        except OSError:  # not to be seen for the moment, which says nothing
            return False
        del self._seen[path]
        return True

    def put_aside_refused(self) -> None:
        """Moves what was not usable out of the way, but for what a newer Dashlight made: for whoever judges alone."""
        for path, (refused, is_newer) in list(self._refused.items()):
            if not is_newer and not self._is_other_than(path, refused):
                put_aside(path)
                self._seen.pop(path, None)
                del self._refused[path]

    def _loaded(self, path: Path, found: Signature) -> Reference:
        try:
            reference = self._hashed(load(bytes(read_private(path, most_bytes=MOST_BYTES)[0]), self.hash_key))
            return with_shown(reference, self._shown)
        except ReferenceDataError as error:
            self._refused[path] = found, error.is_newer
            raise

    def _hashed(self, reference: Reference) -> Reference:
        """*reference*, as it was read; ReferenceDataError where it holds values that should be hashed."""
        if self.hash_key is not None and any(is_open(each) and each.hash_key is None for each in reference.columns):
            raise ReferenceDataError("holds values in the clear")
        return reference

    def _protected(self, reference: Reference) -> Reference:
        """*reference* as it may be kept; its version follows from that."""
        reference = with_shown(reference, self._shown)
        if self.hash_key is None or all(column.hash_key is not None for column in reference.columns if is_open(column)):
            return reference
        return with_version(protected(reference, self.hash_key))

    def _is_left_to_a_newer(self, path: Path) -> bool:
        refused, is_newer = self._refused.get(path, (None, False))
        return refused is not None and is_newer and not self._is_other_than(path, refused)

    def _pass_over(self, path: Path) -> None:
        """Takes what stands at *path*, if anything does, for known: it is older than what is in memory."""
        try:
            self._seen[path] = signature(path)
        except OSError:  # none, or not to be seen for the moment
            self._seen.pop(path, None)

    def _is_new(self, path: Path) -> bool:
        """Whether there is a file that this process has neither read nor written."""
        try:
            return signature(path) != self._seen.get(path)
        except OSError:  # none, or not to be seen for the moment
            return False

    def _is_other_than(self, path: Path, known: Signature) -> bool:
        """Whether what stands at *path* is not what was *known* to."""
        try:
            return signature(path) != known
        except OSError:  # gone, or not to be seen
            return True

    def _path(self, key: tuple[str, ...]) -> Path | None:
        if self._directory is None:
            return None
        # The words are for people; the digest tells apart what they leave out.
        words = _NOT_IN_NAMES.sub("-", "-".join(key)).strip("-")[:60]
        digest = hashlib.sha256("\0".join(key).encode(errors="surrogatepass")).hexdigest()[:12]
        return self._directory / f"reference-{words}-{digest}.json"
