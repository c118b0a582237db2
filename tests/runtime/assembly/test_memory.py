import pytest

from dashlight.runtime.assembly.memory import memory_shares
from dashlight.settings import Settings

MB = 1_000_000


def settings(**variables: str) -> Settings:
    return Settings.from_env({f"DASHLIGHT_{name}": text for name, text in variables.items()})


@pytest.mark.parametrize(
    ("variables", "worker", "judge"),
    [
        ({}, 128 * MB, 256 * MB),
        ({"MEMORY": "1GB"}, 128 * MB, 1000 * MB),
        ({"MEMORY": "64MB"}, 32 * MB, 64 * MB),
        ({"MEMORY": "32MB", "WORKER_MEMORY": "1GB"}, 16 * MB, 32 * MB),
        ({"WORKER_MEMORY": "16MB"}, 16 * MB, 256 * MB),
    ],
    ids=["default", "large", "small", "least", "small workers"],
)
def test_the_shares_of_a_process_add_up_to_what_it_may_keep(variables: dict[str, str], worker: int, judge: int) -> None:
    shares = memory_shares(settings(**variables))

    # Of exchanges bodies and all else wait, and as much is being read.
    kept = 4 * shares.inbox_bytes + shares.outbox_bytes + shares.aside_bytes + shares.counting_bytes
    assert kept == worker
    assert kept + shares.judging_bytes == judge
