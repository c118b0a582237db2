from dashlight.privacy.hashing import HashKey, is_hash


def test_a_value_has_one_hash_under_one_key_and_another_under_another() -> None:
    key, other = HashKey(b"k" * 32), HashKey(b"o" * 32)

    assert key.hash("Maria") == key.hash("Maria") != other.hash("Maria")
    assert is_hash(key.hash("Maria"))
    assert key.hash("Maria") != key.hash("maria")
    assert key.name != other.name


def test_a_key_shows_itself_nowhere() -> None:
    key = HashKey.of_setting("a secret of the operator")

    assert "secret of" not in repr(key)
    assert repr(key.secret) not in repr(key)
    assert "a secret" not in key.name + key.hash("x")


def test_a_text_that_no_encoding_has_is_hashed_too() -> None:
    assert is_hash(HashKey(b"k" * 32).hash("\ud800"))
