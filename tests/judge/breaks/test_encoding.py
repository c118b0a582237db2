from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dashlight.records import Alert

Run = Callable[..., list[tuple[int, Alert]]]


def words(rng: np.random.Generator, rows: int) -> dict[str, Any]:
    return {
        "city": rng.choice(["Köln", "Malmö", "Orléans"], rows).tolist(),
        "code": rng.choice(["07", "11", "3"], rows).tolist(),
        "flag": (rng.random(rows) < 0.5).tolist(),
        "size": np.round(rng.normal(50, 9, rows), 1),
    }


@pytest.fixture(scope="module")
def worded(watch: Any) -> Any:
    return watch(words(np.random.default_rng(120), 3000))


@pytest.mark.parametrize(
    ("column", "recode", "told"),
    [
        ("city", str.lower, "city is lower-cased"),
        ("city", str.upper, "city is upper-cased"),
        ("city", lambda text: f" {text}", "city is padded with spaces"),
        ("city", str.swapcase, "city is spelled otherwise"),
        ("city", lambda text: f"b'{text}'", "city is wrapped in quotes"),
        ("city", lambda text: f'"{text}"', "city is wrapped in quotes"),
        ("city", lambda text: text.encode().decode("latin-1"), "city is in another character set"),
        ("city", len, "city arrives as numbers in "),
        ("code", float, "code is written as another number in "),
        ("code", lambda text: f"{int(text):04}", "code is written as another number in "),
        ("size", lambda size: str(size).replace(".", ","), "size arrives as text (numbers with a decimal comma)"),
        ("size", lambda size: f"{size} €", "size arrives as text (numbers with a sign of their unit)"),
        ("size", lambda size: "small" if size < 50 else "large", "size arrives as text (none of it numbers)"),
        ("size", lambda size: bool(size > 50), "size arrives as true and false"),
        ("flag", str, "flag arrives as text"),
    ],
)
def test_another_way_of_writing_is_told(
    column: str, recode: Callable[[Any], object], told: str, worded: Any, run: Run
) -> None:
    values = words(np.random.default_rng(121), 400)
    values[column] = [recode(value) for value in values[column]]

    firing = [alert for _, alert in run(worded, values) if alert.state == "firing"]

    assert [alert.key for alert in firing] == [f"break/m/%2Fe/feature/{column}/encoding"]
    assert told in firing[0].summary


def test_new_words_are_no_other_spelling(worded: Any, run: Run) -> None:
    values = words(np.random.default_rng(122), 1000)
    values["city"] = np.random.default_rng(0).choice(["Oslo", "Bergen"], 1000).tolist()

    assert run(worded, values) == []


def test_a_judge_of_words_alone_needs_no_numbers(watch: Any, run: Run) -> None:
    rng = np.random.default_rng(123)
    watched = watch({"city": words(rng, 2000)["city"]})

    alerts = run(watched, {"city": [city.lower() for city in words(rng, 400)["city"]]})

    assert [alert.column for _, alert in alerts if alert.state == "firing"] == ["city"]
