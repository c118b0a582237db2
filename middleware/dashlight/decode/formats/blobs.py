"""Bytes that travel inside JSON as base64: how many there are is kept, the bytes are not."""

from typing import Final

from dashlight.decode.formats.attachments import Attachment, base64_digits
from dashlight.decode.rows.jsonvalue import is_list, is_object
from dashlight.records import Cell

BLOB_KEY: Final = "b64"
"""The only key of an object that stands for bytes, as TensorFlow Serving and KServe V1 write it."""


def blob(text: str) -> Cell:
    """The size of the bytes that the base64 in *text* stands for, as a cell; *text* itself where it is no base64."""
    digits = base64_digits(text)
    # Four digits of six bits are three bytes.
    return text if digits is None else Attachment(bytes=len(digits) * 3 // 4)


def holds_blob(value: object) -> bool:
    """Whether *value*, or what it holds, is an object that stands for bytes.

    Of a list the first stands for the others: a tensor holds things of one kind.
    """
    while is_list(value) and value:
        value = value[0]
    return is_object(value) and (_is_blob(value) or any(map(holds_blob, value.values())))


def without_blobs(value: object) -> object:
    """*value* with the size in place of every object that stands for bytes; as it is where holds_blob finds none."""
    return _replaced(value) if holds_blob(value) else value


def _replaced(value: object) -> object:
    if is_object(value):
        text = value.get(BLOB_KEY)
        if len(value) == 1 and isinstance(text, str):
            return blob(text)
        return {key: _replaced(child) for key, child in value.items()}
    return [_replaced(child) for child in value] if is_list(value) else value


def _is_blob(value: object) -> bool:
    return is_object(value) and len(value) == 1 and isinstance(value.get(BLOB_KEY), str)
