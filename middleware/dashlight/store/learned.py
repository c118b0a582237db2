"""Learned references on disk, so that a restart need not learn again."""

import hashlib
import logging
import os
import re
from pathlib import Path

from dashlight.errors import ReferenceDataError
from dashlight.window.reference import Reference
from dashlight.window.reference_file import dump, load

logger = logging.getLogger(__name__)

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9]+")


class LearnedReferences:
    """References learned from traffic, one file for each endpoint, model and version; nowhere without a directory."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory

    def load(self, *key: str) -> Reference | None:
        """What was learned under *key* before; None where there is nothing usable, which is said once."""
        path = self._path(key)
        if path is None:
            return None
        try:
            return load(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ReferenceDataError) as error:
            logger.warning("the learned reference %s is not usable and is learned anew: %s", path.name, error)
            return None

    def save(self, reference: Reference, *key: str) -> None:
        """Keeps *reference* under *key*, whole or not at all; a failure costs no more than learning again."""
        path = self._path(key)
        if path is None:
            return
        draft = path.with_suffix(f".{os.getpid()}.new")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(dump(reference))
            draft.replace(path)
        except OSError as error:
            logger.warning("the learned reference could not be kept in DASHLIGHT_STATE_DIR: %s", error)

    def _path(self, key: tuple[str, ...]) -> Path | None:
        if self._directory is None:
            return None
        # The words are for people; the digest tells apart what they leave out.
        words = _NOT_IN_NAMES.sub("-", "-".join(key)).strip("-")[:60]
        digest = hashlib.sha256("\0".join(key).encode(errors="surrogatepass")).hexdigest()[:12]
        return self._directory / f"reference-{words}-{digest}.json"
