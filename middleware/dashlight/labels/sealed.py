"""Sealed ids: a prediction id that carries the prediction, so that any replica can score its label without a store.

    token  = base64url(head | nonce | cipher text and tag), without padding: at most MOST_CHARACTERS
    head   = version (1 byte) | name of the key (3), which is authenticated
    nonce  = 12 random bytes
    inside = what, little-endian: flags (1), our id of the exchange (16), score (float32), step (uint16);
             model: endpoint, name and version, each with its length, or 8 bytes of a hash where these do not fit;
             classes: each with its length, or 5 bytes of a hash

AES-GCM-SIV (RFC 8452): a nonce that came twice would tell no more than that two predictions were equal.
"""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, Literal, Protocol, TypeAlias

from dashlight.labels.rows import NO_CLASS, ModelKey, Task

MOST_CHARACTERS: Final = 128
NONCE_BYTES: Final = 12
KEY_NAME_BYTES: Final = 3
TAG_BYTES: Final = 16
SECRET_BYTES: Final = 32
LATE_SECONDS: Final = 86_400.0
"""By so much may a prediction be in the future: clocks of machines differ."""

Refusal: TypeAlias = Literal["forged", "foreign", "too_old"]
"""`forged`: nobody sealed it so, or it was changed; `foreign`: under a secret that is not known here."""

_VERSION: Final = 0xD1
_HEAD_BYTES: Final = 1 + KEY_NAME_BYTES
_HEAD_CHARACTERS: Final = 8
"""In which the head stands, and the beginning of the nonce."""
_MOST_BYTES: Final = MOST_CHARACTERS * 3 // 4
_MOST_INSIDE: Final = _MOST_BYTES - _HEAD_BYTES - NONCE_BYTES - TAG_BYTES
_FIXED: Final = struct.Struct("<B16sfH")
_TASKS: Final[tuple[Task, ...]] = ("binary", "multiclass", "regression", "text")
_TASK_BITS, _HASHED_MODEL, _HASHED_CLASSES, _PREDICTION_SHIFT = 0b11, 0b100, 0b1000, 4
_MODEL_HASH_BYTES, _CLASS_HASH_BYTES = 8, 5
_LONGEST_TEXT = 255
_LARGEST: Final = 3e38
_ALPHABET: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


class Cipher(Protocol):
    """Authenticated encryption under one key."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes:
        """*data* encrypted, with its tag."""
        ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes:
        """What was encrypted; ValueError where it was not under this key, or was changed."""
        ...


@dataclass(frozen=True, slots=True)
class SealingKey:
    """A key and what it is told apart by."""

    name: bytes
    """KEY_NAME_BYTES that stand in every token; nothing follows from them."""
    cipher: Cipher


@dataclass(frozen=True, slots=True)
class SealedPrediction:
    """What a sealed id holds."""

    origin: int
    """Our own id of the exchange, a UUIDv7."""
    model: ModelKey | bytes
    """Its hash where the names were too long to stand in the id."""
    task: Task
    classes: tuple[str | bytes, ...]
    """As in ScoredRows; of many classes that of the prediction alone. Hashes where they were too long."""
    score: float
    """To float32; NaN where there is none."""
    prediction: int
    """Place in *classes*, or NO_CLASS."""
    step: int = 0

    @property
    def predicted_at(self) -> float:
        """When it was made, seconds since the epoch, to the millisecond: its id says it."""
        return (self.origin >> 80) / 1000


def secret_of(setting: str) -> tuple[bytes, bytes]:
    """The name of the key that DASHLIGHT_SECRET says, and the key: SECRET_BYTES."""
    key = blake2b(setting.encode(errors="surrogatepass"), digest_size=SECRET_BYTES, person=b"sealed id").digest()
    return blake2b(key, digest_size=KEY_NAME_BYTES, person=b"sealed id name").digest(), key


def seal(prediction: SealedPrediction, key: SealingKey, nonce: bytes) -> str | None:
    """*prediction* as an id, under a *nonce* that is random; None where such a one cannot be sealed: a ranking, a huge number."""
    inside = _inside(prediction)
    if inside is None:
        return None
    head = bytes((_VERSION,)) + key.name
    return urlsafe_b64encode(head + nonce + key.cipher.encrypt(nonce, inside, head)).rstrip(b"=").decode()


def looks_sealed(prediction_id: str, names: Container[bytes] = ()) -> bool:
    """Whether *prediction_id* is to be opened, or refused, rather than looked up.

    It begins as sealed ids do, or names one of the keys of these *names*: somebody changed it, cut it or wrote more behind it.
    """
    raw = _raw(prediction_id)
    if raw is not None:
        return raw[0] == _VERSION or raw[1:_HEAD_BYTES] in names
    begin = prediction_id[:_HEAD_CHARACTERS]
    if len(begin) < _HEAD_CHARACTERS or not _ALPHABET.issuperset(begin):
        return False
    head = urlsafe_b64decode(begin)
    return head[0] == _VERSION and head[1:_HEAD_BYTES] in names


def open_sealed(
    prediction_id: str, keys: Sequence[SealingKey], *, at: float, window_seconds: float
) -> SealedPrediction | Refusal:
    """What the sealed *prediction_id* holds, or why it is refused *at* this moment: its label may take *window_seconds*."""
    raw = _raw(prediction_id)
    if raw is None or raw[0] != _VERSION:
        return "forged"
    head, nonce, sealed = (
        raw[:_HEAD_BYTES],
        raw[_HEAD_BYTES : _HEAD_BYTES + NONCE_BYTES],
        raw[_HEAD_BYTES + NONCE_BYTES :],
    )
    known = [key for key in keys if key.name == head[1:]]
    if not known:
        return "foreign"
    for key in known:
        try:
            found = _read(key.cipher.decrypt(nonce, sealed, head))
        except (ValueError, struct.error, IndexError):
            continue
        age_seconds = at - found.predicted_at
        return found if -LATE_SECONDS <= age_seconds <= window_seconds else "too_old"
    return "forged"


def hash_of_model(model: ModelKey) -> bytes:
    """What stands for *model* where its names are too long."""
    return blake2b(
        b"".join(_lengthened(name.encode(errors="surrogatepass")) for name in model),
        digest_size=_MODEL_HASH_BYTES,
        person=b"sealed model",
    ).digest()


def hash_of_class(name: str) -> bytes:
    """What stands for a class whose name is too long."""
    return blake2b(name.encode(errors="surrogatepass"), digest_size=_CLASS_HASH_BYTES, person=b"sealed class").digest()


def known_classes(classes: Sequence[str | bytes], names: Sequence[str]) -> tuple[str, ...]:
    """*classes* by name: of hashes those of *names* that they stand for, and of others a text that no label says."""
    by_hash: Mapping[bytes, str] = {hash_of_class(name): name for name in names}
    return tuple(each if isinstance(each, str) else by_hash.get(each, f"\0{each.hex()}") for each in classes)


def _inside(prediction: SealedPrediction) -> bytes | None:
    if prediction.task not in _TASKS or abs(prediction.score) > _LARGEST or not 0 <= prediction.step < 1 << 16:
        return None
    if isinstance(prediction.model, bytes):
        raise TypeError("a prediction is sealed under the names of its model")
    flags = _TASKS.index(prediction.task) | (prediction.prediction + 1) << _PREDICTION_SHIFT
    names = [name.encode(errors="surrogatepass") for name in prediction.model]
    classes = [name.encode(errors="surrogatepass") for name in prediction.classes if isinstance(name, str)]
    room = _MOST_INSIDE - _FIXED.size
    named, hashed = _texts(names), hash_of_model(prediction.model)
    spelled = _texts(classes)
    short = b"".join(hash_of_class(name) for name in prediction.classes if isinstance(name, str))
    for model, told, more in (
        (named, spelled, 0),
        (hashed, spelled, _HASHED_MODEL),
        (named, short, _HASHED_CLASSES),
        (hashed, short, _HASHED_MODEL | _HASHED_CLASSES),
    ):
        if model is not None and told is not None and len(model) + len(told) <= room:
            origin = prediction.origin.to_bytes(16, "big")
            return _FIXED.pack(flags | more, origin, prediction.score, prediction.step) + model + told
    return None


def _read(inside: bytes) -> SealedPrediction:
    fixed: tuple[int, bytes, float, int] = _FIXED.unpack_from(inside)
    flags, origin, score, step = fixed
    rest = inside[_FIXED.size :]
    model: ModelKey | bytes
    if flags & _HASHED_MODEL:
        model, rest = rest[:_MODEL_HASH_BYTES], rest[_MODEL_HASH_BYTES:]
    else:
        endpoint, rest = _cut(rest)
        name, rest = _cut(rest)
        version, rest = _cut(rest)
        model = (endpoint, name, version)
    classes: list[str | bytes] = []
    while rest:
        if flags & _HASHED_CLASSES:
            classes.append(rest[:_CLASS_HASH_BYTES])
            rest = rest[_CLASS_HASH_BYTES:]
        else:
            text, rest = _cut(rest)
            classes.append(text)
    prediction = (flags >> _PREDICTION_SHIFT) - 1
    if prediction >= len(classes):
        prediction = NO_CLASS
    return SealedPrediction(
        int.from_bytes(origin, "big"), model, _TASKS[flags & _TASK_BITS], tuple(classes), score, prediction, step
    )


def _cut(rest: bytes) -> tuple[str, bytes]:
    end = 1 + rest[0]
    return rest[1:end].decode(errors="surrogatepass"), rest[end:]


def _texts(texts: Sequence[bytes]) -> bytes | None:
    if any(len(text) > _LONGEST_TEXT for text in texts):
        return None
    return b"".join(map(_lengthened, texts))


def _lengthened(text: bytes) -> bytes:
    return bytes((min(len(text), _LONGEST_TEXT),)) + text


def _raw(prediction_id: str) -> bytes | None:
    """The bytes of a token; None where *prediction_id* cannot be one."""
    if not 1 < len(prediction_id) <= MOST_CHARACTERS or not _ALPHABET.issuperset(prediction_id):
        return None
    try:
        raw = urlsafe_b64decode(prediction_id + "=" * (-len(prediction_id) % 4))
    except ValueError:
        return None
    if len(raw) < _HEAD_BYTES + NONCE_BYTES + _FIXED.size + TAG_BYTES:
        return None
    # One token has one spelling: the unused bits of its last character are 0.
    return raw if urlsafe_b64encode(raw).rstrip(b"=").decode() == prediction_id else None
