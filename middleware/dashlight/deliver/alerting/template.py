"""A template of JSON: placeholders in its texts are filled in, and nothing else happens."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import cast

import msgspec

from dashlight.deliver.alerting.document import AlertContext, document, time_text
from dashlight.deliver.encoding.plain import Plain
from dashlight.deliver.encoding.slices import slice_words
from dashlight.errors import SettingsError
from dashlight.records import Notice

MOST_BYTES = 64 * 1024
PLACEHOLDERS = (
    "id", "key", "transition", "reminder", "at", "since", "at_seconds", "since_seconds", "severity", "service", "instance",
    "model", "model_version", "endpoint", "summary", "description", "columns", "traces", "alert_count", "alerts",
    "slice",
)  # fmt: skip
"""What may stand between `{{` and `}}`."""
_PLACEHOLDER = re.compile(r"\{\{ ?([a-z_]{1,30}) ?\}\}")
_BRACES = re.compile(r"\{\{|\}\}")
_VARIABLE = "DASHLIGHT_WEBHOOK_TEMPLATE"


class WebhookTemplate:
    """JSON in whose texts placeholders stand.

    A text that is nothing but one placeholder becomes its value as it is, a number or a list; in any other text the value
    stands as text. The structure is that of the template, whatever the values hold; names of members are left as they are.
    """

    def __init__(self, content: bytes, *, path: str) -> None:
        """Reads *content* of the file *path*.

        Raises:
            SettingsError: no JSON, too long, or a placeholder that does not exist. Nothing of the file is shown but that.
        """
        if len(content) > MOST_BYTES:
            raise SettingsError(_VARIABLE, path, f"a file of at most {MOST_BYTES} bytes")
        try:
            self._template = cast("Plain", msgspec.json.decode(content))
            mistakes = sorted({name for text in _texts(self._template) for name in _mistakes(text)})
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise SettingsError(_VARIABLE, path, f"a file of JSON ({error})") from None
        if mistakes:
            raise SettingsError(
                _VARIABLE, path, f"placeholders of {', '.join(PLACEHOLDERS)}; not {', '.join(mistakes)}"
            )

    def filled(
        self,
        notice: Notice,
        context: AlertContext,
        *,
        reminder: int = 0,
        escape: Callable[[str], str] = str,
    ) -> Plain:
        """The template with *notice* in it; *escape* is for what the receiver would not take as mere text."""
        values = _values(notice, context, reminder=reminder)
        return _filled(self._template, values, escape)


def _values(notice: Notice, context: AlertContext, *, reminder: int) -> Mapping[str, Plain]:
    told = document(notice, context, reminder=reminder)
    columns = dict.fromkeys(each.column for each in notice.alerts if each.column)
    return {
        **told,
        "at": time_text(notice.at),
        "since": time_text(notice.since_at),
        "at_seconds": told["at"],
        "since_seconds": told["since"],
        "description": "\n".join(each.summary for each in notice.alerts),
        "columns": list(columns),
        "slice": slice_words(notice),
    }


def _filled(template: Plain, values: Mapping[str, Plain], escape: Callable[[str], str]) -> Plain:
    if isinstance(template, dict):
        return {name: _filled(each, values, escape) for name, each in template.items()}
    if isinstance(template, list):
        return [_filled(each, values, escape) for each in template]
    if not isinstance(template, str):
        return template
    alone = _PLACEHOLDER.fullmatch(template)
    if alone is not None and not isinstance(values[alone[1]], str):
        return _escaped(values[alone[1]], escape)
    # One pass: what a value holds is never filled in again.
    return _PLACEHOLDER.sub(lambda found: escape(_as_text(values[found[1]])), template)


def _escaped(value: Plain, escape: Callable[[str], str]) -> Plain:
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, list):
        return [_escaped(each, escape) for each in value]
    return {name: _escaped(each, escape) for name, each in value.items()} if isinstance(value, dict) else value


def _as_text(value: Plain) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(map(str, value))
    return msgspec.json.encode(value).decode()


def _texts(template: Plain) -> list[str]:
    if isinstance(template, str):
        return [template]
    inside = template.values() if isinstance(template, dict) else template if isinstance(template, list) else ()
    return [text for each in inside for text in _texts(each)]


def _mistakes(text: str) -> list[str]:
    """Placeholders that do not exist, and braces that open or close none."""
    unknown = [f"{{{{{name}}}}}" for name in _PLACEHOLDER.findall(text) if name not in PLACEHOLDERS]
    return unknown + (["braces around none"] if _BRACES.search(_PLACEHOLDER.sub("", text)) else [])
