"""Whether the app samples its traces by ratio: its provider says so, else the environment."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased, Sampler, TraceIdRatioBased

from dashlight.runtime.assembly.app_sampler import samples_by_ratio

RATIO = TraceIdRatioBased(0.25)


class Mute(Sampler):
    """One that says nothing of itself."""

    def should_sample(self, *_: object, **__: object) -> object:  # type: ignore[override]
        """Never asked."""
        raise NotImplementedError

    def get_description(self) -> str:
        """Fails."""
        raise NotImplementedError


@pytest.mark.parametrize(
    ("name", "is_by_ratio"),
    [("", False), ("always_on", False), ("traceidratio", True), (" ParentBased_TraceIdRatio ", True)],
)
def test_without_a_provider_the_environment_says_it(name: str, is_by_ratio: object) -> None:
    assert samples_by_ratio({"OTEL_TRACES_SAMPLER": name}, provider=object)() is is_by_ratio


@pytest.mark.parametrize(
    ("sampler", "is_by_ratio"),
    [
        (RATIO, True),
        (ParentBased(RATIO), True),
        (ALWAYS_ON, False),
        (ParentBased(ALWAYS_ON, remote_parent_sampled=RATIO), False),
        (Mute(), False),
    ],
    ids=["by ratio", "by ratio at the root", "always", "by ratio elsewhere", "mute"],
)
def test_a_provider_that_is_set_later_says_it(sampler: Sampler, is_by_ratio: object) -> None:
    providers = [object()]
    follows = samples_by_ratio({"OTEL_TRACES_SAMPLER": "traceidratio"}, provider=lambda: providers[-1])
    assert follows()

    providers.append(TracerProvider(sampler=sampler, shutdown_on_exit=False))

    assert [follows(), follows()] == [is_by_ratio, is_by_ratio]
