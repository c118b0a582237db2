"""How often the rows of a reference repeat as plain values that fit into JSON, and back."""

from typing import Annotated, TypeAlias

import msgspec
import numpy as np

from dashlight.errors import ReferenceDataError
from dashlight.privacy.hashing import HashKey
from dashlight.records import Role
from dashlight.window.payload_reference import PayloadReference
from dashlight.window.payloads.payload_meter import MOST_FREQUENT

_Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
_Share: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1)]
_Hash: TypeAlias = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]


class _PayloadsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    key: _Hash
    role: Role
    rows: _Count
    alone_share: _Share
    frequent: Annotated[list[tuple[_Hash, _Count]], msgspec.Meta(max_length=MOST_FREQUENT)]
    unlisted_count: _Count
    block_share: _Share


def payloads_content(payloads: PayloadReference, key: HashKey | None = None) -> dict[str, object]:
    """*payloads* as plain values; hashes in 16 hexadecimal digits, whose own key is written under *key*."""
    return {
        "key": f"{payloads.key ^ _pad(key):016x}",
        "role": payloads.role,
        "rows": int(payloads.rows),
        "alone_share": float(payloads.alone_share),
        "frequent": [
            [f"{each:016x}", count]
            for each, count in zip(payloads.hashes.tolist(), payloads.counts.tolist(), strict=True)
        ],
        "unlisted_count": int(payloads.unlisted_count),
        "block_share": float(payloads.block_share),
    }


def parsed_payloads(content: object, key: HashKey | None = None) -> PayloadReference:
    """What `payloads_content` gave under *key*; ReferenceDataError where *content* is none."""
    try:
        parsed = msgspec.convert(content, _PayloadsFile)
    except msgspec.ValidationError as error:
        raise ReferenceDataError(f"says of repeated rows what cannot be: {error}") from None
    return PayloadReference(
        key=int(parsed.key, 16) ^ _pad(key),
        role=parsed.role,
        rows=parsed.rows,
        alone_share=parsed.alone_share,
        hashes=np.array([int(each, 16) for each, _ in parsed.frequent], np.uint64),
        counts=np.array([count for _, count in parsed.frequent], np.int64),
        unlisted_count=parsed.unlisted_count,
        block_share=parsed.block_share,
    )


def _pad(key: HashKey | None) -> int:
    """What hides the key of the hashes in the file: with it, few possible rows could be tried one by one."""
    return 0 if key is None else key.number("the key of payloads")
