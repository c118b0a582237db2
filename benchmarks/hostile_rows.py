"""Rows that take far longer to read than their bytes would say: lists, objects and credentials in each, things found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from benchmarks.hostile_pieces import HostileKind, answered, asked, filled, listed


def _told(head: bytes, piece: bytes, tail: bytes) -> HostileKind:
    """An answer of thousands to a request of two rows."""
    return lambda size: answered(filled(size, head, piece + b",", tail), request=b'[{"x":1},{"x":2}]')


ROWS: Final[Mapping[str, HostileKind]] = {
    "JSON: rows of a list in a list": listed(b'{"a":[[1]]}'),
    "JSON: rows of two lists": listed(b'{"a":[1],"b":[2]}'),
    "JSON: rows of two lists of two": listed(b'{"a":[1,2],"b":[3,4]}'),
    "JSON: rows of two objects": listed(b'{"a":{"c":1},"b":{"c":1}}'),
    "JSON: rows of other cells each": listed(b'{},{"a":1}'),
    "JSON: rows of a data frame of other cells each": lambda size: asked(
        filled(size, b'{"dataframe_split":{"columns":["a"],"data":[', b'"",["","$1",{"b":"a"},"A b",null],', b"]}}")
    ),
    "JSON: rows of a text in a list": listed(b'{"a":["b"]}'),
    "JSON: credentials in two cells of each row": listed(b'{"a":[{"pwd":1}],"b":[{}]}'),
    "JSON: credentials below a cell of each row": listed(b'{"a":[{"b":{"pwd":1}}]}'),
    "JSON: credentials in rows that are lists": listed(b'[[{"pwd":1}]]'),
    "JSON: answers of a list in a list": _told(b"[", b'{"a":[[1]]}', b"]"),
    "JSON: answers of other cells each": _told(b"[", b'{},{"scores":true}', b"]"),
    "JSON: answers of two lists": _told(b"[", b'{"a":[1],"b":[2]}', b"]"),
    "JSON: answers of boxes": _told(b"[", b'{"label":"a","score":1,"box":[1,1,2,2]}', b"]"),
    "JSON: answers of lists of boxes": _told(b"[", b'[{"label":"a","score":1,"box":[1,1,2,2]}]', b"]"),
    "JSON: answers of lists of boxes under a key": _told(b'{"data":[', b'[{"box":[1,1,2,2]}]', b"]}"),
    "JSON: answers of boxes beside labels": _told(b"[", b'{"boxes":[[1,1,2,2]],"labels":["a"],"scores":[1]}', b"]"),
    "JSON: answers of objects found": _told(b"[", b'{"o":[{"box":[1,1,2,2]}]}', b"]"),
    "JSON: answers of spans": _told(b"[", b'[{"start":1,"end":2}]', b"]"),
    "JSON: answers of rankings": _told(b"[", b'[{"id":1,"score":2}]', b"]"),
    "JSON: answers of rankings beside scores": _told(b"[", b'{"ids":[1],"scores":[2]}', b"]"),
    "JSON: answers of pairs": _told(b"[", b'[["a",1]]', b"]"),
    "JSON: answers of classes": _told(b"[", b'{"labels":["a","b"],"scores":[2,1]}', b"]"),
    "JSON: answers of labels with scores": _told(b"[", b'[{"label":"a","score":2}]', b"]"),
    "JSON: answers of words": _told(b"[", b'{"words":["a"],"tags":["b"]}', b"]"),
    "JSON: answers of forecasts": _told(b"[", b'{"forecast":[1],"lower":[1]}', b"]"),
    "JSON: answers of numbers in texts": _told(b"[", b'"1.5"', b"]"),
    "JSON: answers of amounts in texts": _told(b"[", b'{"a":"$ 1,250.00"}', b"]"),
}
"""By title."""
