"""Exchanges of one lane that its plan read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from dashlight.decode.compiled.extract import reach
from dashlight.decode.compiled.plan import Plan


@dataclass(slots=True)
class Planned:
    """What a plan made of bodies, and where they stand in their batch."""

    plan: Plan
    asked: list[object] = field(default_factory=list[object])
    answered: list[object] = field(default_factory=list[object])
    places: list[int] = field(default_factory=list[int])


def by_model(hits: Planned, denied: set[int]) -> Iterator[tuple[str, str, Sequence[int]]]:
    """What the answers say of model and version, and which of them say it."""
    plan = hits.plan
    everything = range(len(hits.places)) if not denied else [at for at in range(len(hits.places)) if at not in denied]
    if not everything:
        return
    if plan.model is None and plan.version is None:
        yield ("", "", everything)
        return
    models = list(reach(hits.answered, plan.model)) if plan.model is not None else [""] * len(hits.places)
    versions = list(reach(hits.answered, plan.version)) if plan.version is not None else [""] * len(hits.places)
    chosen: dict[tuple[str, str], list[int]] = {}
    for at in everything:
        chosen.setdefault((str(models[at] or ""), str(versions[at] or "")), []).append(at)
    for (model, version), places in chosen.items():
        yield (model, version, places)
