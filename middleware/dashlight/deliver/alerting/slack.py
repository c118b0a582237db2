"""A notice as a message for Slack, and for what takes its messages: Mattermost, Rocket.Chat, Discord under `/slack`."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from dashlight.deliver.alerting.document import AlertContext, time_text
from dashlight.deliver.encoding.plain import Budget, plain_text
from dashlight.records import Notice

_MOST_LISTED = 10
_MOST_CHARACTERS = 2900
"""Of a section, with room below Slack's 3000."""
_MOST_LINE = 400
_SLACK_HOSTS = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})
_MATTERMOST_PATH = re.compile(r"(?:/.*)?/hooks/[a-z0-9]{26}/?")
# Without a width: Mattermost and Discord wake everybody for `@channel`, `@here` and `@everyone` in a plain text.
_HARMLESS_AT = "@\u200b"


def is_slack(url: str) -> bool:
    """Whether *url* is by its looks one of those that take Slack's messages."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    discord = host in {"discord.com", "discordapp.com"} and parts.path.rstrip("/").endswith("/slack")
    return host in _SLACK_HOSTS or discord or _MATTERMOST_PATH.fullmatch(parts.path) is not None


def escaped(text: str) -> str:
    """*text* so that it is shown as it is: a column may be called `<!channel>`, which wakes everybody."""
    plain = plain_text(text, Budget())
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("@", _HARMLESS_AT)


def message(notice: Notice, context: AlertContext, *, reminder: int = 0) -> dict[str, object]:
    """The message: all of it in `text`, which others than Slack show, and in `blocks`, which Slack shows instead."""
    pieces = [_headline(notice, context, reminder=reminder)]
    lines = [f"• {_line(each.summary)}" for each in notice.alerts[:_MOST_LISTED] if notice.alert_count > 1]
    left_out = notice.alert_count - len(lines)
    if lines and left_out > 0:
        lines.append(f"• and {left_out} more")
    if lines:
        pieces.append(_cut("\n".join(lines)))
    pieces.append(_footer(notice, context))
    return {
        "text": "\n".join(pieces),
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": each}} for each in pieces],
    }


def _headline(notice: Notice, context: AlertContext, *, reminder: int) -> str:
    word = "still firing" if reminder else notice.transition
    where = " ".join(_line(each) for each in (context.service, notice.model, notice.endpoint) if each)
    return _cut(f"*{word}*: {where}: {_line(notice.summary)}")


def _footer(notice: Notice, context: AlertContext) -> str:
    since = time_text(notice.since_at)
    traces = [_trace(each, place) for place, each in enumerate(context.links(notice), 1)]
    told = [f"since {since}" if since else "", f"traces: {' '.join(traces)}" if traces else "", _line(notice.key)]
    return _cut(" · ".join(filter(None, told)))


def _trace(link: str, place: int) -> str:
    # Inside a link a `|` or `>` ends it.
    address = escaped(link).replace(_HARMLESS_AT, "%40").replace("|", "%7C")
    return f"<{address}|{place}>" if "://" in link else escaped(link)


def _line(text: str) -> str:
    """*text* from outside, on one line and not too long."""
    flat = " ".join(text.split())
    return escaped(flat if len(flat) <= _MOST_LINE else f"{flat[: _MOST_LINE - 3]}...")


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 3]}..."
