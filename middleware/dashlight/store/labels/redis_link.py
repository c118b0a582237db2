"""A connection to a Redis: what goes wrong is a StateError, and no password is in it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, TypeAlias, cast
from urllib.parse import urlsplit

from dashlight.errors import MissingExtraError, SettingsError, StateError

Reply: TypeAlias = "bytes | int | float | Sequence[Reply] | None"
Argument: TypeAlias = bytes | str | int | float
_ANSWER_SECONDS = 10.0
_CONNECT_SECONDS = 3.0
_HIDDEN = "***"
_WANTED = (
    "a URL such as rediss://user:password@host:6379/0, with what is special in the password written as %2F, "
    "and no options but those of redis"
)


class RedisLink:
    """Calls of one Redis from any thread; it connects when it is first needed."""

    def __init__(self, url: str, *, authorities: str = "") -> None:
        """*url* is `redis://` or `rediss://` (TLS); *authorities* a file of those who may vouch for it, besides the usual.

        Raises:
            SettingsError: it is no such URL.
            MissingExtraError: redis is not installed.
        """
        self._url, self._authorities = url, authorities
        self.shown = shown_url(url)
        """Where that is, without user and password."""
        try:
            self._redis: Any = import_module("redis")
        except ImportError:
            raise MissingExtraError("redis", "redis") from None
        self.forget()
        if self.shown == _HIDDEN:
            raise SettingsError("DASHLIGHT_STORE", self.shown, _WANTED)
        try:
            pool = self._made().connection_pool
            # Nothing is connected: only whether it knows all options.
            pool.connection_class(**pool.connection_kwargs)
        except (ValueError, TypeError, self._redis.RedisError):
            # What these say may quote a password.
            raise SettingsError("DASHLIGHT_STORE", self.shown, _WANTED) from None

    def forget(self) -> None:
        """Leaves the connections to the parent process."""
        self._lock = threading.Lock()
        self._client: Any = None
        self._scripts: dict[str, Any] = {}

    def call(self, *command: Argument) -> Reply:
        """What *command* answers; StateError where it does not."""
        return cast("Reply", self._guarded(lambda client: client.execute_command(*command)))

    def run(self, script: str, arguments: Sequence[Argument]) -> Reply:
        """What a Lua *script* answers, likewise."""

        def run(client: Any) -> Any:
            with self._lock:
                known = self._scripts.get(script)
                if known is None:
                    known = self._scripts[script] = client.register_script(script)
            return known(args=arguments)

        return cast("Reply", self._guarded(run))

    def call_all(self, commands: Sequence[Sequence[Argument]]) -> Sequence[Reply]:
        """What *commands* answer, sent at once, likewise."""

        def run(client: Any) -> Any:
            pipeline = client.pipeline(transaction=False)
            for command in commands:
                pipeline.execute_command(*command)
            return pipeline.execute()

        return cast("Sequence[Reply]", self._guarded(run)) if commands else ()

    def close(self) -> None:
        """Closes the connections."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _made(self) -> Any:
        with self._lock:
            if self._client is None:
                is_vouched = self._authorities and self._url.startswith("rediss:")
                self._client = self._redis.Redis.from_url(
                    self._url,
                    socket_timeout=_ANSWER_SECONDS,
                    socket_connect_timeout=_CONNECT_SECONDS,
                    protocol=2,
                    decode_responses=False,
                    **({"ssl_ca_certs": self._authorities} if is_vouched else {}),
                )
                # Answers as they come: what a client makes of them changes from release to release.
                self._client.response_callbacks.clear()
            return self._client

    def _guarded(self, use: Callable[[Any], Any]) -> Any:
        try:
            return use(self._made())
        except self._redis.RedisError as error:
            raise StateError("unusable", f"{self.shown}: {_said(error)}") from None
        except OSError as error:
            raise StateError("unusable", f"{self.shown}: {error.strerror or type(error).__name__}") from None


def whole(reply: Reply) -> int:
    """*reply* as a whole number, 0 where there is none; StateError where it is something else."""
    return int(as_number(reply))


def as_number(reply: Reply, *, none: float = 0) -> float:
    """*reply* as a number, *none* where there is none; StateError where it is something else."""
    try:
        return none if reply is None else float(cast("Any", reply))
    except (TypeError, ValueError):
        raise StateError("corrupt", "an answer of the Redis is not what was written") from None


def blob(reply: Reply) -> bytes:
    """*reply* as bytes; StateError where it is none."""
    if not isinstance(reply, bytes):
        raise StateError("corrupt", "an answer of the Redis is not what was written")
    return reply


def replies(reply: Reply) -> Sequence[Reply]:
    """*reply* as a list of replies; StateError where it is none."""
    if not isinstance(reply, list | tuple):
        raise StateError("corrupt", "an answer of the Redis is not what was written")
    return reply


def shown_url(url: str) -> str:
    """*url* without user, password and options; `***` where a part may be the password, or nobody can tell."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", f":{parts.port}" if parts.port else ""
    except ValueError:
        return _HIDDEN
    # A password in which / ? or # stands as it is ends the host, or begins the path.
    is_clear = "@" not in parts.path + parts.query + parts.fragment and _is_database(parts.path) and not parts.fragment
    shown_host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown_host}{port}{parts.path}" if is_clear and host else _HIDDEN


def _is_database(path: str) -> bool:
    number = path.removeprefix("/")
    return not number or (number.isascii() and number.isdecimal())


def _said(error: Exception) -> str:
    """The kind of the error and, of what the server itself said, its first word: texts of clients may hold the URL."""
    word = str(error).split(" ", 1)[0]
    return f"{type(error).__name__} {word}" if word.isupper() and word.isalpha() else type(error).__name__
