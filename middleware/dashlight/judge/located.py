"""Alerts with the slice that was found for them. Pure."""

from dataclasses import replace

from dashlight.records import Alert, Slice

MOST_EXEMPLARS = 5


def located(alert: Alert, found: Slice) -> Alert:
    """*alert* in force with the slice that was *found* for it: in its sentence, and with its examples first.

    That there were too few rows is no news.
    """
    before = "" if alert.slice is None else alert.slice.summary
    summary = alert.summary.removesuffix(before) + ("" if found.state == "too_few" else found.summary)
    exemplars = tuple(dict.fromkeys((*found.exemplars, *alert.exemplars)))[: max(len(alert.exemplars), MOST_EXEMPLARS)]
    return replace(alert, slice=found, summary=summary, exemplars=exemplars)
