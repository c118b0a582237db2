import pytest

from dashlight.decode.rows.jsonvalue import fields_of, is_list, is_object


@pytest.mark.parametrize(
    ("value", "of_object", "of_list"),
    [({"a": 1}, True, False), ([1], False, True), ("a", False, False), (None, False, False), (1.0, False, False)],
    ids=str,
)
def test_objects_and_lists_are_told_apart(value: object, *, of_object: bool, of_list: bool) -> None:
    assert (is_object(value), is_list(value)) == (of_object, of_list)


def test_what_is_no_object_has_no_fields() -> None:
    assert fields_of({"a": 1}) == {"a": 1}
    assert fields_of([1]) == {}
