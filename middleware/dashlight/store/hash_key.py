"""The key of the hashes that stand for values: the operator's, or one of this machine in a file."""

import logging
import os
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from dashlight.errors import SettingsError
from dashlight.privacy.hashing import FEWEST_CHARACTERS, KEY_BYTES, HashKey
from dashlight.store.private import open_private, read_private

logger = logging.getLogger(__name__)

VARIABLE = "DASHLIGHT_HASH_KEY"
FILE = "hash-key"
"""Its name in the directory where processes meet."""
_KEPT = re.compile(rb"[0-9a-f]{64}\n")


def hash_key_of(setting: str, directory: Path | None) -> HashKey:
    """The key that DASHLIGHT_HASH_KEY, *setting*, says; else the one kept in *directory*, made if it is not there.

    The file can be read by its owner alone. Where it cannot be used, or there is no directory, the key is a new one
    that goes with this process: then hashes of before are those of nobody.
    """
    if setting:
        return HashKey.of_setting(setting)
    if directory is None:
        return HashKey(secrets.token_bytes(KEY_BYTES))
    path = directory / FILE
    try:
        with suppress(FileNotFoundError):
            return _kept(path)
        return _made(path)
    except OSError as error:
        logger.warning(
            "values are hashed under a key that goes with this process: %s: %s", path, error.strerror or error
        )
        return HashKey(secrets.token_bytes(KEY_BYTES))


def given_hash_key(environ: Mapping[str, str]) -> HashKey | None:
    """The operator's key, for what runs beside the app; None where there is none.

    Raises:
        SettingsError: it is too short to be a secret.
    """
    secret = environ.get(VARIABLE, "").strip()
    if 0 < len(secret) < FEWEST_CHARACTERS:
        raise SettingsError(VARIABLE, "***", f"a secret of at least {FEWEST_CHARACTERS} characters")
    return HashKey.of_setting(secret) if secret else None


def kept_hash_key(directory: Path) -> HashKey | None:
    """The key kept in *directory*; None where there is none that can be used."""
    try:
        return _kept(directory / FILE)
    except OSError:
        return None


def _made(path: Path) -> HashKey:
    """A new key, in *path* from then on; the one that stands there where another process was faster."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(open_private(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
        file.write(secrets.token_hex(KEY_BYTES).encode() + b"\n")
    try:
        # Refuses to replace what is there.
        os.link(draft, path, follow_symlinks=False)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return _kept(path)


def _kept(path: Path) -> HashKey:
    content, _ = read_private(path, most_bytes=len("0" * 2 * KEY_BYTES + "\n"))
    if path.lstat().st_mode & 0o077:
        raise PermissionError(None, "expected a file that nobody else can read or write")
    if not _KEPT.fullmatch(content):
        raise OSError(None, "expected a key of 64 hexadecimal digits on one line")
    return HashKey(bytes.fromhex(content.decode()))
