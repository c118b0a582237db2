"""Who may ask Dashlight: whoever knows the token of the machine, or one that is good for a part."""

from __future__ import annotations

import hmac
import logging
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

logger = logging.getLogger(__name__)

_HEADER, _COOKIE = b"x-dashlight-token", b"dashlight_token"
_BEARER = re.compile(rb"bearer +", re.IGNORECASE)
_MOST_TOKEN_BYTES = 4096
_KEPT = re.compile(rb"[!-~]{16,4096}")


class Access:
    """Lets in whoever shows a token: as a bearer, in the header X-Dashlight-Token, or in the cookie dashlight_token.

    Never in the query, which stands in logs.
    """

    __slots__ = ("_takes_cookies", "_tokens")

    def __init__(self, *tokens: str, takes_cookies: bool = True) -> None:
        """Each of *tokens* lets in; none is empty: an empty one would let everybody in.

        Without *takes_cookies* what a browser sends by itself is no token: no other page can write through it.

        Raises:
            ValueError: no token, or an empty one.
        """
        if not tokens or not all(tokens):
            raise ValueError("a token that lets everybody in")
        self._tokens = [token.encode(errors="surrogateescape") for token in tokens]
        self._takes_cookies = takes_cookies

    def allows(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Whether *headers*, names in lower case, show a token. Takes as long for a wrong one as for the right one."""
        shown = False
        for candidate in _shown(headers, takes_cookies=self._takes_cookies):
            for token in self._tokens:
                shown |= hmac.compare_digest(candidate, token)
        return shown


def token_of(settings_token: str, token_file: Path | None) -> str:
    """The token of this host: *settings_token*, else the one in *token_file*, which is made if it is not there.

    Workers that start at the same time end with the same token. The file can be read by its owner alone; where it
    cannot be used, the reason is logged and the token is one that nobody knows: whoever asks is turned away.
    """
    if settings_token:
        return settings_token
    if token_file is None:
        logger.error("nobody can be let in: DASHLIGHT_TOKEN is not set, and there is no directory to keep a token in")
        return secrets.token_urlsafe(32)
    try:
        return _kept(token_file) if token_file.exists() else _made(token_file)
    except OSError as error:
        logger.error("nobody can be let in, set DASHLIGHT_TOKEN: %s: %s", token_file, error.strerror or error)  # noqa: TRY400
        return secrets.token_urlsafe(32)


def _shown(headers: Iterable[tuple[bytes, bytes]], *, takes_cookies: bool) -> Iterator[bytes]:
    for name, value in headers:
        if name == b"authorization":
            scheme = _BEARER.match(value)
            if scheme:
                yield value[scheme.end() :].strip()
        elif name == _HEADER:
            yield value.strip()
        elif name == b"cookie" and takes_cookies:
            for pair in value.split(b";"):
                key, sign, text = pair.partition(b"=")
                if sign and key.strip() == _COOKIE:
                    yield text.strip().strip(b'"')


def _made(path: Path) -> str:
    """A new token, in *path* from then on; the one that stands there where another worker was faster."""
    token = secrets.token_urlsafe(32)
    # Written under another name first, so that whoever finds the file finds all of it.
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{token}\n")
        # Refuses to replace what is there.
        os.link(draft, path, follow_symlinks=False)
    except FileExistsError:
        return _kept(path)
    finally:
        draft.unlink()
    logger.info("whoever asks has to know the token in %s", path)
    return token


def _kept(path: Path) -> str:
    """The token in *path*.

    Raises:
        OSError: it cannot be read, belongs to somebody else, can be read by others, or holds no token.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
            raise PermissionError(None, "expected a file of this user that nobody else can read or write")
        token = file.read(_MOST_TOKEN_BYTES + 1).strip()
    if not _KEPT.fullmatch(token):
        raise OSError(None, "expected a token of at least 16 characters on one line")
    return token.decode()
