"""Images, sounds and other files: what is kept of them is a cell of their format and their size, never the bytes."""

import base64
import binascii
import re
from collections.abc import Iterable
from typing import Final

from dashlight.decode.formats.brightness import brightness_and_contrast
from dashlight.decode.formats.images import image_format, image_size
from dashlight.decode.rows.budget import BodyBudget
from dashlight.decode.rows.jsonvalue import NUMBER_TYPES, is_list, is_object
from dashlight.records import Cell

IMAGE: Final = "image"
"""Name of the column of a body that is an image."""

_OTHER_MAGIC = (
    ("document", "pdf", b"%PDF"),
    ("audio", "flac", b"fLaC"),
    ("audio", "ogg", b"OggS"),
    ("audio", "mp3", b"ID3"),
)
_SUBTYPE = re.compile(r"(image|audio|video)/(?:x-)?([a-z0-9.+-]{1,40})")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]*+={0,2}")
_WHITESPACE = b" \t\n\r\x0b\x0c"
_URL = re.compile(r"data:([a-z]++/[a-z0-9.+-]++)(?:;[a-z0-9=._-]++)*;base64,", re.IGNORECASE)
_BASE64_BEGINNINGS = ("iVBORw0KGgo", "/9j/", "R0lGOD", "UklGR", "data:", "_9j_")
"""Of PNG, JPEG, GIF, WebP and of an URL that holds its data; of JPEG in the alphabet for URLs too."""
_BEGINNING_IN_JSON = re.compile(rb'"(?:iVBORw0KGgo|\\?/9j\\?/|_9j_|R0lGOD|UklGR|data:[a-z]++\\?/)')
_SHORTEST_BODY = 48
"""Bytes; no image in base64 with its quotation marks is shorter."""
_BLOB_KEY = "b64"


class Attachment(dict[str, object]):
    """One cell: `format` and `bytes`, of an image `width` and `height`, and `brightness` and `contrast` where cheap.

    A type of its own, so that nobody takes it for an object of the body and spreads it over columns.
    """


def attached(
    body: bytes, media_type: str = "", budget: BodyBudget | None = None, *, size_bytes: int | None = None
) -> tuple[str, Attachment] | None:
    """What kind of file *body* is (image, audio, video, document), and the cell of it; None where it is no such file.

    Args:
        body: The file, or the beginning of it.
        media_type: What the sender says that it is; the bytes are asked first.
        budget: Of what the body may cost that this is a part of; where there is none, or none is left, images are not
            looked into.
        size_bytes: The size of the whole file where *body* is only its beginning.
    """
    cell = Attachment(format="", bytes=len(body) if size_bytes is None else size_bytes)
    name = image_format(body)
    if name:
        cell["format"] = name
        size = image_size(body)
        if size is not None:
            cell["width"], cell["height"] = size
        light = brightness_and_contrast(body, budget) if name == "png" and budget is not None else None
        if light is not None:
            cell["brightness"], cell["contrast"] = light
        return (IMAGE, cell)
    kind, cell["format"] = _other_format(body)
    said = _SUBTYPE.fullmatch(media_type)
    if not kind and said is not None:
        kind, cell["format"] = said[1], said[2]
    return (kind, cell) if kind else None


def sized(body: bytes) -> Attachment:
    """The cell of bytes of which nothing is known but how many they are."""
    return Attachment(bytes=len(body))


def cells_of_bytes(pieces: Iterable[bytes], budget: BodyBudget | None) -> list[Cell]:
    """As cell_of_bytes makes them of each; DecodeError too_complex where they are more than *budget* lets in."""
    cells: list[Cell] = []
    for piece in pieces:
        cells.append(cell_of_bytes(piece, budget))
        if budget is not None:
            budget.take_file()
    return cells


def cell_of_bytes(body: bytes, budget: BodyBudget | None) -> Attachment:
    """The cell of bytes that are a value of their own: what file they are, or how many; never their text.

    A column of bytes stays one whatever they are: an empty file is no empty text.
    """
    found = attached(body, budget=budget)
    return sized(body) if found is None else found[1]


def cells_of_text(pieces: Iterable[bytes], budget: BodyBudget | None) -> list[Cell]:
    """The cells of a tensor of what may be texts or files: texts where all are, files otherwise.

    Raises:
        DecodeError: too_complex, as of cells_of_bytes.
    """
    held = list(pieces)
    try:
        return [piece.decode() for piece in held]
    except UnicodeDecodeError:
        # Images and sounds have bytes in their first lines that no text has.
        return cells_of_bytes(held, budget)


def base64_digits(text: str) -> bytes | None:
    """The digits of the base64 in *text*, without whitespace and padding; None where it is no base64."""
    if not text.isascii():
        return None
    digits = text.encode().translate(None, _WHITESPACE)
    return digits.rstrip(b"=") if _BASE64.fullmatch(digits) else None


def with_attachments(value: object, body: bytes, budget: BodyBudget | None = None) -> object:
    """The JSON *value* of *body* with a cell in place of each image that it holds as base64 or as a data URL."""
    if len(body) < _SHORTEST_BODY or not _BEGINNING_IN_JSON.search(body):
        return value
    return _replaced(value, budget)


def _other_format(body: bytes) -> tuple[str, str]:
    for kind, name, magic in _OTHER_MAGIC:
        if body.startswith(magic):
            return (kind, name)
    if body[:4] == b"RIFF" and body[8:12] == b"WAVE":
        return ("audio", "wav")
    return ("video", "mp4") if body[4:8] == b"ftyp" else ("", "")


def _replaced(value: object, budget: BodyBudget | None) -> object:
    if isinstance(value, str):
        return _embedded(value, budget) or value
    if is_list(value):
        return value if NUMBER_TYPES.issuperset(map(type, value)) else [_replaced(child, budget) for child in value]
    if is_object(value):
        replaced = {key: _replaced(child, budget) for key, child in value.items()}
        blob = replaced.get(_BLOB_KEY) if len(replaced) == 1 else None
        # TensorFlow Serving's way to write bytes: the object stands for the image.
        return blob if isinstance(blob, Attachment) else replaced
    return value


def _embedded(text: str, budget: BodyBudget | None) -> Attachment | None:
    if not text.startswith(_BASE64_BEGINNINGS):
        return None
    url = _URL.match(text[:200])
    digits = base64_digits(text[url.end() :] if url is not None else text)
    if digits is None:
        return None
    try:
        body = base64.b64decode(digits + b"=" * (-len(digits) % 4), altchars=b"-_" if _is_for_urls(digits) else None)
    except binascii.Error:
        return None
    found = attached(body, "" if url is None else url[1].lower(), budget)
    if found is None:
        return None if url is None else sized(body)
    # Four letters of a text may look like an image by chance; a header with a size in it does not.
    return found[1] if url is not None or "width" in found[1] else None


def _is_for_urls(digits: bytes) -> bool:
    return b"-" in digits or b"_" in digits
