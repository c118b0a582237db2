"""Where this process meets the others of its machine that serve the same."""

from __future__ import annotations

import hashlib
import logging
import platform
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path

from dashlight.errors import StateError
from dashlight.settings import PREFIX, Settings
from dashlight.workers.application import application_of
from dashlight.workers.files import SharedFiles
from dashlight.workers.rendezvous import Meeting

logger = logging.getLogger(__name__)


def meeting_of(settings: Settings, environ: Mapping[str, str], application: str) -> Meeting | None:
    """Where the processes meet that serve the same on this machine; None, said once, where they cannot."""
    served, trouble = served_of(environ, application), ""
    if settings.state_dir:
        try:
            return _furnished(Meeting.open(Path(settings.state_dir), served))
        except StateError as error:
            # The processes meet all the same: else each would judge by itself, and alarm.
            trouble = str(error)
    try:
        # Workers of one server have the same environment; two servers of one application may not.
        variables = sorted(f"{name}={value}" for name, value in environ.items() if name.startswith(PREFIX))
        digest = hashlib.sha256("\0".join(variables).encode(errors="surrogateescape")).hexdigest()
        meeting = _furnished(Meeting.open(None, f"{served} {digest}"))
    except StateError as error:
        reasons = "; ".join(filter(None, (trouble, str(error))))
        logger.warning("this process goes on alone, and nothing outlives it: %s", reasons)
        return None
    if trouble and meeting.is_first:
        logger.warning("nothing outlives this server: %s", trouble)
    return meeting


def served_of(environ: Mapping[str, str], application: str) -> str:
    """What this process serves, in words; *application* is what an adapter says."""
    return application_of(sys.argv, cwd=_cwd(), environ=environ, name=application)


def _furnished(meeting: Meeting) -> Meeting:
    """*meeting*, whose mailbox can be used; else it is left, and StateError raised."""
    try:
        SharedFiles(meeting, "probe")
    except StateError:
        meeting.leave()
        raise
    return meeting


def _cwd() -> str:
    try:
        return str(Path.cwd())
    except OSError:  # removed meanwhile
        return ""


def instance_of(meeting: Meeting) -> str:
    """Names the processes that meet there as one, the same whichever of them speaks."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"dashlight://{platform.node()}/{meeting.path.name}"))
