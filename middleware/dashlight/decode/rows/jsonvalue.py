"""The kinds of JSON values, as type checkers want to be told them."""

from collections.abc import Mapping
from typing import Final, TypeGuard

NUMBER_TYPES: Final = frozenset({int, float, type(None)})
"""Types of the values of a column of numbers; bool is none of them."""
NESTED_TYPES: Final = frozenset({dict, list})
"""Types of the values that hold others."""


def is_object(value: object) -> TypeGuard[dict[str, object]]:
    """Whether *value* is a JSON object."""
    return type(value) is dict


def is_list(value: object) -> TypeGuard[list[object]]:
    """Whether *value* is a JSON list."""
    return isinstance(value, list)


def fields_of(value: object) -> Mapping[str, object]:
    """*value* where it is an object; no fields where it is anything else."""
    return value if is_object(value) else {}
