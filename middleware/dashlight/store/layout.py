"""How values of one type are written, and read again only where they are what they claim to be."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, Generic, TypeVar, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from dashlight.errors import StateError
from dashlight.store.arrays import ArrayReader, ArrayWriter
from dashlight.store.frozen import Buffer, Part, sealed, unsealed

Value = TypeVar("Value")

MOST_BODY_BYTES = 16 << 20
"""Of a part beside its large arrays: read, a byte may become as many as a hundred."""


@dataclass(frozen=True, slots=True)
class Layout(Generic[Value]):
    """The layout of values of one type: data classes of numbers, texts, arrays, and sequences and mappings of these.

    A field that is added with a default needs no new version: an older Dashlight passes it over, a newer one does
    without it. Whatever else changes in what the bytes are or mean does.
    """

    name: str
    version: int
    type: Any
    check: Callable[[Value], None] = lambda _: None
    """Raises ValueError where parts of a value do not agree that each for itself is right."""
    earlier: Mapping[int, Callable[[Part], Value]] = field(default_factory=dict[int, Callable[[Part], Value]])
    """How to read what earlier versions wrote, by version."""

    def part(self, value: Value) -> Part:
        """*value* as a part of a state; StateError of kind `not_written` where it is no plain data, or too much."""
        try:
            try:
                writer, body = _encoded(value)
            except UnicodeEncodeError:  # half of a surrogate pair, which UTF-8 does not have
                writer, body = _encoded(_writable(value))
        except (TypeError, OverflowError, RecursionError, ValueError, msgspec.MsgspecError) as error:
            raise StateError("not_written", f"a {self.name} cannot be kept: {error}") from error
        if len(body) > MOST_BODY_BYTES:
            raise StateError("not_written", f"a {self.name} of {len(body)} bytes is larger than {MOST_BODY_BYTES}")
        return Part(self.name, self.version, body, writer.apart)

    def value(self, part: Part) -> Value:
        """The value of which *part* was made.

        Raises:
            StateError: of kind `other_version` where another version of the layout wrote it that cannot be read, else of
                kind `corrupt`: it is not what this layout writes.
        """
        if part.name != self.name:
            raise StateError("corrupt", f"a {part.name}: expected a {self.name}")
        if part.version != self.version and part.version not in self.earlier:
            sentence = f"a {self.name} of version {part.version}: this Dashlight reads {self.version}"
            raise StateError("other_version", sentence, is_newer=part.version > self.version)
        try:
            return self._read(part) if part.version == self.version else self.earlier[part.version](part)
        except Exception as error:  # also MemoryError and RecursionError: bytes can say anything
            raise StateError("corrupt", f"this is no {self.name}: {error}") from error

    def freeze(self, value: Value) -> list[Buffer]:
        """The file of *value* alone, in pieces: to be written before *value* changes. Raises as `part` does."""
        return sealed([self.part(value)])

    def thaw(self, blob: bytes | bytearray | memoryview) -> Value:
        """The value of whose file this is; raises as `unsealed` and `value` do."""
        parts = unsealed(blob)
        if len(parts) != 1:
            raise StateError("corrupt", f"{len(parts)} parts: expected a {self.name}")
        return self.value(parts[0])

    def _read(self, part: Part) -> Value:
        if len(part.body) > MOST_BODY_BYTES:
            raise ValueError(f"{len(part.body)} bytes: expected {MOST_BODY_BYTES} at most")
        size_bytes = len(part.body) + sum(map(len, part.arrays))
        reader = ArrayReader(part.arrays, most_texts=size_bytes)
        value = cast("Value", msgspec.msgpack.decode(part.body, type=self.type, dec_hook=reader.array))
        self.check(value)
        return value


def _encoded(value: object) -> tuple[ArrayWriter, bytes]:
    writer = ArrayWriter()
    return writer, msgspec.msgpack.encode(value, enc_hook=writer.plain)


def _writable(value: object) -> object:
    """*value* with a replacement character for whatever UTF-8 does not have."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{each.name: _writable(getattr(value, each.name)) for each in fields(value)})
    if isinstance(value, Mapping):
        entries = cast("Mapping[object, object]", value).items()
        return {_writable(key): _writable(each) for key, each in entries}
    if isinstance(value, tuple | list | frozenset):
        return tuple(_writable(each) for each in cast("Sequence[object]", value))
    if isinstance(value, np.ndarray):
        array = cast("NDArray[np.object_]", value)
        return np.vectorize(_writable, otypes=[object])(array) if array.dtype == object and array.size else array
    return value
