import pytest

from dashlight.decode.compiled.shapes import Fields, Items, Leaf, leaf_count, shape_of, unified

NUMBER, TEXT, FLAG, NULL = (Leaf(frozenset({sort})) for sort in ("number", "text", "flag", "null"))


def test_a_value_has_the_shape_of_its_keys_types_and_lengths() -> None:
    value = {"a": 1, "b": {"c": 2.5, "d": "x"}, "e": [1, None, 2.0], "f": True, "g": None}

    assert shape_of(value) == Fields(
        (
            ("a", NUMBER),
            ("b", Fields((("c", NUMBER), ("d", TEXT)))),
            ("e", Items((NUMBER, NUMBER, NUMBER))),
            ("f", FLAG),
            ("g", NULL),
        )
    )


@pytest.mark.parametrize(
    ("value", "leaves"),
    [(3, 1), ("x", 1), ([1, 2], 2), (["a", "b"], 2), ([True], 1), ([[1, 2]], 2), ([{"a": 1, "b": 2}], 2)],
    ids=str,
)
def test_scalars_and_lists_have_shapes_too(value: object, leaves: int) -> None:
    shape = shape_of(value)

    assert shape is not None
    assert leaf_count(shape) == leaves


@pytest.mark.parametrize(
    "value",
    [
        pytest.param({}, id="an empty object"),
        pytest.param([], id="an empty list"),
        pytest.param({"a": {}}, id="an empty object inside"),
        pytest.param([{"a": 1}, {"a": 2}], id="several objects"),
        pytest.param([[1], [2]], id="several lists"),
        pytest.param(["a", None], id="texts and null"),
        pytest.param([1, True], id="numbers and truths"),
        pytest.param([[]], id="an empty list inside"),
        pytest.param([0] * 300, id="a long list"),
        pytest.param({str(at): 1 for at in range(300)}, id="many keys"),
        pytest.param({"a": [0] * 200, "b": [0] * 200}, id="many leaves"),
        pytest.param({"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": 1}}}}}}}}}, id="too deep"),
        pytest.param({"a": b"bytes"}, id="what is no JSON"),
    ],
)
def test_a_value_whose_content_decides_how_it_is_read_has_no_shape(value: object) -> None:
    assert shape_of(value) is None


def test_scalars_of_two_sorts_are_of_both() -> None:
    assert unified(NUMBER, NULL) == Leaf(frozenset({"number", "null"}))
    assert unified(TEXT, TEXT) == TEXT


def test_a_scalar_that_one_object_lacks_is_optional() -> None:
    first, second = shape_of({"a": 1, "b": "x"}), shape_of({"b": "y", "c": None})

    assert first is not None
    assert second is not None
    assert unified(first, second) == Fields((("a", NUMBER), ("b", TEXT), ("c", NULL)), frozenset({"a", "c"}))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"a": 1}, {"a": {"b": 1}}),
        ({"a": 1}, {"a": 1, "b": {"c": 1}}),
        ({"a": 1}, {"a": 1, "b": [1]}),
        ({"a": [1]}, {"a": [1, 2]}),
        ({"a": [1]}, {"a": ["x"]}),
        ({"a": {"b": 1}}, {"a": {"b": [1]}}),
        ([1], {"a": 1}),
    ],
    ids=[
        "scalar and object",
        "an object more",
        "a list more",
        "lengths",
        "types in lists",
        "deeper",
        "list and object",
    ],
)
def test_values_of_another_structure_have_no_shape_in_common(first: object, second: object) -> None:
    one, other = shape_of(first), shape_of(second)

    assert one is not None
    assert other is not None
    assert unified(one, other) is None
    assert unified(other, one) is None
