"""Values of one type come back as they were; bytes that are none of them are refused."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dashlight.errors import StateError
from dashlight.store.arrays import LARGE_BYTES, MOST_ITEMS_OF_NONE
from dashlight.store.frozen import Part, sealed
from dashlight.store.layout import MOST_BODY_BYTES, Layout


@dataclass(frozen=True, slots=True)
class Sums:
    """A value as a state holds them."""

    name: str
    counts: NDArray[np.int64]
    by_key: Mapping[tuple[str, str], float | None]
    state: Literal["quiet", "firing"] = "quiet"
    added_since: int = 0


SUMS: Layout[Sums] = Layout("sums", 2, Sums)
ANY: Layout[Any] = Layout("any", 1, Any)
TEXTS: Layout[NDArray[np.object_]] = Layout("texts", 1, NDArray[np.object_])


def layout_of(wanted: Any) -> Layout[Any]:
    return Layout("array", 1, wanted)


def again(layout: Layout[Any], value: Any) -> Any:
    return layout.thaw(b"".join(layout.freeze(value)))


def refusal(read: Callable[[], object]) -> StateError:
    with pytest.raises(StateError) as caught:
        read()
    return caught.value


def of(plain: object, wanted: Any, *arrays: bytes) -> Any:
    """The array that somebody wrote as *plain*."""
    part = Part("array", 1, msgspec.msgpack.encode(plain), [memoryview(bytearray(array)) for array in arrays])
    return layout_of(wanted).thaw(b"".join(sealed([part])))


def test_a_value_comes_back_as_it_was() -> None:
    value = Sums("a", np.arange(6).reshape(2, 3), {("a", "b"): float("nan"), ("c", ""): None}, "firing")

    found = again(SUMS, value)

    assert isinstance(found, Sums)
    np.testing.assert_array_equal(found.counts, value.counts)
    assert str(found.by_key) == str(value.by_key)
    assert (found.name, found.state, found.added_since) == ("a", "firing", 0)


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda each: st.lists(each) | st.dictionaries(st.text(), each),
    max_leaves=20,
)


@given(plain)
def test_plain_data_comes_back_as_it_was(value: object) -> None:
    assert again(ANY, value) == value


@pytest.mark.parametrize("length", [3, LARGE_BYTES], ids=["inside", "apart"])
@pytest.mark.parametrize(
    "dtype", ["?", "i1", "<i2", ">i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "<f8", ">f8", "V16"]
)
def test_an_array_comes_back_and_can_be_added_to(dtype: str, length: int) -> None:
    array = (
        np.frombuffer(bytes(range(256)) * length, "V16")[:length].copy() if dtype == "V16" else np.ones(length, dtype)
    )

    found = again(layout_of(NDArray[array.dtype.type]), array.reshape(1, -1))  # type: ignore[name-defined]

    assert found.dtype == array.dtype.newbyteorder("<")
    assert found.shape == (1, length)
    np.testing.assert_array_equal(found[0], array)
    assert found.flags.writeable
    assert found.flags.aligned


@pytest.mark.parametrize(
    "array",
    [np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.arange(20.0)[::3], np.array(3.5), np.zeros((0, 7))],
    ids=["by columns", "with gaps", "one number", "empty"],
)
def test_an_array_comes_back_however_it_lay(array: NDArray[np.float64]) -> None:
    found = again(layout_of(NDArray[np.float64]), array)

    np.testing.assert_array_equal(found, array)
    assert found.shape == array.shape


def test_of_several_types_each_comes_back() -> None:
    wanted = layout_of(NDArray[np.unsignedinteger])

    assert [again(wanted, np.ones(2, name)).dtype for name in ("u2", "u4", "u8")] == ["u2", "u4", "u8"]
    assert refusal(lambda: again(wanted, np.ones(2, "i8"))).kind == "corrupt"


@pytest.mark.parametrize("shape", [(2, 3), (6,), (0, 3), (3, 0), (1, 2, 3)], ids=str)
def test_texts_come_back(shape: tuple[int, ...]) -> None:
    texts = np.array(["a", None, "", "ü", None, None], object)[: np.prod(shape)].reshape(shape)

    found = again(TEXTS, texts)

    assert found.dtype == object
    assert found.shape == shape
    assert found.tolist() == texts.tolist()


def test_numbers_of_numpy_are_numbers() -> None:
    assert again(ANY, [np.int64(3), np.float64(0.5), np.bool_(True)]) == [3, 0.5, True]


def test_half_of_a_surrogate_pair_becomes_another_character() -> None:
    value = Sums("a\ud800", np.zeros(1, np.int64), {("\udfff", "b"): 1.0})

    found = again(SUMS, value)

    assert found.name == "a\ufffd"
    assert found.by_key == {("\ufffd", "b"): 1.0}
    assert again(TEXTS, np.array(["\ud800", None], object)).tolist() == ["\ufffd", None]
    assert again(ANY, {"a": [np.zeros((0, 2), object), np.zeros(1), frozenset("\ud800")]})["a"][2] == ["\ufffd"]


@pytest.mark.parametrize(
    "value",
    [lambda: 1, object(), Sums, 2**64, np.array([1 + 1j]), np.array(["a"]), "x" * (16 << 20)],
    ids=["function", "object", "class", "large number", "complex", "fixed texts", "too large"],
)
def test_what_is_no_plain_data_is_not_written(value: object) -> None:
    error = refusal(lambda: ANY.freeze(value))

    assert error.kind == "not_written"
    assert str(error).startswith("a any ")


def test_what_holds_itself_is_not_written() -> None:
    value: list[object] = []
    value.append(value)

    assert refusal(lambda: ANY.freeze(value)).kind == "not_written"


def test_another_version_is_told_from_damage_and_newer_from_older() -> None:
    for number, is_newer in ((1, False), (3, True)):
        error = refusal(lambda number=number: SUMS.value(Part("sums", number, b"\x80")))  # type: ignore[misc]
        assert (error.kind, error.is_newer) == ("other_version", is_newer)
        assert str(error) == f"a sums of version {number}: this Dashlight reads 2"


def test_an_earlier_version_is_read_where_somebody_says_how() -> None:
    def raised(part: Part) -> Sums:
        return Sums(msgspec.msgpack.decode(part.body, type=str), np.zeros(1, np.int64), {})

    layout: Layout[Sums] = Layout("sums", 2, Sums, earlier={1: raised})

    assert layout.thaw(b"".join(sealed([Part("sums", 1, b"\xa1a")]))).name == "a"
    assert refusal(lambda: layout.value(Part("sums", 1, b"\xc0"))).kind == "corrupt"
    assert refusal(lambda: layout.value(Part("sums", 0, b"\xa1a"))).kind == "other_version"


def test_a_field_that_came_later_is_as_it_is_by_default_and_an_unknown_one_is_passed_over() -> None:
    written = {"name": "a", "counts": ("<i8", [1], bytes(8)), "by_key": {}, "unknown": [1, 2]}

    found = SUMS.value(Part("sums", 2, msgspec.msgpack.encode(written)))

    assert (found.name, found.added_since) == ("a", 0)


def test_a_check_refuses() -> None:
    def check(value: Sums) -> None:
        if value.name != "a":
            raise ValueError("another name")

    layout: Layout[Sums] = Layout("sums", 2, Sums, check)

    assert again(layout, Sums("a", np.zeros(1, np.int64), {})).name == "a"
    error = refusal(lambda: again(layout, Sums("b", np.zeros(1, np.int64), {})))
    assert (error.kind, str(error)) == ("corrupt", "this is no sums: another name")


@pytest.mark.parametrize(
    "parts", [[], [Part("other", 2, b"\x80")], [Part("sums", 2, b"\x80")] * 2], ids=["none", "another", "two"]
)
def test_a_file_of_other_parts_is_damage(parts: list[Part]) -> None:
    assert refusal(lambda: SUMS.thaw(b"".join(sealed(parts)))).kind == "corrupt"


@pytest.mark.parametrize(
    ("plain", "wanted"),
    [
        (None, np.int64),
        (["<i8", [1]], np.int64),
        ({"<i8": 1}, np.int64),
        (["<f8", [1], bytes(8)], np.int64),
        (["|O", [1], bytes(8)], np.int64),
        (["|O", [1], bytes(8)], np.object_),
        (["|V8", [1], bytes(8)], np.void),
        (["<U2", [1], bytes(8)], np.str_),
        ([["<i8"], [1], bytes(8)], np.int64),
        (["<i8", [2], bytes(8)], np.int64),
        (["<i8", [-1], bytes(8)], np.int64),
        (["<i8", [-1, -1], bytes(8)], np.int64),
        (["<i8", [1.0], bytes(8)], np.int64),
        (["<i8", [True], bytes(8)], np.int64),
        (["<i8", 1, bytes(8)], np.int64),
        (["<i8", [1] * 5, bytes(8)], np.int64),
        (["<i8", [2**62, 0], b""], np.int64),
        (["<i8", [MOST_ITEMS_OF_NONE + 1, 0], b""], np.int64),
        (["<i8", [2**63, 2**63], b""], np.int64),
        (["<i8", [1], 0], np.int64),
        (["<i8", [1], -1], np.int64),
        (["<i8", [1], True], np.int64),
        (["<i8", [1], None], np.int64),
        (["|b1", [1], b"\x02"], np.bool_),
        (["texts", [1], [["a"]]], np.int64),
        (["texts", [1], [[b"a"]]], np.object_),
        (["texts", [1], [[1]]], np.object_),
        (["texts", [1], [{}]], np.object_),
        (["texts", [2], [["a"]]], np.object_),
        (["texts", [1], ["a"]], np.object_),
        (["texts", [1], "a"], np.object_),
        (["texts", [], []], np.object_),
        (["texts", [1, 1], []], np.object_),
        (["texts", [2**20], [None]], np.object_),
    ],
    ids=repr,
)
def test_what_is_no_array_of_the_type_is_damage(plain: object, wanted: type[Any]) -> None:
    assert refusal(lambda: of(plain, NDArray[wanted])).kind == "corrupt"  # type: ignore[valid-type]


def test_bytes_apart_belong_to_one_array() -> None:
    array = ["<i8", [1], 0]

    assert of([array], list[NDArray[np.int64]], bytes(8))[0].tolist() == [0]
    assert refusal(lambda: of([array, array], list[NDArray[np.int64]], bytes(8))).kind == "corrupt"


@pytest.mark.parametrize(
    "body",
    [
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xff",
        b"\x91" * 1_000_000,
        b"\x81" * 1_000_000,
        b"\x81\x90\xc0",
        b"\xc1",
        b"\xa1\xff",
        b"",
        b"\xc0\xc0",
    ],
    ids=["list", "map", "bytes", "text", "deep lists", "deep maps", "key", "code", "no text", "nothing", "more"],
)
@pytest.mark.parametrize("layout", [SUMS, TEXTS], ids=["a value", "texts"])
def test_absurd_bytes_are_damage_and_take_no_memory(layout: Layout[Any], body: bytes) -> None:
    blob = b"".join(sealed([Part(layout.name, layout.version, body)]))
    tracemalloc.start()
    try:
        error = refusal(lambda: layout.thaw(blob))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert error.kind == "corrupt"
    assert peak_bytes < 64 * len(blob) + (1 << 20)


def test_a_body_that_is_too_large_is_not_looked_at() -> None:
    part = Part("any", 1, bytes(MOST_BODY_BYTES + 1))

    assert refusal(lambda: ANY.value(part)).kind == "corrupt"


@given(st.binary(max_size=100))
def test_any_bytes_are_a_value_or_refused(body: bytes) -> None:
    for layout in (SUMS, TEXTS):
        assert refusal(lambda layout=layout: layout.value(Part(layout.name, layout.version, body))).kind == "corrupt"  # type: ignore[misc]
