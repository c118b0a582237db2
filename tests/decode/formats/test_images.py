import struct

import pytest

from dashlight.decode.formats.images import MAX_SEGMENTS, image_format, image_size

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">IIBBBBB", 640, 480, 8, 2, 0, 0, 0)
GIF = b"GIF89a" + struct.pack("<HH", 320, 200) + b"\0\0\0"
EXIF = b"\xff\xe1" + struct.pack(">H", 2000) + b"x" * 1998
FRAME = b"\xff\xc2\0\x11\x08" + struct.pack(">HH", 768, 1024)
JPEG = b"\xff\xd8" + EXIF + b"\xff\xff\xdb\0\x03\0" + b"\xff\x01" + b"\xff\xc4\0\x02" + FRAME
# The headers of files that the examples of the containers' specifications describe.
LOSSY = b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0\x30\x01\x00\x9d\x01\x2a" + struct.pack("<HH", 550 | 0x4000, 368)
LOSSLESS = b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f" + struct.pack("<I", 385 | (394 << 14))
EXTENDED = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x10\0\0\0" + b"\x8f\x01\x00" + b"\x2b\x01\x00"


@pytest.mark.parametrize(
    ("body", "name", "size"),
    [
        pytest.param(PNG, "png", (640, 480), id="PNG"),
        pytest.param(GIF, "gif", (320, 200), id="GIF"),
        pytest.param(JPEG, "jpeg", (1024, 768), id="progressive JPEG behind EXIF and tables"),
        pytest.param(LOSSY, "webp", (550, 368), id="lossy WebP"),
        pytest.param(LOSSLESS, "webp", (386, 395), id="lossless WebP"),
        pytest.param(EXTENDED, "webp", (400, 300), id="extended WebP"),
        pytest.param(b"II*\0rest", "tiff", None, id="TIFF"),
        pytest.param(b"\0\0\0\x20ftypavif", "avif", None, id="AVIF"),
        pytest.param(b"\0\0\0\x20ftypisom", "", None, id="a film"),
        pytest.param(b'{"a": 1}', "", None, id="JSON"),
        pytest.param(b"", "", None, id="nothing"),
        pytest.param(PNG[:12] + b"tEXt" + PNG[16:], "png", None, id="PNG that begins with a text"),
        pytest.param(b"\xff\xd8\xff\xda\0\0", "jpeg", None, id="JPEG without a frame"),
        pytest.param(b"\xff\xd8\xff\xe0\0\2xx", "jpeg", None, id="JPEG with bytes between its segments"),
        pytest.param(b"\xff\xd8" + b"\xff\xe0\0\2" * (MAX_SEGMENTS + 5), "jpeg", None, id="JPEG of endless segments"),
        pytest.param(LOSSY.replace(b"\x9d", b"\0"), "webp", None, id="WebP without its start code"),
    ],
)
def test_format_and_size_are_in_the_header(body: bytes, name: str, size: tuple[int, int] | None) -> None:
    assert image_format(body) == name
    assert image_size(body) == size


@pytest.mark.parametrize("whole", [PNG, GIF, JPEG, LOSSY, LOSSLESS, EXTENDED])
def test_a_header_that_is_cut_has_no_size(whole: bytes) -> None:
    sizes = {image_size(whole[:length]) for length in range(len(whole))}

    assert sizes <= {None, image_size(whole)}
    assert image_size(whole[:9]) is None
