"""What a layout writes does not change without a new version: else an older release takes it for what it knows."""

from __future__ import annotations

import hashlib
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import pytest

from dashlight.store.layout import Layout
from dashlight.workers.checkpoints import LAYOUTS
from dashlight.workers.layouts import BRIEFING, FIGURES, PANE, REMAINS, VIEW

ALL: Mapping[str, Layout[Any]] = {
    "pane": PANE,
    "briefing": BRIEFING,
    "figures": FIGURES,
    "view": VIEW,
    "remains": REMAINS,
    **LAYOUTS,
}
DIGESTS = {
    ("pane", 1): "b91bab8c44ebdcfc",
    ("briefing", 1): "ee7de490e8536966",
    ("figures", 1): "f2f410e7009e9a31",
    ("view", 1): "8af6db0eb93721a1",
    ("remains", 1): "ed46b1a60750a2c3",
    ("machine", 1): "4b87ec496c9121a8",
    ("owed", 1): "6d2d54a11cf4d648",
    ("notices", 1): "e93efaa2443e3ec5",
    ("totals", 1): "c448954e2831d593",
    ("endpoint", 1): "b0abddc7c0821742",
    ("comparison", 1): "a5b7cc77a30d3066",
    ("learner", 1): "35d98066a0ba6440",
    ("performance", 1): "b3e95d771bbf499c",
    ("segments", 1): "7aff27828da1d93c",
    ("versions", 1): "e45bee034d645304",
}


def tree(kind: Any, names: Mapping[TypeVar, str]) -> str:
    """All that the bytes of a value of this *kind* depend on: names of fields, and types down to numbers and texts."""
    if isinstance(kind, TypeVar):
        return names[kind]
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return "text"  # one more word is no other layout
    if origin in (Union, types.UnionType):
        return f"({'|'.join(sorted(tree(each, names) for each in arguments))})"
    base = origin or kind
    if is_dataclass(base):
        inner = dict(zip(getattr(base, "__parameters__", ()), (tree(each, names) for each in arguments), strict=True))
        hints = get_type_hints(base)
        return f"{{{','.join(f'{each.name}:{tree(hints[each.name], inner)}' for each in fields(base))}}}"
    if hasattr(base, "_fields"):  # a named tuple
        return f"<{','.join(f'{name}:{tree(each, names)}' for name, each in get_type_hints(base).items())}>"
    told = getattr(base, "__name__", str(base))
    return f"{told}[{','.join(tree(each, names) for each in arguments)}]" if arguments else told


@pytest.mark.parametrize("name", sorted(ALL))
def test_a_change_of_what_is_written_has_a_version_of_its_own(name: str) -> None:
    layout = ALL[name]

    digest = hashlib.sha256(tree(layout.type, {}).encode()).hexdigest()[:16]

    assert DIGESTS.get((name, layout.version)) == digest, (
        f"what {name} writes is another: raise the version of its layout, say in `earlier` how the last one is read, "
        "and enter the digest here; a field that is added with a default needs no new version"
    )
