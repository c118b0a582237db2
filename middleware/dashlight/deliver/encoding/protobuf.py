"""The part of the protocol buffers' wire format that OTLP needs, written by hand.

Source: https://protobuf.dev/programming-guides/encoding/ ; field numbers from opentelemetry-proto.
"""

import struct

from dashlight.deliver.encoding.plain import Budget, Plain, plain, plain_text
from dashlight.deliver.encoding.varint import varint

_DOUBLE = struct.Struct("<d")
_VARINT, _FIXED64, _LENGTH_DELIMITED, _FIXED32 = 0, 1, 2, 5


def varint_field(field: int, *, number: int) -> bytes:
    """A field of type int32, int64, uint32, uint64, bool or enum."""
    return varint(field << 3 | _VARINT) + varint(number)


def length_delimited(field: int, content: bytes) -> bytes:
    """A field of type string, bytes or message."""
    return varint(field << 3 | _LENGTH_DELIMITED) + varint(len(content)) + content


def fixed64_field(field: int, *, number: int) -> bytes:
    """A field of type fixed64."""
    return varint(field << 3 | _FIXED64) + number.to_bytes(8, "little")


def fixed32_field(field: int, *, number: int) -> bytes:
    """A field of type fixed32."""
    return varint(field << 3 | _FIXED32) + number.to_bytes(4, "little")


def any_value(value: Plain) -> bytes:
    """Content of an OTLP AnyValue; nothing at all for None, as OTLP wants it."""
    if value is None:
        return b""
    if isinstance(value, bool):
        return varint_field(2, number=int(value))
    if isinstance(value, str):
        return length_delimited(1, value.encode())
    if isinstance(value, int):
        return varint_field(3, number=value)
    if isinstance(value, float):
        return b"\x21" + _DOUBLE.pack(value)
    if isinstance(value, bytes):
        return length_delimited(7, value)
    if isinstance(value, list):
        return length_delimited(5, b"".join(length_delimited(1, any_value(each)) for each in value))
    return length_delimited(6, b"".join(key_value(1, key, value=each) for key, each in value.items()))


def key_value(field: int, key: str, *, value: Plain) -> bytes:
    """A field of type KeyValue."""
    return length_delimited(field, length_delimited(1, key.encode()) + length_delimited(2, any_value(value)))


def attribute(field: int, key: str, *, value: object, budget: Budget) -> bytes:
    """A field of type KeyValue for a value of any kind, made plain first; nothing where *budget* is used up.

    Raises:
        TypeError: a type that has no plain form.
    """
    if budget.left_bytes <= 0:
        budget.cut = True
        return b""
    return key_value(field, plain_text(key, budget), value=plain(value, budget))
