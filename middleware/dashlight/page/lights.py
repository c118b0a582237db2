"""The lights of a machine, an endpoint and a model: red where an alert fires, grey where it is not known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from dashlight.judge.words import listed, number, percent
from dashlight.page.alerts import light_of
from dashlight.page.shape import Light, LightName, LightState, ShownMeasure
from dashlight.page.values import sentence
from dashlight.records import Alert, Role, Score, WatchState

_SHIFT: Final = "minimum_detectable_shift"
_WORST: Final[tuple[LightState, ...]] = ("red", "amber", "green", "grey")
_FINE: Final[Mapping[LightName, str]] = {
    "inputs": "as in the reference",
    "predictions": "as in the reference",
    "data_quality": "nothing broken is seen",
    "performance": "as good as usual",
    "failures": "no more than usual",
    "refusals": "no more than usual",
    "latency": "no slower than usual",
    "traffic": "as much as usual",
    "delivery": "nothing is owed or lost",
}


def worst(lights: Iterable[Light]) -> LightState:
    """The worst of *lights*; grey where all are, or there are none."""
    found: list[LightState] = [light.state for light in lights]
    return min(found, key=_WORST.index) if found else "grey"


def model_lights(
    alerts: Sequence[Alert], scores: Sequence[Score], state: WatchState | None, performance: Sequence[ShownMeasure]
) -> list[Light]:
    """Those of a model in *state*, with the *alerts* in force of it, its *scores* of all rows, and its *performance*."""
    unknown = _unwatched(scores, state)
    return [
        _light("inputs", alerts, unknown or _unseen(scores, "feature")),
        _light("predictions", alerts, unknown or _unseen(scores, "output")),
        _light("data_quality", alerts, unknown if state != "not_enough_data" else ""),
        _light("performance", alerts, "" if any(each.realised for each in performance) else _no_labels(performance)),
    ]


def endpoint_lights(alerts: Sequence[Alert], scores: Mapping[str, Score]) -> list[Light]:
    """Those of an endpoint with the *alerts* in force of it, and its *scores* by statistic."""
    learned = scores.get("traffic_reference_learned")
    unknown = "" if scores else "no exchange in the window"
    if learned is not None and learned.value < 1:
        unknown = f"what is usual is still being learned ({percent(learned.value)} of it so far); fixed limits hold"
    names: tuple[LightName, ...] = ("failures", "refusals", "latency", "traffic")
    lights = [_light(name, alerts, unknown) for name in names]
    # Of models it is a light of theirs; here it is of what no protocol could read.
    quality = _light("data_quality", alerts, "")
    return lights if quality.state == "green" else [*lights, quality]


def machine_lights(alerts: Sequence[Alert], *, owed: Mapping[str, int], lost: Mapping[str, int]) -> list[Light]:
    """Those of the machine: *owed* are alerts that a route has not answered for, *lost* what was lost of late, by reason."""
    troubles = [f"{count:,} alerts owed to {listed([route])}" for route, count in owed.items() if count]
    troubles += [f"{count:,} lost of late: {listed([reason])}" for reason, count in lost.items() if count]
    told = sentence("; ".join(troubles)) or _FINE["delivery"]
    delivery = Light("delivery", "amber" if troubles else "green", told)
    own = _light("traffic", alerts, "")
    return [delivery] if own.state == "green" else [delivery, own]


def _light(name: LightName, alerts: Iterable[Alert], unknown: str) -> Light:
    """The light *name*: by its alerts, else grey where something is *unknown*, else green."""
    own = [alert for alert in alerts if light_of(alert) == name]
    firing = [alert for alert in own if alert.state == "firing"]
    if own:
        first = min(firing or own, key=lambda alert: (alert.place or 1, -alert.at))
        more = f" (and {len(own) - 1} more)" if len(own) > 1 else ""
        return Light(name, "red" if firing else "amber", f"{sentence(first.summary)}{more}")
    return Light(name, "grey" if unknown else "green", unknown or _FINE[name])


def _unwatched(scores: Sequence[Score], state: WatchState | None) -> str:
    if state is None:
        return "it is known by its labels alone"
    if state == "learning":
        learned = next((score.value for score in scores if score.statistic == "reference_learned"), 0.0)
        return f"its reference is being learned: {percent(learned)} of the rows are there"
    if state == "not_enough_data":
        visible = [score.value for score in scores if score.statistic == _SHIFT]
        smallest = (
            f"the smallest shift visible now is {number(min(visible))} (Cohen's h)" if visible else "none is visible"
        )
        return f"not enough data: {smallest}"
    return ""


def _unseen(scores: Sequence[Score], role: Role) -> str:
    return "" if any(score.role == role for score in scores) else "no such columns are known"


def _no_labels(performance: Sequence[ShownMeasure]) -> str:
    return "no labels so far: it is only estimated" if performance else "no labels so far"
