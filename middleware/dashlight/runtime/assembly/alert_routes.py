"""Where alerts go, as the settings say: read while the server starts, made on the analysis thread."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dashlight.clock import Clock
from dashlight.deliver.alerting.alertmanager import PATH, AlertmanagerRoute
from dashlight.deliver.alerting.attempts import Attempts
from dashlight.deliver.alerting.command import CommandRoute, Tries
from dashlight.deliver.alerting.document import AlertContext, document
from dashlight.deliver.alerting.names import marked
from dashlight.deliver.alerting.pagerduty import PagerDutyRoute, routing_of
from dashlight.deliver.alerting.sample import sample_notice
from dashlight.deliver.alerting.slack import escaped, is_slack, message
from dashlight.deliver.alerting.template import WebhookTemplate
from dashlight.deliver.alerting.webhook import SLACK_REFUSALS, WebhookRoute, WriteNotice
from dashlight.deliver.transport.egress import Egress
from dashlight.deliver.transport.endpoints import Endpoint, checked_headers
from dashlight.deliver.transport.urls import checked_url, joined, origin
from dashlight.errors import SettingsError
from dashlight.settings import Settings, variable_of
from dashlight.units import small_file

if TYPE_CHECKING:  # they load when they start
    from dashlight.deliver.alerting.route import Route
    from dashlight.deliver.delivery import Connect

_SECRET_HEADERS = re.compile(r"OTEL_EXPORTER_OTLP_(?:\w+_)?HEADERS")
_HOOK = "_DASHLIGHT_RUN"
"""Variable by which `dashlight run` watches what it starts: what the command starts is not the app."""


@dataclass(frozen=True, slots=True)
class PlannedRoutes:
    """The routes that the settings ask for, checked."""

    alertmanagers: Mapping[str, Endpoint]
    """By name; likewise webhooks and PagerDuty."""
    webhooks: Mapping[str, Endpoint]
    slack: frozenset[str]
    """Names of webhooks that take messages as Slack does."""
    template: WebhookTemplate | None
    pagerduty: Mapping[str, Endpoint]
    routing_key: str
    command: Sequence[str]
    command_seconds: float
    command_environ: Mapping[str, str]

    def routes(
        self,
        context: AlertContext,
        *,
        clock: Clock,
        connect: Connect,
        tries: Tries,
        is_quiet: Callable[[str], bool] = lambda _key: False,
    ) -> list[Route]:
        """The routes, none of which has opened a connection.

        *tries* remembers runs of the command; of incidents that are *is_quiet*, by key, nobody is reminded.
        """

        def attempts(endpoint: Endpoint) -> Attempts:
            return Attempts(partial(connect, endpoint))

        made: list[Route] = [
            AlertmanagerRoute(name, attempts(endpoint), context=context, clock=clock)
            for name, endpoint in self.alertmanagers.items()
        ]
        for name, endpoint in self.webhooks.items():
            slack = name in self.slack
            write = self._written(context, slack=slack)
            hopeless = SLACK_REFUSALS if slack else frozenset[int]()
            made.append(
                WebhookRoute(name, attempts(endpoint), write=write, clock=clock, hopeless=hopeless, is_quiet=is_quiet)
            )
        made += [
            PagerDutyRoute(name, attempts(endpoint), routing_key=self.routing_key, context=context, clock=clock)
            for name, endpoint in self.pagerduty.items()
        ]
        if self.command:
            made.append(
                CommandRoute(
                    "command",
                    self.command,
                    environ=self.command_environ,
                    timeout_seconds=self.command_seconds,
                    context=context,
                    tries=tries,
                )
            )
        return made

    def _written(self, context: AlertContext, *, slack: bool) -> WriteNotice:
        template = self.template
        if template is not None:
            escape: Callable[[str], str] = escaped if slack else str
            return lambda notice, reminder: template.filled(notice, context, reminder=reminder, escape=escape)
        if slack:
            return lambda notice, reminder: message(notice, context, reminder=reminder)
        return lambda notice, reminder: document(notice, context, reminder=reminder)


def planned_routes(settings: Settings, environ: Mapping[str, str], *, egress: Egress) -> PlannedRoutes:
    """What *settings* ask for.

    Raises:
        SettingsError: a URL, header, template, key or command that cannot be used. It shows no secret.
    """
    headers = {
        field: checked_headers(variable_of(field), getattr(settings, field))
        for field in ("alertmanager_headers", "webhook_headers")
    }
    alertmanagers = [
        Endpoint(
            joined(checked_url(url, variable=variable_of("alertmanager")), path=PATH),
            headers=headers["alertmanager_headers"],
            egress=egress,
        )
        for url in dict.fromkeys(settings.alertmanager)
    ]
    webhooks = [
        Endpoint(_secret_url(url), headers=headers["webhook_headers"], egress=egress, is_secret=True)
        for url in dict.fromkeys(settings.webhook)
    ]
    named = _named("webhook", webhooks)
    formats = settings.webhook_format
    routing_key, pagerduty_url = routing_of(settings.pagerduty) if settings.pagerduty else ("", "")
    return PlannedRoutes(
        alertmanagers=_named("alertmanager", alertmanagers, lambda each: each.shown.removesuffix(PATH)),
        webhooks=named,
        slack=frozenset(
            name for name, each in named.items() if formats == "slack" or (formats == "auto" and is_slack(each.url))
        ),
        template=_template(settings.webhook_template),
        pagerduty=_named("pagerduty", [Endpoint(pagerduty_url, egress=egress)] if pagerduty_url else []),
        routing_key=routing_key,
        command=_command(settings.on_alert, environ),
        command_seconds=settings.on_alert_timeout,
        command_environ=_without_secrets(environ),
    )


def _named(
    kind: str, endpoints: Sequence[Endpoint], shown: Callable[[Endpoint], str] = lambda each: origin(each.url)
) -> dict[str, Endpoint]:
    """By kind, what may be *shown* of them, and a mark of the whole address where that is not enough.

    They are the same after a restart, in whatever order, and whoever else is told: what is owed goes by them.
    """
    counts = Counter(map(shown, endpoints))
    found: dict[str, Endpoint] = {}
    for each in endpoints:
        is_told = not each.is_secret and counts[shown(each)] == 1
        name = f"{kind} {shown(each)}"
        found[name if is_told else marked(name, each.url)] = each
    return found


def _secret_url(url: str) -> str:
    try:
        return checked_url(url, variable=variable_of("webhook"))
    except SettingsError as mistake:
        raise SettingsError(mistake.variable, "***", "http or https URLs between commas, without credentials") from None


def _template(path: str) -> WebhookTemplate | None:
    if not path:
        return None
    variable = variable_of("webhook_template")
    try:
        template = WebhookTemplate(small_file(Path(path)), path=path)
    except OSError as error:
        raise SettingsError(variable, path, f"a file that can be read ({error.strerror})") from None
    # What cannot be filled in is to be known before there is an alert.
    template.filled(sample_notice(0.0), AlertContext("test", "test"))
    return template


def _command(argv: Sequence[str], environ: Mapping[str, str]) -> Sequence[str]:
    if argv and shutil.which(argv[0], path=environ.get("PATH")) is None:
        # Whoever expects a shell may have put a secret there.
        shown = "***" if "=" in argv[0] else argv[0]
        raise SettingsError(variable_of("on_alert"), shown, "a program that is there and can be executed")
    return argv


def _without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """What a command may see: it needs none of what Dashlight is trusted with, and is not to be watched."""
    secrets = {*Settings.secret_variables(), _HOOK}
    return {name: text for name, text in environ.items() if name not in secrets and not _SECRET_HEADERS.fullmatch(name)}
