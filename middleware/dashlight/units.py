"""What is written in few characters: `90s`, `64KiB`, `5%`, `1/30d`, `age=3` as people do, `host:8000` as clients do.

What cannot be read is a ValueError.
"""

import errno
import json
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar, cast

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_BYTES = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_AUTHORITY = re.compile(r"(?:([A-Za-z0-9._~-]{1,253})|\[([0-9A-Fa-f:.%A-Za-z]{2,64})\])(?::([0-9]{1,5})?)?")
_MOST_PORT = 65535
_NUMBER_AND_UNIT = re.compile(r"\s*(\d{1,18}(?:\.\d{1,18})?)\s*([a-zA-Z%]*)\s*", re.ASCII)
MOST_SECONDS = 100 * 365 * 86400.0
"""No duration is longer: a hundred years, and less than a lock can wait."""
_MOST_BYTES = 2**50
_MOST_WEIGHT = 1000.0
_URL_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)+")
_SECRET = re.compile(r"[!-~]{16,4096}")
_SIGNAL = re.compile(r"header:[A-Za-z0-9!#$%&'*+.^_`|~-]+|field:[^.]+(?:\.[^.]+)*")
_Number = TypeVar("_Number", int, float)


def seconds(text: str) -> float:
    """Seconds of a duration such as `500ms`, `90s`, `5m`, `1h` or `30d`.

    Raises:
        ValueError: no number, none of these units, or more than MOST_SECONDS.
    """
    return _at_most(_seconds(text), MOST_SECONDS, text)


def size_bytes(text: str) -> int:
    """Bytes of a size such as `4096`, `64KiB` or `1MB`.

    Raises:
        ValueError: no number, none of these units, or more than a machine has.
    """
    number, unit = _split(text)
    return int(_at_most(number * _BYTES[_known(unit, _BYTES, text)], _MOST_BYTES, text))


def share(text: str) -> float:
    """A share from 0 to 1, written as `0.05` or `5%`.

    Raises:
        ValueError: no number, or outside 0 to 1.
    """
    number, unit = _split(text)
    if unit not in {"", "%"}:
        raise ValueError(text)
    value = number / 100 if unit == "%" else number
    if value > 1:
        raise ValueError(text)
    return value


def flag(text: str) -> bool:
    """A yes or no: true, false, yes, no, on, off, 1 or 0, in any case.

    Raises:
        ValueError: anything else.
    """
    word = text.strip().lower()
    if word in {"true", "yes", "on", "1"}:
        return True
    if word in {"false", "no", "off", "0"}:
        return False
    raise ValueError(text)


def seconds_between(text: str) -> float:
    """Mean seconds between events of a budget such as `1/30d` (one in thirty days) or `2/1d`.

    Raises:
        ValueError: not of the form COUNT/DURATION, or one of the two is nought or no number.
    """
    count, _, duration = text.partition("/")
    number, unit = _split(count)
    # `1/d` is read as `1/1d`.
    span = _seconds(duration if any(map(str.isdigit, duration)) else f"1{duration.strip()}")
    if unit or number <= 0 or span <= 0:
        raise ValueError(text)
    return span / number


def words(text: str) -> tuple[str, ...]:
    """What stands between commas, without the spaces around it and without what is empty."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def command(text: str) -> tuple[str, ...]:
    """The words of a command line, with quotes and backslashes as a shell reads them."""
    return tuple(shlex.split(text))


def pairs(text: str) -> dict[str, str]:
    """`name=value` pairs between commas.

    Raises:
        ValueError: a pair without `=` or without a name, or a name twice.
    """
    found = [word.partition("=") for word in words(text)]
    named = {name.strip(): value.strip() for name, _, value in found}
    if not all(sign for _, sign, _ in found) or not all(named) or len(named) < len(found):
        raise ValueError(text)
    return named


def headers(text: str) -> dict[str, str]:
    """`name=value` pairs between commas with names in lower case; ValueError also for one that is there in two cases."""
    given = pairs(text)
    named = {name.lower(): value for name, value in given.items()}
    if len(named) < len(given):
        raise ValueError(text)
    return named


def weights(text: str) -> dict[str, float]:
    """`name=number` pairs between commas, each number from 0 to 1000."""
    found = {name: float(value) for name, value in pairs(text).items()}
    # Written so that NaN is refused too.
    if not all(0 <= weight <= _MOST_WEIGHT for weight in found.values()):
        raise ValueError(text)
    return found


def signals(text: str) -> dict[str, str]:
    """`name=header:x-revenue` or `name=field:order.total` between commas, at most 64."""
    found = pairs(text)
    if len(found) > 64 or not all(len(name) <= 64 and _SIGNAL.fullmatch(where) for name, where in found.items()):
        raise ValueError(text)
    return found


def renamed(text: str) -> dict[str, str]:
    """`old=new` names between commas, or those in the file at the path *text*: a pair a line, or a JSON object.

    Raises:
        ValueError: an empty name, one that is there twice, a file that cannot be read or is no small one.
    """
    if not text.strip() or "=" in text:
        return _told_apart(pairs(text))
    try:
        text = small_file(Path(text.strip())).decode()
    except OSError as error:
        raise ValueError(text) from error
    if not text.lstrip().startswith("{"):
        lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
        return _told_apart(pairs(",".join(lines)))
    try:
        named = cast("dict[str, object]", json.loads(text, object_pairs_hook=_each_once))
    except RecursionError:
        raise ValueError(text) from None
    return _told_apart({old: new if isinstance(new, str) else "" for old, new in named.items()})


def url_path(text: str) -> str:
    """A path such as `/dashlight`, without the `/` at its end."""
    path = text.strip().rstrip("/")
    if not _URL_PATH.fullmatch(path) or {".", ".."} & set(path.split("/")):
        raise ValueError(text)
    return path


def secret(text: str) -> str:
    """A secret that a header can carry: 16 to 4096 visible characters of ASCII, or nothing."""
    stripped = text.strip()
    if stripped and not _SECRET.fullmatch(stripped):
        raise ValueError
    return stripped


def secrets(text: str) -> tuple[str, ...]:
    """Secrets between commas, each as `secret` wants it; ValueError otherwise."""
    return tuple(map(secret, words(text)))


def with_field(field: str) -> Callable[[str], str]:
    """Reads a text in which *field* stands, or nothing."""

    def read(text: str) -> str:
        if text.strip() and field not in text:
            raise ValueError(text)
        return text.strip()

    return read


def one_of(*allowed: str) -> Callable[[str], str]:
    """Reads one of the words *allowed*, in any case."""

    def read(text: str) -> str:
        word = text.strip().lower()
        if word not in allowed:
            raise ValueError(text)
        return word

    return read


def above_zero(read: Callable[[str], _Number]) -> Callable[[str], _Number]:
    """Reads as *read* does, and refuses nought."""

    def checked(text: str) -> _Number:
        value = read(text)
        if value <= 0:
            raise ValueError(text)
        return value

    return checked


def at_least(least: _Number, read: Callable[[str], _Number]) -> Callable[[str], _Number]:
    """Reads as *read* does, and refuses less than *least*."""

    def checked(text: str) -> _Number:
        value = read(text)
        if value < least:
            raise ValueError(text)
        return value

    return checked


def _told_apart(names: Mapping[str, str]) -> dict[str, str]:
    if not all(old and new for old, new in names.items()) or len(set(names.values())) < len(names):
        raise ValueError(names)
    return dict(names)


def _each_once(members: list[tuple[str, object]]) -> dict[str, object]:
    if len(dict(members)) < len(members):
        raise ValueError(members)
    return dict(members)


def small_file(path: Path, *, most_bytes: int = 2**20) -> bytes:
    """What a file of the settings holds.

    Raises:
        OSError: it cannot be read, is larger than *most_bytes*, or is a device or a pipe, which may never end.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        raise OSError(errno.EINVAL, "not a file")
    if path.is_file() and path.stat().st_size > most_bytes:
        raise OSError(errno.EFBIG, "too large a file")
    return path.read_bytes()


def _split(text: str) -> tuple[float, str]:
    found = _NUMBER_AND_UNIT.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return float(found[1]), found[2]


def _seconds(text: str) -> float:
    number, unit = _split(text)
    return number * _SECONDS[_known(unit, _SECONDS, text)]


def _at_most(value: float, most: float, text: str) -> float:
    if value > most:
        raise ValueError(text)
    return value


def _known(unit: str, units: dict[str, float] | dict[str, int], text: str) -> str:
    if unit not in units:
        raise ValueError(text)
    return unit


def address_and_port(authority: str) -> tuple[str, int | None]:
    """Both parts of a Host header such as `model.example:8000` or `[::1]`, the address in lower case, the port if any.

    Raises:
        ValueError: it is no such thing.
    """
    found = _AUTHORITY.fullmatch(authority.strip())
    port = int(found[3]) if found is not None and found[3] else None
    if found is None or (port is not None and port > _MOST_PORT):
        raise ValueError(authority)
    return (found[1] or found[2]).lower(), port


def server_of(host: bytes, bound_to: Sequence[str | int | None] | None) -> tuple[str, int | None]:
    """Address and port that a client called: as its Host header says, else as the server is bound; empty where neither does."""
    try:
        return address_and_port(host.decode("ascii"))
    except ValueError:
        address, port = bound_to or ("", None)
        return str(address or ""), port if isinstance(port, int) else None
