from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from dashlight.deliver.alerting.document import AlertContext
from dashlight.deliver.alerting.slack import escaped
from dashlight.deliver.alerting.template import PLACEHOLDERS, WebhookTemplate
from dashlight.errors import SettingsError
from dashlight.records import Notice


def template(content: object) -> WebhookTemplate:
    return WebhookTemplate(json.dumps(content).encode(), path="t.json")


def test_texts_are_filled_in_and_everything_else_stays(incident: Callable[..., Notice], context: AlertContext) -> None:
    made = template({"title": "{{severity}}: {{ summary }}", "{{summary}}": [1, True, None, {"on": ["{{endpoint}}"]}]})

    assert made.filled(incident(summary="age rose"), context) == {
        "title": "warning: age rose",
        "{{summary}}": [1, True, None, {"on": ["/predict"]}],
    }


def test_a_placeholder_alone_is_its_value_and_within_a_text_it_is_text(
    incident: Callable[..., Notice], context: AlertContext
) -> None:
    found: Any = template(["{{alert_count}}", "n={{alert_count}}", "{{columns}}", "of {{columns}}"]).filled(
        incident(), context
    )

    assert found == [2, "n=2", ["age", "income"], "of age, income"]


def test_what_a_value_holds_is_neither_structure_nor_placeholder(
    incident: Callable[..., Notice], context: AlertContext
) -> None:
    evil = '"}, "x": "{{key}} {{nonsense}} ${HOME} {0.__class__}'

    assert template({"t": "say {{summary}}"}).filled(incident(summary=evil), context) == {"t": f"say {evil}"}


def test_every_placeholder_has_a_value(incident: Callable[..., Notice], context: AlertContext) -> None:
    for name in PLACEHOLDERS:
        assert template(f"{{{{{name}}}}}").filled(incident(), context) is not None
        assert isinstance(template(f"a {{{{{name}}}}}").filled(incident(), context), str)


def test_what_the_receiver_would_act_on_is_escaped_wherever_it_stands(
    incident: Callable[..., Notice], alert: Callable[..., Any], context: AlertContext
) -> None:
    bad = incident(summary="<!here>", alerts=(alert(column="<!here>"),))

    found = template(["{{summary}}", "{{columns}}", "{{alerts}}", "x {{columns}}"]).filled(bad, context, escape=escaped)

    assert "<!here>" not in json.dumps(found)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"t": "{{sumary}}"}', "{{sumary}}"),
        (b'{"t": "{{Summary}}"}', "braces around none"),
        (b'{"t": "{{summary"}', "braces around none"),
        (b'{"t": "{{summary.__class__}}"}', "braces around none"),
        (b"{", "JSON"),
        (b"\xff", "JSON"),
        (b"[" * 5000 + b"]" * 5000, "JSON"),
        (b'"' + b"x" * 70_000 + b'"', "at most 65536 bytes"),
    ],
)
def test_a_template_that_cannot_be_used_is_a_mistake_in_the_settings(content: bytes, said: str) -> None:
    with pytest.raises(SettingsError, match="DASHLIGHT_WEBHOOK_TEMPLATE='t") as caught:
        WebhookTemplate(content, path="t.json")

    assert said in str(caught.value)
