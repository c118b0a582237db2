"""What is written in few characters: `90s`, `64KiB`, `5%`, `1/30d` as people do, `host:8000` as clients do."""

import math
import re
from collections.abc import Sequence

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_BYTES = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_AUTHORITY = re.compile(r"(?:([A-Za-z0-9._~-]{1,253})|\[([0-9A-Fa-f:.%A-Za-z]{2,64})\])(?::([0-9]{1,5})?)?")
_MOST_PORT = 65535
_NUMBER_AND_UNIT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z%]*)\s*")


def seconds(text: str) -> float:
    """Seconds of a duration such as `500ms`, `90s`, `5m`, `1h` or `30d`.

    Raises:
        ValueError: no number, or none of these units.
    """
    number, unit = _split(text)
    return number * _SECONDS[_known(unit, _SECONDS, text)]


def size_bytes(text: str) -> int:
    """Bytes of a size such as `4096`, `64KiB` or `1MB`.

    Raises:
        ValueError: no number, or none of these units.
    """
    number, unit = _split(text)
    return int(number * _BYTES[_known(unit, _BYTES, text)])


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
        ValueError: not of the form COUNT/DURATION, or a count of nought.
    """
    count, slash, duration = text.partition("/")
    if not slash or not count.strip() or float(count) <= 0:
        raise ValueError(text)
    # `1/d` is read as `1/1d`.
    span = seconds(duration if any(map(str.isdigit, duration)) else f"1{duration.strip()}")
    if span <= 0:
        raise ValueError(text)
    return span / float(count)


def _split(text: str) -> tuple[float, str]:
    found = _NUMBER_AND_UNIT.fullmatch(text)
    if found is None or not math.isfinite(float(found[1])):
        raise ValueError(text)
    return float(found[1]), found[2]


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
