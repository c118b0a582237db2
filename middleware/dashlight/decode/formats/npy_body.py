"""Arrays as NumPy saves them, npy and npz; whatever their header says, nothing is made beyond the bytes at hand."""

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from math import prod
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from dashlight.decode.formats.bodies import counted, without_surrogates
from dashlight.decode.formats.compression import EXPANDED_BYTES
from dashlight.decode.rows.budget import MAX_COLUMNS, MAX_ROWS, BodyBudget
from dashlight.decode.rows.jsonvalue import is_list
from dashlight.decode.rows.reasons import undecodable
from dashlight.privacy.names import MAX_NAME_LENGTH

NPY_MAGIC: Final = b"\x93NUMPY"
ZIP_MAGIC: Final = b"PK\x03\x04"
MAX_HEADER_BYTES: Final = 1 << 14

_LAST_CHARACTER = 0x10FFFF
_KIND = r"[<>|=]?(?:[biuf][0-9]{1,2}|[SU][0-9]{1,6}|[mM]8(?:\[[0-9a-zA-Z]{1,8}\])?)"
_DESCR = re.compile(rf"'descr':\s*'({_KIND})'")
_FIELDS = re.compile(rf"'descr':\s*\[((?:\(\s*'[^'\\]{{1,200}}',\s*'{_KIND}'\s*\),?\s*){{1,{MAX_COLUMNS}}})\]")
_FIELD = re.compile(rf"'([^'\\]+)',\s*'({_KIND})'")
_SHAPE = re.compile(r"'shape':\s*\(([0-9L,\s]{0,512})\)")
_SIZE = re.compile(r"[0-9]{1,18}L?")
_MAX_DIMENSIONS = 16
_FORTRAN = re.compile(r"'fortran_order':\s*True")
_IN_ONE_CALL: Final = 4096
"""Moments that are written in one call."""
_END_OF_ZIP = b"PK\x05\x06"
_ENTRY = b"PK\x01\x02"
_STORED, _DEFLATED = 0, 8
_FIRST_UNNAMED = "arr_0"
"""What np.savez calls the first array that it is given without a name."""


def read_npy(body: bytes, _budget: BodyBudget | None = None) -> object:
    """The values of the array in *body*: nested lists, those of more than two dimensions as rows; or objects, by field.

    https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

    Raises:
        DecodeError: truncated, invalid_body, or opaque_body where it holds Python objects, which are never loaded.
    """
    array = _array(body)
    most = array[:MAX_ROWS] if array.ndim > 1 or array.dtype.names is not None else array
    rows = _values(most)
    # What is beyond the limit is counted, and not looked at.
    return counted(rows, len(array) - MAX_ROWS) if is_list(rows) and len(most) < len(array) else rows


def read_npz(body: bytes, budget: BodyBudget | None = None) -> object:
    """The arrays in *body*: side by side where they have one length, else by their names.

    An array without a name of its own, when it is the only one, is all there is.

    Raises:
        DecodeError: as read_npy does, too_large and too_complex.
    """
    budget = budget or BodyBudget(len(body), most_bytes=EXPANDED_BYTES)
    arrays = {name.removesuffix(".npy"): read_npy(member) for name, member in _members(body, budget)}
    if not arrays:
        raise undecodable("invalid_body", "an archive without an array")
    if arrays.keys() == {_FIRST_UNNAMED}:
        return arrays[_FIRST_UNNAMED]
    columns = [array for array in arrays.values() if is_list(array)]
    if len(columns) == len(arrays) and len(set(map(len, columns))) == 1:
        return [dict(zip(arrays, row, strict=True)) for row in zip(*columns, strict=True)]
    return arrays


def _values(array: NDArray[np.generic]) -> object:
    if array.dtype.names is not None:
        flat: NDArray[Any] = array.reshape(-1)
        columns = [cast("list[object]", _values(flat[name])) for name in array.dtype.names]
        return [dict(zip(array.dtype.names, row, strict=True)) for row in zip(*columns, strict=True)]
    if array.ndim > 2:
        array = array.reshape(len(array), -1)
    try:
        if array.dtype.kind in "mM":
            return _in_parts(array, lambda part: part.astype(str).tolist())
        if array.dtype.kind == "S":
            return _decoded(cast("NDArray[np.bytes_]", array))
        if array.dtype.kind == "U":
            _check_characters(array)
            return without_surrogates(array.tolist())
    except (ValueError, SystemError):
        raise undecodable("invalid_body", "texts of numbers that are no characters") from None
    # Longer floats than Python's stay objects of NumPy otherwise.
    return (array.astype(np.float64) if array.dtype.itemsize > 8 else array).tolist()


def _check_characters(array: NDArray[np.generic]) -> None:
    """Raises ValueError where a number is no character: NumPy makes texts of some that Python cannot handle."""
    numbers = np.ascontiguousarray(array).reshape(-1).view(array.dtype.str[0] + "u4")
    if numbers.size and int(numbers.max()) > _LAST_CHARACTER:
        raise ValueError


def _in_parts(array: NDArray[np.generic], make: Callable[[NDArray[np.generic]], list[object]]) -> object:
    """What *make* makes of *array*, a few at a time: each call into NumPy holds up whoever else runs."""
    if array.ndim == 0:
        return make(array.reshape(1))[0]
    step = max(1, _IN_ONE_CALL * len(array) // max(1, array.size))
    return [row for start in range(0, len(array), step) for row in make(array[start : start + step])]


def _decoded(array: NDArray[np.bytes_]) -> object:
    # In one call NumPy takes ten times as long.
    texts = [value.decode("utf-8", "replace") for value in array.reshape(-1).tolist()]
    if array.ndim < 2:
        return texts if array.ndim else texts[0]
    width = array.shape[1]
    return [texts[at : at + width] for at in range(0, len(texts), width)]


def _array(body: bytes) -> NDArray[np.generic]:
    if not NPY_MAGIC.startswith(body[: len(NPY_MAGIC)]):
        raise undecodable("invalid_body", "no array")
    try:
        major, length = body[6], struct.unpack_from("<H" if body[6] == 1 else "<I", body, 8)[0]
    except (struct.error, IndexError):
        raise undecodable("truncated", "an array without its header") from None
    start = (10 if major == 1 else 12) + length
    if length > MAX_HEADER_BYTES:
        raise undecodable("invalid_body", f"a header of more than {MAX_HEADER_BYTES} bytes")
    header = body[start - length : start].decode("latin-1")
    if len(header) < length:
        raise undecodable("truncated", "an array without its header")
    dtype, shape = _dtype(header), _shape(header)
    count = prod(shape)
    if count == 0 or dtype.itemsize == 0:
        return np.empty(0, dtype)
    if count * dtype.itemsize > len(body) - start:
        raise undecodable("truncated", "fewer bytes than the header of the array says")
    flat: NDArray[np.generic] = np.frombuffer(body, dtype, count, start)
    return flat.reshape(shape, order="F" if _FORTRAN.search(header) else "C")


def _dtype(header: str) -> np.dtype[np.generic]:
    simple, structured = _DESCR.search(header), _FIELDS.search(header)
    try:
        if simple is not None:
            return np.dtype(simple[1])
        if structured is not None:
            return np.dtype([(name, kind) for name, kind in _FIELD.findall(structured[1])])
    except (TypeError, ValueError):
        raise undecodable("invalid_body", "no type of numbers or texts") from None
    raise undecodable("opaque_body", "an array of other things than numbers and texts, never loaded")


def _shape(header: str) -> tuple[int, ...]:
    found = _SHAPE.search(header)
    sizes = [size for part in found[1].split(",") if (size := part.strip())] if found is not None else []
    if found is None or len(sizes) > _MAX_DIMENSIONS or not all(map(_SIZE.fullmatch, sizes)):
        raise undecodable("invalid_body", "an array without a shape")
    return tuple(int(size.removesuffix("L")) for size in sizes)


def _members(body: bytes, budget: BodyBudget) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each file of a zip archive, as its directory at the end lists them."""
    # https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.12 and 4.3.16
    end = body.rfind(_END_OF_ZIP)
    if end < 0:
        raise undecodable("truncated", "an archive without its end")
    room = EXPANDED_BYTES
    try:
        count, _, at = struct.unpack_from("<HII", body, end + 10)
        for _ in range(min(count, MAX_COLUMNS)):
            (method,) = struct.unpack_from("<H", body, at + 10)
            size, _, name_length, extra, comment = struct.unpack_from("<IIHHH", body, at + 20)
            (local,) = struct.unpack_from("<I", body, at + 42)
            if body[at : at + 4] != _ENTRY or name_length > MAX_NAME_LENGTH:
                raise undecodable("invalid_body", "no directory of an archive")
            name = body[at + 46 : at + 46 + name_length].decode("utf-8", "replace")
            if not name.endswith(".npy"):
                raise undecodable("opaque_body", "an archive of other things than arrays")
            start = local + 30 + sum(struct.unpack_from("<HH", body, local + 26))
            member = _unpacked(body[start : start + size], method, room, budget)
            room -= len(member)
            yield (name, member)
            at += 46 + name_length + extra + comment
    except struct.error:
        raise undecodable("invalid_body", "no directory of an archive") from None


def _unpacked(member: bytes, method: int, limit_bytes: int, budget: BodyBudget) -> bytes:
    if method == _STORED:
        unpacked = member
    elif method == _DEFLATED:
        try:
            unpacked = zlib.decompressobj(-15).decompress(member, min(limit_bytes, budget.bytes_left) + 1)
        except zlib.error as error:
            raise undecodable("invalid_body", str(error)[:80]) from None
        if len(unpacked) <= limit_bytes:
            budget.take_bytes(len(unpacked))
    else:
        raise undecodable("unsupported_encoding", f"compression {method} of an archive")
    if len(unpacked) > limit_bytes:
        raise undecodable("too_large", f"an archive that expands beyond {EXPANDED_BYTES} bytes")
    return unpacked
