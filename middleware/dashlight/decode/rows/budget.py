"""How much may be made of one body, and of one table: work in proportion to bytes, so that a small body costs little."""

import re
from collections.abc import Iterable
from typing import Final

from dashlight.decode.rows.reasons import undecodable

MAX_COLUMNS: Final = 256
"""Columns of one table; the rest is counted."""
MAX_SPREAD: Final = 256
"""A longer list of scalars stays one vector column; so does a shorter one of an answer that is an embedding, a forecast or
a ranking by its name."""
MAX_ROWS: Final = 10_000
"""Rows of one exchange; the rest is counted."""
MAX_CELLS: Final = 1 << 17
"""Cells of one table of one exchange: as many as 256 KiB of JSON can hold."""

MAX_KEYS_READ: Final = 1024
"""Keys of one object that are looked at; the rest is counted."""
MAX_RATIO: Final = 100
"""Bytes to which one byte of a compressed body may expand."""
FREE_NODES: Final = 1 << 14
BYTES_PER_NODE: Final = 5
"""A body of JSON may hold FREE_NODES lists and objects, and one more for each so many bytes: 68,812 in 256 KiB."""
BYTES_PER_NODE_LENIENTLY: Final = 16
"""Where Python's own parser has to read it, which is slower."""
MAX_KEYS: Final = 1 << 13
"""Keys of one object beside as many lists and objects: more columns of rows, or levels of names, has no model."""
MAX_LEVELS: Final = 32
"""Lists and objects inside one another; no model is asked in deeper ones."""
FREE_CELLS: Final = 1 << 16
CELLS_PER_VALUE: Final = 64
"""A table may have FREE_CELLS cells, and so many more for each value that its body holds: the rest would be nulls."""
FREE_PIXELS: Final = 1 << 12
PIXELS_PER_BYTE: Final = 8
MAX_PIXELS: Final = 1 << 16
"""Samples of the images of one body that are looked into; the other images have neither brightness nor contrast."""
PIXELS_PER_IMAGE: Final = 1 << 8
"""What an image costs at least: one of a single pixel takes as long as one of so many."""
FREE_WORK: Final = 7 << 12
CELLS_PER_WORK: Final = 2
"""What reading the rows of one table may take, 0.7 us each, and 1 more for so many cells; rows behind are counted only."""
WORK_PER_NODE: Final = 4
"""A row, an object in it, or a list that stays a cell."""
WORK_PER_VECTOR: Final = 3
"""A list that becomes columns, or an object with other keys than the one before."""
WORK_PER_LONE: Final = 1
"""Such a list of one element."""
WORK_PER_LIST: Final = 20
"""A list of what was found or ranked, or lists that belong together: what is told of them is computed."""
MAX_FILES: Final = 1 << 14
"""Cells of one body that are bytes and no texts."""

_NO_BRACKETS = bytes(sorted(set(range(256)) - set(b"[]{}")))
_DEEP = re.compile(rb"[\[{]{%d}" % (MAX_LEVELS + 1))


class BodyBudget:
    """What may still be made of one body, whichever of its parts asks first."""

    __slots__ = ("_bytes", "_files", "_pixels")

    def __init__(self, size_bytes: int, *, most_bytes: int) -> None:
        """*size_bytes* is what was sent, *most_bytes* what all that is compressed in it may expand to at most."""
        self._bytes = min(most_bytes, MAX_RATIO * size_bytes)
        self._files = MAX_FILES
        self._pixels = min(MAX_PIXELS, FREE_PIXELS + PIXELS_PER_BYTE * size_bytes)

    @property
    def bytes_left(self) -> int:
        """To which what is compressed may still expand."""
        return self._bytes

    def take_bytes(self, count: int) -> None:
        """Note that a part of the body expanded to *count* bytes.

        Raises:
            DecodeError: too_complex.
        """
        self._bytes -= count
        if self._bytes < 0:
            raise undecodable("too_complex", f"expands to more than {MAX_RATIO} times its size, or in many parts")

    def take_file(self) -> None:
        """Note a cell of bytes.

        Raises:
            DecodeError: too_complex.
        """
        self._files -= 1
        if self._files < 0:
            raise undecodable("too_complex", f"more than {MAX_FILES} cells of bytes")

    def take_pixels(self, count: int) -> bool:
        """Whether an image of *count* samples may be looked into."""
        cost = max(count, PIXELS_PER_IMAGE)
        if cost > self._pixels:
            return False
        self._pixels -= cost
        return True


class TableBudget:
    """How much work may still be put into the rows of one table."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = FREE_WORK

    @property
    def is_spent(self) -> bool:
        """Whether no further row is to be read."""
        return self._left < 0

    def take(self, work: int) -> None:
        """Note what was done; less than 0 gives back."""
        self._left -= work


def check_nodes(body: bytes, *, bytes_per_node: int = BYTES_PER_NODE) -> None:
    """DecodeError where *body*, in JSON, may hold more lists and objects than its size lets in.

    Brackets are counted, those within texts too: in what is read as a table they are few.

    Raises:
        DecodeError: too_complex; too_deep where they stand inside one another.
    """
    allowed = FREE_NODES + len(body) // bytes_per_node
    if body.count(b"[") + body.count(b"{") <= allowed:
        return
    if _DEEP.search(body.translate(None, _NO_BRACKETS)):
        raise undecodable("too_deep", f"more than {MAX_LEVELS} levels")
    raise undecodable("too_complex", f"more than {allowed} lists and objects")


def check_keys(nodes: Iterable[object], *, nested: int) -> None:
    """DecodeError too_complex where one of *nodes*, which hold *nested* lists and objects in all, has too many keys."""
    if nested > MAX_KEYS and any(type(node) is dict and len(node) > MAX_KEYS for node in nodes):
        raise undecodable("too_complex", f"lists and objects under more than {MAX_KEYS} keys")


def check_cells(made: int, *, given: int) -> None:
    """DecodeError too_complex where a table of *made* cells comes of as few values as *given*."""
    if made > FREE_CELLS + CELLS_PER_VALUE * given:
        raise undecodable("too_complex", f"a table of {made} cells from {given} values")
