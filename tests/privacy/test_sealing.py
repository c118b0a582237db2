import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.privacy.hashing import HashKey
from dashlight.privacy.sealing import TAG_BYTES, seal, unseal

KEY = HashKey(b"k" * 32)


@given(st.binary(max_size=2000))
def test_what_is_sealed_opens_again(plain: bytes) -> None:
    sealed = seal(plain, KEY)

    assert unseal(sealed, KEY) == plain
    assert len(sealed) == len(plain) + TAG_BYTES


def test_nothing_of_it_can_be_read() -> None:
    assert b"Maria" not in seal(b"Maria Kowalska " * 100, KEY)


def test_it_opens_under_no_other_key_and_not_when_it_was_changed_or_cut() -> None:
    sealed = seal(b"Maria", KEY)

    for wrong, key in ((sealed, HashKey(b"o" * 32)), (sealed[:-1] + b"x", KEY), (sealed[:-1], KEY), (b"", KEY)):
        with pytest.raises(ValueError, match="another key"):
            unseal(wrong, key)
