from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from dashlight.counting.kept_rows import LearningRoom
from dashlight.counting.matching import is_about, match
from dashlight.counting.model import ModelCounter
from dashlight.counting.policy import Policy
from dashlight.counting.references import References
from dashlight.records import Prediction
from dashlight.store.learned import LearnedReferences
from dashlight.window.columns import Reference
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.tables import table_of_columns


def reference(columns: Mapping[str, Sequence[Any]]) -> Reference:
    values = {name: np.resize(np.array(each, object), 400).tolist() for name, each in columns.items()}
    roles: Any = {"price": "output"}
    return build_reference_from_columns(values, roles, rng=np.random.default_rng(0), created_at=0.0)


PEOPLE = {"age": [20, 40, 60, 80], "income": [1000, 5000, 9000, 20000], "price": [1, 2, 3]}


def traffic(columns: Mapping[str, Sequence[Any]]) -> Prediction:
    return Prediction("/predict", "m", "1", "plain", table_of_columns(columns), table_of_columns({"prediction": [1.0]}))


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        pytest.param({"data[0]": [30], "data[1]": [4000]}, {"data[0]": "age", "data[1]": "income"}, id="elements"),
        pytest.param({"0": [30], "1": [4000]}, {"0": "age", "1": "income"}, id="places"),
        pytest.param({"1": [30], "2": [4000]}, {"1": "age", "2": "income"}, id="places of libsvm"),
        pytest.param({"0": ["30", "N/A"], "1": ["4,000", "$900"]}, {"0": "age", "1": "income"}, id="numbers in text"),
        pytest.param({"data[1]": [4000], "data[0]": [30]}, {"data[0]": "age", "data[1]": "income"}, id="any order"),
        pytest.param({"data[0]": [4000], "data[1]": [30]}, {}, id="swapped: out of range"),
        pytest.param({"data[0]": ["a"], "data[1]": [4000]}, {}, id="of another kind"),
        pytest.param({"data[0]": [30], "data[1]": [4000], "data[2]": [1]}, {}, id="one too many"),
        pytest.param({"data[0]": [30], "data[2]": [4000]}, {}, id="a gap"),
        pytest.param({"a[0]": [30], "b[1]": [4000]}, {}, id="of two vectors"),
        pytest.param({"Age": [30], "INCOME": [4000]}, {"Age": "age", "INCOME": "income"}, id="case"),
        pytest.param(
            {"data.age": [30], "data.income": [4000]}, {"data.age": "age", "data.income": "income"}, id="prefix"
        ),
        pytest.param({"f_age": [30], "f_income": [4000]}, {"f_age": "age", "f_income": "income"}, id="another prefix"),
        pytest.param({"age[0]": [30], "income[0]": [4000]}, {"age[0]": "age", "income[0]": "income"}, id="lone places"),
        pytest.param({"age": [30], "Income": [4000]}, {"Income": "income"}, id="one of both"),
        pytest.param({"AGE": [30], "Age": [4000]}, {}, id="ambiguous"),
    ],
)
def test_features_are_matched_by_spelling_or_position(
    columns: Mapping[str, Sequence[Any]], names: Mapping[str, str]
) -> None:
    found = match(reference(PEOPLE), traffic(columns).features)

    assert found.names == names
    features = found.renamed(traffic(columns)).features
    assert {*features.number_names, *features.cell_names} >= set(names.values())


def test_separators_do_not_part_names() -> None:
    given = reference({"total_income": [1, 2], "unit-price": [1, 2]})

    found = match(given, traffic({"totalIncome": [1], "unit.price": [1]}).features)

    assert found.names == {"totalIncome": "total_income", "unit.price": "unit-price"}


def counter(given: Reference) -> ModelCounter:
    return ModelCounter(("/predict", "m", "1"), Policy(), References(LearnedReferences(None), given), LearningRoom())


@pytest.mark.parametrize(
    ("columns", "parts"),
    [
        pytest.param({"data[0]": [30], "data[1]": [4000]}, ["data[0] = age, data[1] = income", "in its order"], id="position"),
        pytest.param({"Age": [30], "Income": [4000]}, ["Age = age, Income = income", "similar name"], id="spelling"),
        pytest.param({"Age": [30], "wage": [4000]},
                     ["Age = age", "lack: income", "does not know: wage", "DASHLIGHT_COLUMNS=wage=income"], id="one of two"),
    ],
)  # fmt: skip
def test_what_was_matched_is_said_to_the_judge_once(
    columns: Mapping[str, Sequence[Any]], parts: Sequence[str], caplog: pytest.LogCaptureFixture
) -> None:
    counts = counter(reference(PEOPLE))
    said: list[str] = []
    for _ in range(3):
        counts.add(traffic(columns), np.zeros(1, "V16"))
        pane = counts.close()
        assert pane is not None
        said.append(pane.matched)

    assert all(part in said[0] for part in parts)
    assert said[1:] == ["", ""]
    assert caplog.records == []


def test_matched_features_are_compared_with_the_reference() -> None:
    given = reference(PEOPLE)
    counts = counter(given)
    counts.add(traffic({"data[0]": [30.0], "data[1]": [4000.0]}), np.zeros(1, "V16"))

    pane = counts.close()

    assert pane is not None
    (compared,) = pane.compared
    assert compared.reference == given.version
    assert compared.unknown in {(), ("prediction",)}


def test_what_cannot_be_matched_is_listed_with_what_to_type() -> None:
    found = match(reference(PEOPLE), traffic({"years": [30], "wage": [4000]}).features)

    assert found.warning() == ""
    assert found.lacking() == (
        "The reference has features that requests lack: age, income. Requests have features that it does not know:"
        " years, wage. If some are the same, name them: DASHLIGHT_COLUMNS=years=age,wage=income"
    )


def test_outputs_are_matched_by_spelling_alone() -> None:
    given = reference(PEOPLE)
    asked = table_of_columns({"age": [30], "income": [4000]})

    assert match(given, asked, table_of_columns({"Price[0]": [1.5]})).outputs == {"Price[0]": "price"}
    assert match(given, asked, table_of_columns({"0": [1.5]})).outputs == {}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"age": [30], "income": [2000]}, True),
        ({"Age": [30], "INCOME": [2000]}, True),
        ({"age": [30], "city": ["Oslo"]}, True),
        ({"store": [1], "week": [7]}, False),
        ({}, True),
    ],
)
def test_a_reference_is_about_what_asks_with_half_of_its_features(
    asked: Mapping[str, Sequence[Any]], *, expected: bool
) -> None:
    given = reference({"age": [20, 30, 40, 50], "income": [1000, 2000, 3000, 4000]})

    assert is_about(given, traffic(asked)) is expected
