"""What the elements of a list are called that becomes several columns."""

from functools import lru_cache


@lru_cache(maxsize=64)
def element_names(name: str, width: int) -> tuple[str, ...]:
    """`x[0]`, `x[1]`, ...; `0`, `1`, ... where there is no name."""
    return tuple(f"{name}[{place}]" if name else str(place) for place in range(width))


def without_lone_places(names: tuple[str, ...]) -> tuple[str, ...]:
    """*names* in which a list of one element in every row, `x[0]` without an `x[1]`, is its element: `x`."""
    if not any(name.endswith("[0]") for name in names):
        return names
    taken = frozenset(names)
    stems = {name: name[:-3] for name in names if name.endswith("[0]") and f"{name[:-3]}[1]" not in taken}
    return tuple(stem if (stem := stems.get(name)) and stem not in taken else name for name in names)
