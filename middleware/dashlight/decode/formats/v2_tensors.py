"""The binary extension of Open Inference V2: a JSON head, then the bytes of tensors in the order of the head.

https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
"""

import struct
from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dashlight.decode.formats.attachments import cells_of_text, sized
from dashlight.decode.formats.bodies import parse_json
from dashlight.decode.rows.budget import MAX_CELLS, BodyBudget
from dashlight.decode.rows.jsonvalue import fields_of, is_list, is_object
from dashlight.decode.rows.reasons import undecodable
from dashlight.records import Cell

HEAD_LENGTH: Final = b"inference-header-content-length"
"""The header, of request or answer, that says how many bytes of JSON there are."""
SIZE_KEY: Final = "binary_data_size"

_NUMBERS: Final[Mapping[str, str]] = {
    "BOOL": "<u1",
    **{f"{sign}INT{bits}": f"<{sign.lower() or 'i'}{bits // 8}" for sign in ("", "U") for bits in (8, 16, 32, 64)},
    "FP16": "<f2",
    "BF16": "<u2",
    "FP32": "<f4",
    "FP64": "<f8",
}
_DIGITS = 18
_LENGTH = struct.Struct("<I").unpack_from


def with_tensors(body: bytes, head_length: str, budget: BodyBudget | None = None) -> object:
    """The JSON value of *body* with `data` in every tensor that travels behind it as bytes.

    A body without JSON is an Attachment.

    Args:
        body: JSON and bytes.
        head_length: The header HEAD_LENGTH.
        budget: What may be made of the body.

    Raises:
        DecodeError: unknown_layout, truncated, or as parse_json does.
    """
    digits = head_length.strip()
    if not digits.isdecimal() or len(digits) > _DIGITS:
        raise undecodable("unknown_layout", "a length of the JSON that is no number")
    at = int(digits)
    if at == 0:
        # The only input, whose shape and type the model alone knows.
        return sized(body)
    if at > len(body):
        raise undecodable("truncated", "the JSON is shorter than its length says")
    value = parse_json(body[:at], budget)
    run = _Run("", at, at, [])
    for key in ("inputs", "outputs"):
        entries = fields_of(value).get(key)
        for entry in entries if is_list(entries) else ():
            size = fields_of(fields_of(entry).get("parameters")).get(SIZE_KEY)
            if not is_object(entry) or size is None:
                continue
            if type(size) is not int or size < 0:
                raise undecodable("unknown_layout", "a size of a tensor that is no number")
            if size > len(body) - run.stop:
                raise undecodable("truncated", "fewer bytes than the tensors say they have")
            datatype = str(entry.get("datatype", ""))
            if not run.takes(datatype, size):
                run.fill(body, budget)
                run = _Run(datatype, run.stop, run.stop, [])
            run.stop += size
            run.tensors.append((entry, size))
    run.fill(body, budget)
    return value


class _Run:
    """Tensors of one type that stand side by side: they are looked at in one go."""

    __slots__ = ("datatype", "start", "stop", "tensors")

    def __init__(self, datatype: str, start: int, stop: int, tensors: list[tuple[dict[str, object], int]]) -> None:
        self.datatype: Final = datatype
        self.start: Final = start
        self.stop = stop
        self.tensors: Final = tensors

    def takes(self, datatype: str, size: int) -> bool:
        """Whether a tensor of *size* bytes may follow: all before it must be of whole elements."""
        kind = _NUMBERS.get(datatype)
        return kind is not None and datatype == self.datatype and size % np.dtype(kind).itemsize == 0

    def fill(self, body: bytes, budget: BodyBudget | None) -> None:
        """Put `data` into each tensor."""
        kind = _NUMBERS.get(self.datatype)
        if kind is None:
            at = self.start
            for entry, size in self.tensors:
                piece = body[at : at + size]
                entry["data"] = _texts(piece, budget) if self.datatype == "BYTES" else [sized(piece)]
                at += size
            return
        width = np.dtype(kind).itemsize
        cells = _numbers(np.frombuffer(body, kind, (self.stop - self.start) // width, self.start), self.datatype)
        first = 0
        for entry, size in self.tensors:
            entry["data"] = cells[first : first + size // width]
            first += size // width


def _numbers(values: NDArray[np.generic], datatype: str) -> list[Cell]:
    if datatype == "BOOL":
        values = values != 0
    elif datatype == "BF16":
        # The upper half of a 32-bit float.
        values = (values.astype(np.uint32) << 16).view(np.float32)
    cells: list[Cell] = values.tolist()
    return cells


def _texts(piece: bytes, budget: BodyBudget | None) -> list[Cell]:
    """The elements of a tensor of BYTES: a length of four bytes before each."""
    return cells_of_text(_pieces(piece), budget)


def _pieces(piece: bytes) -> Iterator[bytes]:
    at, end = 0, len(piece)
    for _ in range(MAX_CELLS):
        start = at + 4
        if start > end:
            return
        (length,) = _LENGTH(piece, at)
        at = start + length
        if at > end:
            raise undecodable("unknown_layout", "a text beyond the end of its tensor")
        yield piece[start:at]
