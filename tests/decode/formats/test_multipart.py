import pytest

from dashlight.decode.formats.multipart import MAX_PART_HEADER_BYTES, MAX_PARTS, read_multipart
from dashlight.decode.rows.reasons import undecodable
from dashlight.errors import DecodeError

TYPE = "multipart/form-data; boundary=XbOuNdX"


def part(disposition: str, value: str, *headers: str) -> str:
    lines = [f"Content-Disposition: form-data; {disposition}", *headers]
    return "--XbOuNdX\r\n" + "\r\n".join(lines) + f"\r\n\r\n{value}\r\n"


def form(*parts: str) -> bytes:
    return ("".join(parts) + "--XbOuNdX--\r\n").encode()


def read_file(body: bytes, media_type: str) -> object:
    if media_type == "bad/type":
        raise undecodable("binary_body")
    return (media_type, len(body))


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        pytest.param(form(part('name="a"', "0.7")), {"a": "0.7"}, id="a text"),
        pytest.param(form(part("name=a", "x")), {"a": "x"}, id="a name without quotation marks"),
        pytest.param(form(part('name="a \\"b\\""', "x")), {'a "b"': "x"}, id="quotation marks in a name"),
        pytest.param(form(part('name="a"', "")), {"a": ""}, id="an empty text"),
        pytest.param(form(part('name="a"', '{"x": [1]}')), {"a": {"x": [1]}}, id="an object in JSON"),
        pytest.param(form(part('name="a"', "[1, 2]")), {"a": [1, 2]}, id="a list in JSON"),
        pytest.param(form(part('name="a"', '"x"')), {"a": "x"}, id="a text in JSON"),
        pytest.param(form(part('name="a"', "[sic]")), {"a": "[sic]"}, id="a text that begins like JSON"),
        pytest.param(form(part('name="a"', "1"), part('name="a"', "2"), part('name="a"', "3")),
                     {"a": ["1", "2", "3"]}, id="a name three times"),
        pytest.param(form(part('name="f"; filename="p.png"', "abc", "Content-Type: image/png")),
                     {"f": ("image/png", 3)}, id="a file"),
        pytest.param(form(part('filename="p"; name="f"', "abc")), {"f": ("", 3)}, id="a file without a type"),
        pytest.param(form(part('name="f"', "abc", "content-type: Application/JSON; charset=utf-8")),
                     {"f": ("application/json", 3)}, id="a typed part"),
        pytest.param(form(part('name="f"', "abc", "Content-Type: text/plain")), {"f": "abc"}, id="a plain part"),
        pytest.param(form(part('name="f"; filename="x"', "abc", "Content-Type: bad/type")),
                     {"f": {"bytes": 3}}, id="a file that cannot be read"),
        pytest.param(form(part('name="a"', "1\r\n--other\r\n2")), {"a": "1\r\n--other\r\n2"}, id="another boundary"),
        pytest.param(form(part('name="a"', "1")).replace(b"\r\n", b"\n"), {"a": "1"}, id="line feeds alone"),
        pytest.param(b"before\r\n" + form(part('name="a"', "1")) + b"behind", {"a": "1"}, id="words around"),
        pytest.param(form(), {}, id="no parts"),
    ],
)  # fmt: skip
def test_parts_are_fields_and_files(body: bytes, fields: object) -> None:
    assert read_multipart(body, TYPE, read_file) == fields


def test_a_boundary_may_stand_in_quotation_marks() -> None:
    body = b'--a b\r\nContent-Disposition: form-data; name="k"\r\n\r\nv\r\n--a b--'

    assert read_multipart(body, 'multipart/form-data; charset=x; Boundary="a b"', read_file) == {"k": "v"}


@pytest.mark.parametrize(
    ("body", "content_type", "reason"),
    [
        pytest.param(b"", TYPE, "empty_body", id="nothing"),
        pytest.param(form(), "multipart/form-data", "invalid_body", id="no boundary"),
        pytest.param(b"words", TYPE, "invalid_body", id="no part"),
        pytest.param(form(part("nome=a", "1")), TYPE, "invalid_body", id="no name"),
        pytest.param(b"--XbOuNdX\r\n\r\n1\r\n--XbOuNdX--", TYPE, "invalid_body", id="no headers"),
        pytest.param(form(part('name="a"', "x" * 300_000))[:-15], TYPE, "truncated", id="no end"),
        pytest.param(form(part('name="a"', "1") * (MAX_PARTS + 1)), TYPE, "too_large", id="too many parts"),
        pytest.param(b"\r\n--XbOuNdX" * 25_000, TYPE, "too_large", id="boundaries alone"),
        pytest.param(form(part('name="' + "\\" * MAX_PART_HEADER_BYTES, "1")), TYPE, "too_large", id="a long header"),
    ],
)
def test_what_is_wrong_with_a_form_is_one_word(body: bytes, content_type: str, reason: str) -> None:
    with pytest.raises(DecodeError) as error:
        read_multipart(body, content_type, read_file)

    assert error.value.reason == reason
