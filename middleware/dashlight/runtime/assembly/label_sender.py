"""What a command that asks an app takes from its settings: they are in the same environment as a rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from dashlight.deliver.transport.egress import Egress, egress_of
from dashlight.settings import Settings


@dataclass(frozen=True, slots=True)
class LabelSenderSettings:
    """How to reach an app that takes labels, or shows what it judged."""

    path: str
    """DASHLIGHT_PATH."""
    token: str = field(repr=False)
    """DASHLIGHT_TOKEN, for labels DASHLIGHT_LABELS_TOKEN before it; may be empty."""
    state_dir: str
    egress: Egress


def label_sender_settings(environ: Mapping[str, str]) -> LabelSenderSettings:
    """Those of *environ*; what is wrong in it and does not matter here is the app's affair.

    Raises:
        SettingsError: certificates or a proxy that cannot be used.
    """
    read, _ = Settings.read(environ)
    return replace(viewer_settings(environ), token=read.labels_token or read.token)


def viewer_settings(environ: Mapping[str, str]) -> LabelSenderSettings:
    """Likewise for who asks what an app shows, to which a token for labels is none."""
    read, _ = Settings.read(environ)
    egress = egress_of(environ, authorities=read.ca, proxy=read.proxy)
    return LabelSenderSettings(read.path, read.token, read.state_dir, egress)
