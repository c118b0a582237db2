"""What stands for a value that must not be known: a keyed hash, the same for the same value under the same key."""

from dataclasses import dataclass, field
from hashlib import blake2b, sha256
from typing import Final

HASH_PREFIX: Final = "hash:"
"""Of every hash, so that nobody takes one for a value."""
KEY_BYTES: Final = 32
FEWEST_CHARACTERS: Final = 16
"""Of the secret that an operator gives."""

_HASH_BYTES = 8
_OF_NUMBER = "#"


@dataclass(frozen=True, slots=True)
class HashKey:
    """The key of the hashes of values. Without it nobody can tell by trying which value a hash stands for."""

    secret: bytes = field(repr=False)
    is_given: bool = False
    """Whether the operator gave it (DASHLIGHT_HASH_KEY): then hashes are told, and can be followed from machine to machine."""

    @classmethod
    def of_setting(cls, text: str) -> "HashKey":
        """The key that DASHLIGHT_HASH_KEY says."""
        return cls(sha256(text.encode(errors="surrogatepass")).digest(), is_given=True)

    @classmethod
    def travelling(cls, text: object) -> "HashKey | None":
        """The key that came with a file, in hexadecimal; None where *text* is none."""
        is_key = isinstance(text, str) and len(text) == 2 * KEY_BYTES and set(text) <= set("0123456789abcdef")
        return cls(bytes.fromhex(str(text))) if is_key else None

    @property
    def name(self) -> str:
        """By which one key is told from another; nothing follows from it."""
        return blake2b(b"name", key=self.secret, digest_size=4).hexdigest()

    def hash(self, text: str) -> str:
        """What stands for *text*, and whether it is a number: keyed BLAKE2b of 64 bits.

        Source: RFC 7693.
        """
        digest = blake2b(text.encode(errors="surrogatepass"), key=self.secret, digest_size=_HASH_BYTES).hexdigest()
        return f"{HASH_PREFIX}{digest}{_OF_NUMBER if is_number(text) else ''}"

    def number(self, said: str) -> int:
        """64 bits that follow from the key and what is *said*, and from which nothing follows."""
        return int.from_bytes(blake2b(said.encode(), key=self.secret, digest_size=8).digest(), "little")


def is_number(text: str) -> bool:
    """Whether *text* is a number as programs write them, or stands for one."""
    if text.startswith(HASH_PREFIX):
        return _OF_NUMBER in text
    try:
        float(text)
    except ValueError:
        return False
    return True


def is_hash(text: str) -> bool:
    """Whether *text* is what a key made of a value."""
    return text.startswith(HASH_PREFIX)
