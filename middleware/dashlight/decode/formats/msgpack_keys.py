"""What msgpack allows as a key and no table has: lists, whose hashes anybody can make collide."""

import re
from typing import Final

from dashlight.decode.rows.budget import MAX_CELLS
from dashlight.decode.rows.reasons import undecodable

_HARMLESS: Final = 256
"""Keys of one object that may all have one hash."""
MAX_KEYS: Final = 1 << 14
"""Keys of one object: a row of a model has some thousands at most."""
MAX_NUMBERS: Final = 1 << 12
"""Keys of large objects that are no texts; each is written anew as one."""
_SMALL_BODY: Final = 2048
"""Bytes, which hold some two hundred keys of one hash at most."""
_LARGE_OBJECT = re.compile(rb"\xde[\x01-\xff]|\xdf")
# https://github.com/msgpack/msgpack/blob/master/spec.md#formats
_SIZES: Final = {
    **dict.fromkeys((0xCC, 0xD0), 1),
    **dict.fromkeys((0xCD, 0xD1, 0xD4), 2),
    0xD5: 3,
    **dict.fromkeys((0xCA, 0xCE, 0xD2), 4),
    0xD6: 5,
    **dict.fromkeys((0xCB, 0xCF, 0xD3), 8),
    0xD7: 9,
    0xD8: 17,
}
"""Bytes behind the first one of values of a fixed size that take more than one."""
_LENGTHS: Final = {0xC4: (1, 0), 0xC5: (2, 0), 0xC6: (4, 0), 0xC7: (1, 1), 0xC8: (2, 1), 0xC9: (4, 1), 0xD9: (1, 0), 0xDA: (2, 0), 0xDB: (4, 0)}  # fmt: skip
"""Of texts, bytes and extensions: the bytes of their length, and those beside it."""


def check_packed_keys(body: bytes) -> None:
    """DecodeError too_complex where an object of many keys has one that is a list or an object, or there are too many.

    Python's hash of a tuple has no secret: 168 KB of tuples with one hash took six seconds in a single call.
    """
    # Hardly any body has so large an object: only then it is walked through.
    if len(body) > _SMALL_BODY and _LARGE_OBJECT.search(body):
        _walk(body)


def _walk(body: bytes) -> None:
    # For each value that is open how many are still to come in it, and whether its keys may be scalars alone.
    to_come, is_strict = [1], [False]
    at, end, seen, numbers = 0, len(body), 0, 0
    while to_come and at < end:
        if not to_come[-1]:
            to_come.pop()
            is_strict.pop()
            continue
        to_come[-1] -= 1
        # What is still to come after a key is odd.
        is_key = is_strict[-1] and to_come[-1] % 2 == 1
        first = body[at]
        at += 1
        seen += 1
        if seen > MAX_CELLS:
            raise undecodable("too_complex", f"more than {MAX_CELLS} values")
        if is_key and not (0xA0 <= first < 0xC0 or first in _LENGTHS):
            numbers += 1
            if numbers > MAX_NUMBERS:
                raise undecodable("too_complex", f"more than {MAX_NUMBERS} keys that are no texts")
        if first < 0x80 or first >= 0xE0:
            continue
        if first < 0xA0 or 0xDC <= first < 0xE0:
            width = 0 if first < 0xA0 else 2 if first in {0xDC, 0xDE} else 4
            count = first & 15 if not width else int.from_bytes(body[at : at + width], "big")
            at += width
            if is_key:
                raise undecodable("too_complex", "keys that are lists or objects")
            is_object = first < 0x90 or first in {0xDE, 0xDF}
            if is_object and count > MAX_KEYS:
                raise undecodable("too_complex", f"more than {MAX_KEYS} keys")
            to_come.append(2 * count if is_object else count)
            is_strict.append(is_object and count > _HARMLESS)
        elif first < 0xC0:
            at += first & 31
        elif first in _LENGTHS:
            width, beside = _LENGTHS[first]
            at += width + beside + int.from_bytes(body[at : at + width], "big")
        else:
            at += _SIZES.get(first, 0)
