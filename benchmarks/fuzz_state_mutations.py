"""State files that somebody else might have written: of valid ones something is changed, and the checksum fits again."""

from __future__ import annotations

from random import Random
from typing import Any, Final, cast

import msgspec
from benchmarks.fuzz_state_files import Kind, with_checksum

from dashlight.store.frozen import Part, sealed, unsealed

_ODD_BYTES: Final = (
    b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff", b"\xc9\xff\xff\xff\xff\x01",
    b"\x91" * 2000, b"\x81" * 2000, b"\x90" * 2000, b"\xa0" * 2000, b"\xc0" * 2000, b"\xca\x7f\xc0\0\0", b"\xcf" + b"\xff" * 8,
    b"\xd3\x80" + bytes(7), b"\xff" * 16, bytes(64), b"\xd6\xff\xff\xff\xff\xff", b"texts", b"<f8", b"|O",
)  # fmt: skip
_NOTHING: tuple[list[Any], dict[str, Any]] = ([], {})
_ODD_VALUES: Final[tuple[Any, ...]] = (
    *_NOTHING,
    None, True, False, -1, 0, 1, 2, 255, 2**16, 2**31, 2**40, 2**53, 2**63 - 1, -(2**63), 2**64 - 1, 0.0, -0.5, 1e-300, 1e308,
    float("nan"), float("inf"), float("-inf"), "", "a", "feature", "\0", "x" * 5000, b"", bytes(8), bytes(16), bytes(4000), [_NOTHING[0]], {"": None}, [0] * 1000, [""] * 1000, [_NOTHING[0]] * 1000, "<f8", "<i8", "|V16", "texts", "|O", ["<i8", [2**62, 0], b""],
    ["<f8", [1], bytes(8)], ["texts", [2**20, 2**20], [None]], dict.fromkeys(map(str, range(300)), _NOTHING[1]),
)  # fmt: skip


def mutated(kind: Kind, random: Random) -> bytes:
    """A file of this *kind* of which one thing or a few are others than in a valid one."""
    if not kind.is_state:
        content = msgspec.json.decode(kind.file)
        for _ in range(_few(random)):
            content = _changed_tree(content, random, of_json=True)
        return (
            with_checksum(cast("dict[str, object]", content))
            if isinstance(content, dict)
            else msgspec.json.encode(content)
        )
    parts = unsealed(kind.file)
    for _ in range(_few(random)):
        place = random.randrange(len(parts)) if parts else 0
        how = random.random()
        if not parts or how < 0.03:
            parts = random.choice([[], parts * 2, [*parts, Part("other", 1, b"\xc0")]])
        elif how < 0.06:
            part = parts[place]
            parts[place] = Part(part.name, random.choice([0, 1, 2, 2**31]), part.body, part.arrays)
        else:
            parts[place] = _changed_part(parts[place], random)
    blob = b"".join(sealed(parts))
    return _changed_bytes(blob, random) if random.random() < 0.02 else blob


def _changed_part(part: Part, random: Random) -> Part:
    arrays = [memoryview(bytes(array)) for array in part.arrays]
    how = random.random()
    if arrays and how < 0.25:
        place = random.randrange(len(arrays))
        changed = memoryview(_changed_bytes(bytes(arrays[place]), random))
        arrays[place : place + 1] = random.choice([[], [changed], [changed], [changed], [changed] * 2])
        return Part(part.name, part.version, part.body, arrays)
    body = bytes(part.body)
    if how < 0.45:
        return Part(part.name, part.version, _changed_bytes(body, random), arrays)
    try:
        tree = msgspec.msgpack.decode(body)
        return Part(part.name, part.version, msgspec.msgpack.encode(_changed_tree(tree, random)), arrays)
    except (msgspec.DecodeError, OverflowError, UnicodeError, RecursionError):  # changed before, or too much
        return Part(part.name, part.version, _changed_bytes(body, random), arrays)


def _changed_bytes(content: bytes, random: Random) -> bytes:
    held = bytearray(content)
    for _ in range(_few(random)):
        place = random.randrange(len(held) + 1)
        end = place + random.choice([0, 1, 1, 2, 8, 64, len(held)])
        how = random.randrange(4)
        if how == 0 and place < len(held):
            held[place] ^= 1 << random.randrange(8)
        elif how == 1:
            held[place:end] = random.choice(_ODD_BYTES)
        elif how == 2:
            held[place:end] = random.randbytes(end - place if end - place < 100 else 3)
        else:
            begin = random.randrange(len(held) + 1)
            held[place:place] = held[begin : begin + random.choice([1, 9, 200])]
    return bytes(held)


def _changed_tree(tree: object, random: Random, *, of_json: bool = False) -> Any:
    """*tree* with another value somewhere; anywhere is as likely as anywhere else at its depth."""
    if isinstance(tree, list | dict) and tree and random.random() < 0.93:
        held = cast("list[object] | dict[object, object]", tree)
        key: Any = random.choice(list(held)) if isinstance(held, dict) else random.randrange(len(held))
        changed = _changed_tree(held[key], random, of_json=of_json)
        if isinstance(held, dict):
            return {**held, key: changed}
        return [*held[:key], changed, *held[key + 1 :]]
    how = random.random()
    if how < 0.2 and isinstance(tree, list) and tree:
        held = cast("list[object]", tree)
        return random.choice([held[1:], held * 2, held[::-1], held * 300, [held]])
    if how < 0.3 and isinstance(tree, dict) and tree:
        entries = cast("dict[object, object]", tree)
        gone = random.choice(list(entries))
        return {key: value for key, value in entries.items() if key != gone}
    if how < 0.4 and isinstance(tree, bytes):
        return _changed_bytes(tree, random)
    if how < 0.5 and isinstance(tree, int | float):
        return random.choice([tree + 1, -tree, tree * 1000, tree / 3])
    value = random.choice(_ODD_VALUES)
    return "x" if of_json and isinstance(value, bytes) else value


def _few(random: Random) -> int:
    return random.choice([1, 1, 1, 2, 5])
