import base64
import struct
import zlib

import pytest

from dashlight.decode.formats.attachments import Attachment, attached, cell_of_bytes, cells_of_text, with_attachments
from dashlight.decode.rows.budget import BodyBudget

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">IIBBBBB", 640, 480, 8, 2, 0, 0, 0) + b"\0" * 30
JPEG = b"\xff\xd8\xff\xc0\0\x11\x08" + struct.pack(">HH", 12, 16) + bytes(range(60))
PNG_CELL = {"format": "png", "bytes": 59, "width": 640, "height": 480}
JPEG_CELL = {"format": "jpeg", "bytes": 71, "width": 16, "height": 12}


def written(body: bytes) -> str:
    return base64.b64encode(body).decode()


@pytest.mark.parametrize(
    ("body", "media_type", "kind", "cell"),
    [
        pytest.param(PNG, "", "image", PNG_CELL, id="PNG"),
        pytest.param(JPEG, "image/png", "image", JPEG_CELL, id="the bytes are asked first"),
        pytest.param(b"BMxx", "image/x-bmp", "image", {"format": "bmp", "bytes": 4}, id="a format by its type"),
        pytest.param(b"RIFFxxxxWAVE", "", "audio", {"format": "wav", "bytes": 12}, id="a sound"),
        pytest.param(b"ID3....", "", "audio", {"format": "mp3", "bytes": 7}, id="music"),
        pytest.param(b"\0\0\0\x20ftypisom", "", "video", {"format": "mp4", "bytes": 12}, id="a film"),
        pytest.param(b"%PDF-1.7", "", "document", {"format": "pdf", "bytes": 8}, id="a document"),
    ],
)
def test_of_a_file_format_and_size_are_kept(body: bytes, media_type: str, kind: str, cell: dict[str, object]) -> None:
    assert attached(body, media_type) == (kind, cell)


def test_other_bytes_are_no_file() -> None:
    assert attached(b'{"a": 1}', "application/json") is None


def test_the_size_of_a_file_of_which_only_the_beginning_is_there_is_told() -> None:
    assert attached(PNG[:33], size_bytes=2_000_000) == ("image", {**PNG_CELL, "bytes": 2_000_000})


@pytest.mark.parametrize(
    ("body", "cell"),
    [(b"text", {"bytes": 4}), (b"", {"bytes": 0}), (PNG, PNG_CELL)],
    ids=["a text", "nothing", "an image"],
)
def test_bytes_are_told_by_their_size_whatever_they_are(body: bytes, cell: object) -> None:
    assert cell_of_bytes(body, None) == cell


def test_a_tensor_of_bytes_holds_texts_or_files() -> None:
    assert cells_of_text([b"caf\xc3\xa9", b""], None) == ["caf\u00e9", ""]
    assert cells_of_text([b"caf", b"", PNG], None) == [{"bytes": 3}, {"bytes": 0}, PNG_CELL]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        pytest.param(written(PNG), PNG_CELL, id="base64"),
        pytest.param(written(JPEG), JPEG_CELL, id="base64 with a slash"),
        pytest.param(base64.urlsafe_b64encode(JPEG).decode().rstrip("="), JPEG_CELL, id="base64 for URLs, not padded"),
        pytest.param(written(PNG)[:40] + "\n" + written(PNG)[40:], PNG_CELL, id="in lines"),
        pytest.param("data:image/png;base64," + written(PNG), PNG_CELL, id="a data URL"),
        pytest.param(
            "data:image/svg+xml;base64," + written(b"<svg/>" * 9), {"format": "svg+xml", "bytes": 54}, id="a drawing"
        ),
        pytest.param("data:text/plain;charset=x;base64," + written(b"hello " * 9), {"bytes": 54}, id="another file"),
    ],
)
def test_an_image_within_json_is_one_cell(text: str, cell: dict[str, object]) -> None:
    value = {"image": text, "top_k": [1, 2], "note": "a cat", "rows": [{"b64": text}, {"b64": text, "k": 1}]}

    found = with_attachments(value, f'{{"image": "{text}"}}'.encode())

    assert found == {"image": cell, "top_k": [1, 2], "note": "a cat", "rows": [cell, {"b64": cell, "k": 1}]}
    assert isinstance(found, dict)
    assert isinstance(found["image"], Attachment)


@pytest.mark.parametrize(
    "text",
    [
        "/9j/ is how a JPEG begins in base64, you know, and this is a text",
        "/9j/" + "A" * 61,
        "/9j/" + "A" * 60,
        "R0lGOD",
        "data:image/png,%89PNG" + "." * 60,
        "just a text that is long enough to be looked at as well",
    ],
    ids=["words", "no whole bytes", "no size in it", "four letters", "a URL without base64", "another"],
)
def test_a_text_that_is_no_image_stays_a_text(text: str) -> None:
    value = {"text": text}

    assert with_attachments(value, f'{{"text": "{text}"}}'.encode()) == value


def test_of_a_small_png_the_light_is_told_too() -> None:
    head = struct.pack(">IIBBBBB", 2, 1, 8, 0, 0, 0, 0)
    data = zlib.compress(b"\0\0\xff")
    body = (
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + head + b"\0" * 4 + struct.pack(">I", len(data)) + b"IDAT" + data + b"\0" * 4
    )

    found = attached(body, budget=BodyBudget(len(body), most_bytes=0))

    cell = {"format": "png", "bytes": len(body), "width": 2, "height": 1, "brightness": 0.5, "contrast": 0.5}
    assert found == ("image", cell)
