from collections.abc import Callable
from pathlib import Path


def test_every_kind_of_training_file_is_written_the_same_each_time(
    training_file: Callable[[str], Path], training_kinds: tuple[str, ...]
) -> None:
    for kind in training_kinds:
        first = training_file(kind).read_bytes()

        assert first
        assert training_file(kind).read_bytes() == first
