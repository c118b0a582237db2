import pytest

from dashlight.decode.rows.roles import output_role
from dashlight.records import Cell


@pytest.mark.parametrize(
    ("name", "values", "role"),
    [
        ("prediction", [1], "label"),
        ("prediction", ["yes"], "label"),
        ("is_fraud", [None, True], "label"),
        ("predicted_category", ["sci.space"], "label"),
        ("class", [2.0], "label"),
        ("probability", [0.83], "probability"),
        ("proba[0]", [0.9], "probability"),
        ("class_probabilities[2]", [0.9], "probability"),
        ("p", [1], "probability"),
        ("score", [0.07], "score"),
        ("result.score", [1], "score"),
        ("confidences", [0.8], "score"),
        ("yhat", [12.5], "value"),
        ("map", [0.5], "value"),
        ("price", [None], "value"),
        ("data", [["Toy Story", "Antz"]], "ranking"),
        ("closest_cluster", [2.0], "label"),
        ("x", [[0.1, 0.2]], "vector"),
        ("embedding", [[0.1, 0.2]], "embedding"),
        ("forecast", [[0.1, 0.2]], "forecast"),
        ("data", [[{"ds": "2026-03-01", "yhat": 5}]], "forecast"),
        ("data", [[{"id": 5, "score": 0.5}]], "ranking"),
        ("recommendations", [[5, 7]], "ranking"),
        ("generated_text", ["once"], "text"),
        ("text_output", [None, "once"], "text"),
        ("text", ["once"], "label"),
    ],
)
def test_an_output_means_what_its_name_and_values_say(name: str, values: list[Cell], role: str) -> None:
    assert output_role(name, values) == role
