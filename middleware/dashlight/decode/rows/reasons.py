"""Why a body could not be read: a closed set of words, each a value of a metric's label."""

from typing import Literal, TypeAlias

from dashlight.errors import DecodeError

Reason: TypeAlias = Literal[
    "empty_body",  # nothing was sent
    "truncated",  # it is longer than what is kept, and cannot be read without its end
    "too_large",  # it expands beyond the limit
    "too_complex",  # it asks for more work than bodies of its size do
    "too_deep",  # lists and objects inside one another beyond the limit
    "number_too_long",  # an integer of thousands of digits
    "invalid_json",  # it is said to be JSON, or begins like it, and is not
    "invalid_body",  # it is said to be of another format, or begins like it, and is not
    "invalid_encoding",  # the Content-Encoding cannot be undone
    "unsupported_encoding",  # a Content-Encoding that is not read
    "missing_extra",  # an optional package that reads it is not installed
    "unsupported_media_type",  # text of a kind that is not read
    "binary_body",  # bytes that are no text at all
    "opaque_body",  # bytes whose layout only the model knows, or pickled objects, which are never loaded
    "unsupported_protocol",  # an inference protocol that is recognised, and not read
    "unknown_layout",  # the protocol is known, and this is not its layout
    "handed_over",  # what an adapter handed over is no table
    "unforeseen",  # a mistake of ours: please report it
]


def undecodable(reason: Reason, detail: str = "") -> DecodeError:
    """The error to raise for *reason*; *detail* holds no value of the body."""
    return DecodeError(reason, detail)
