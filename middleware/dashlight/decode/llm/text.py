"""What can be told of a text without a model: about how many tokens, in which scripts, and whether it refuses."""

import re
from typing import Final

import numpy as np

SCRIPTS: Final = ("latin", "cyrillic", "han", "arabic", "devanagari", "other")
MOST_CHARACTERS: Final = 4096
"""Of a longer text only the beginning is looked at for its scripts."""

_ASCII_A_TOKEN = 4
_OTHERS_A_TOKEN = 2
# The first code point of each stretch, and the script of its letters; 6 stands for what is no letter.
_NONE = 6
_STRETCHES = (
    (0x0000, _NONE), (0x0041, 0), (0x005B, _NONE), (0x0061, 0), (0x007B, _NONE), (0x00AA, 0), (0x00AB, _NONE),
    (0x00BA, 0), (0x00BB, _NONE), (0x00C0, 0), (0x00D7, _NONE), (0x00D8, 0), (0x00F7, _NONE), (0x00F8, 0),
    (0x0250, 5), (0x02B9, _NONE), (0x0370, 5), (0x0400, 1), (0x0530, 5), (0x0600, 3), (0x0700, 5), (0x0750, 3),
    (0x0780, 5), (0x0870, 3), (0x0900, 4), (0x0964, _NONE), (0x0966, 4), (0x0980, 5), (0x1C80, 1), (0x1C90, 5),
    (0x1E00, 0), (0x1F00, 5), (0x2000, _NONE), (0x2C00, 5), (0x2C60, 0), (0x2C80, 5), (0x2DE0, 1), (0x2E00, _NONE),
    (0x2E80, 2), (0x3000, _NONE), (0x3005, 2), (0x3008, _NONE), (0x3040, 5), (0x3200, _NONE), (0x3400, 2),
    (0x4DC0, _NONE), (0x4E00, 2), (0xA000, 5), (0xA640, 1), (0xA6A0, 5), (0xA720, 0), (0xA800, 5), (0xA8E0, 4),
    (0xA900, 5), (0xD800, _NONE), (0xF900, 2), (0xFB00, 0), (0xFB07, 5), (0xFB50, 3), (0xFE00, _NONE), (0xFE70, 3),
    (0xFEFF, _NONE), (0xFF21, 0), (0xFF3B, _NONE), (0xFF41, 0), (0xFF5B, _NONE), (0xFF66, 5), (0xFFE0, _NONE),
    (0x10000, 5), (0x1F000, _NONE), (0x20000, 2), (0x40000, _NONE),
)  # fmt: skip
_STARTS = np.array([start for start, _ in _STRETCHES], np.uint32)
_SCRIPT_OF = np.array([script for _, script in _STRETCHES], np.intp)
_LETTER = re.compile(r"[A-Za-z]")
# Chinese, Japanese and Korean characters: about one token each.
_WIDE = ((0x2E80, 0xA000), (0xAC00, 0xD7B0), (0xF900, 0xFB00), (0x20000, 0x40000))

_BEGINNING = 160
"""Characters of an answer in which a refusal says that it is one."""
# Each alternative is a fixed run of words: nothing repeats inside a repetition, so that the search is linear.
_REFUSALS = re.compile(
    r"""(?x)
    \b(?:i|we)\ ?
    (?:can't|cannot|can\ not|could\ not|won't|will\ not|(?:'m|am|are|'re)\ (?:not\ able|unable)\ to|must)
    \ (?:(?:really|directly|personally|ethically|in\ good\ conscience|to)\ )?
    (?:help|assist|provide|comply|fulfil|do\ (?:that|this|so)\b|support|create|write|generate|produce|answer|discuss|share
      |give|offer|continue|engage|participate|respond|decline|refuse|process|complete|perform)
    | ^as\ an\ ai\b
    | ^(?:i(?:'m|\ am)\ )?(?:really\ |very\ |so\ )?sorry,?\ (?:but\ )?(?:i|we)\ (?:can't|cannot|can\ not)\b
    | \bich\ (?:kann|darf)\ (?:dir|ihnen|dabei|das|diese)\b.{0,160}\bnicht\b
    | \bje\ ne\ peux\ pas\ (?:vous\ |t'|te\ )?(?:aider|fournir|r\u00e9pondre|faire)
    | \bno\ puedo\ (?:ayudar|proporcionar|responder|hacer)
    | \bn\u00e3o\ posso\ (?:ajudar|fornecer|responder|fazer)
    | \bnon\ posso\ (?:aiutar|fornire|rispondere|fare)
    | \u044f\ \u043d\u0435\ \u043c\u043e\u0433\u0443\ (?:\u043f\u043e\u043c\u043e\u0447\u044c|\u043e\u0442\u0432\u0435\u0442\u0438\u0442\u044c|\u043f\u0440\u0435\u0434\u043e\u0441\u0442\u0430\u0432\u0438\u0442\u044c|\u0432\u044b\u043f\u043e\u043b\u043d\u0438\u0442\u044c)
    | ^\u5f88?(?:\u62b1\u6b49|\u5bf9\u4e0d\u8d77)[\uff0c,\s]?\u6211(?:\u65e0\u6cd5|\u4e0d\u80fd|\u4e0d\u4f1a)
    | ^\u7533\u3057\u8a33.{0,160}(?:\u3067\u304d\u307e\u305b\u3093|\u304b\u306d)
    """
)


def approximate_tokens(text: str) -> int:
    """About how many tokens *text* is; 0 only where it is empty.

    tokens = ceil(a/4 + w + o/2),  a: characters of ASCII, w: of Chinese, Japanese and Korean, o: others

    A rule of thumb (https://help.openai.com/en/articles/4936856): a third off is usual.
    """
    if text.isascii():
        return -(-len(text) // _ASCII_A_TOKEN)
    codes = _codes(text)
    wide = sum(int(np.count_nonzero((codes >= start) & (codes < stop))) for start, stop in _WIDE)
    plain = int(np.count_nonzero(codes < 0x80))
    return int(np.ceil(plain / _ASCII_A_TOKEN + wide + (len(codes) - wide - plain) / _OTHERS_A_TOKEN))


def script_shares(text: str) -> tuple[float, ...] | None:
    """For each of SCRIPTS its share of the letters in *text*; None where there are no letters."""
    beginning = text[:MOST_CHARACTERS]
    if beginning.isascii():
        return (1.0, 0.0, 0.0, 0.0, 0.0, 0.0) if _LETTER.search(beginning) else None
    places = np.searchsorted(_STARTS, _codes(beginning), side="right") - 1
    counts = np.bincount(_SCRIPT_OF[places], minlength=_NONE + 1)[:_NONE]
    letters = int(counts.sum())
    return tuple(float(count) / letters for count in counts) if letters else None


def looks_like_refusal(text: str) -> bool:
    """Whether *text* begins as language models begin when they decline. A heuristic: it errs both ways."""
    beginning = " ".join(text[:_BEGINNING].lower().replace("\u2019", "'").split())
    return _REFUSALS.search(beginning) is not None


def _codes(text: str) -> "np.ndarray[tuple[int], np.dtype[np.uint32]]":
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
