import pytest

from dashlight.decode.rows.answers import answer_under, as_score, in_order, read_answer, top_of_parallel
from dashlight.decode.rows.columns import Sheet
from dashlight.records import Cell


@pytest.mark.parametrize(
    ("value", "rows", "names", "values"),
    [
        pytest.param({"label": 1, "p": 0.8}, 1, ("label", "p"), [[1, 0.8]], id="an object"),
        pytest.param({"result": {"fraud": False}}, 1, ("result.fraud",), [[False]], id="a nested object"),
        pytest.param(4.2, 1, ("prediction",), [[4.2]], id="a number"),
        pytest.param("setosa", 1, ("prediction",), [["setosa"]], id="a text"),
        pytest.param(None, 1, ("prediction",), [[None]], id="null"),
        pytest.param(["not fraudulent"], 1, ("prediction",), [["not fraudulent"]], id="a set of one"),
        pytest.param([0.1, 0.9], 1, ("prediction[0]", "prediction[1]"), [[0.1, 0.9]], id="numbers for one row"),
        pytest.param([0.1, 0.9], 2, ("prediction",), [[0.1], [0.9]], id="numbers for two rows"),
        pytest.param([[0.1, 0.9]], 1, ("prediction[0]", "prediction[1]"), [[0.1, 0.9]], id="a matrix of one row"),
        pytest.param({"predictions": [1, 0]}, 2, ("predictions",), [[1], [0]], id="rows under one key"),
        pytest.param({"predictions": []}, 0, (), [], id="no rows under one key"),
        pytest.param([], 3, (), [], id="an empty list"),
        pytest.param({"data": ["a", "b"]}, 1, ("data",), [[["a", "b"]]], id="a ranking"),
        pytest.param([{"t": 1}, {"t": 2}], 1, ("prediction",), [[[{"t": 1}, {"t": 2}]]], id="objects for one row"),
        pytest.param({"embedding": [0.5] * 64}, 1, ("embedding",), [[[0.5] * 64]], id="an embedding for one row"),
        pytest.param({"v": [0.5] * 300}, 1, ("v",), [[[0.5] * 300]], id="a long vector for one row"),
        pytest.param({"y": [1], "proba": [[0.1, 0.9]]}, 1, ("y", "proba[0]", "proba[1]"), [[1, 0.1, 0.9]], id="ones"),
        pytest.param({"y": [1, 0], "p": [0.8, 0.3]}, 2, ("y", "p"), [[1, 0.8], [0, 0.3]], id="columns"),
        pytest.param(
            {"rows": [{"y": 1}, {"y": 0}], "took": 3}, 2, ("y",), [[1], [0]], id="rows beside a fact of the whole"
        ),
        pytest.param(
            {"y": [1, 0], "p": [[0.1, 0.9], [0.6, 0.4]]},
            2,
            ("y", "p[0]", "p[1]"),
            [[1, 0.1, 0.9], [0, 0.6, 0.4]],
            id="a column and a matrix",
        ),
        pytest.param({"mean": 0.5, "n": 2}, 2, ("mean", "n"), [[0.5, 2]], id="one object for two rows"),
        pytest.param({"mean": 0.5}, 0, ("mean",), [[0.5]], id="an object for no rows"),
    ],
)
def test_answers_of_every_layout_become_rows(
    value: object, rows: int, names: tuple[str, ...], values: list[list[Cell]]
) -> None:
    outputs = read_answer(value, rows=rows).outputs

    assert outputs.names == names
    assert [list(row) for row in outputs.values] == values


RANKED = [{"label": "NEG", "score": 0.02}, {"label": "POS", "score": 0.98}]


@pytest.mark.parametrize("value", [RANKED, [RANKED], {"outputs": [RANKED]}], ids=["flat", "nested", "under a key"])
def test_of_labels_with_scores_the_best_is_the_answer_whatever_the_order(value: object) -> None:
    outputs = read_answer(value, rows=1).outputs

    assert outputs.names == ("label", "score")
    assert [list(row) for row in outputs.values] == [["POS", 0.98]]


def test_each_row_has_its_best_label_and_a_score_that_is_no_number_is_the_worst() -> None:
    other = [{"label": "A", "score": None}, {"label": "B", "score": -1}]

    outputs = read_answer([RANKED, other], rows=2).outputs

    assert [list(row) for row in outputs.values] == [["POS", 0.98], ["B", -1]]


def test_objects_with_a_place_besides_label_and_score_were_found_in_the_row() -> None:
    spans = [{"label": "PER", "score": 0.9, "start": 0}, {"label": "LOC", "score": 0.8, "start": 9}]

    outputs = read_answer([spans], rows=1).outputs

    assert outputs.names[:3] == ("prediction.count", "prediction.count[LOC]", "prediction.count[PER]")
    assert list(outputs.values[0])[:3] == [2, 1, 1]


def test_facts_of_the_whole_answer_are_no_columns() -> None:
    outputs = read_answer({"y": [1, 0], "took": 3, "note": "x"}, rows=2).outputs

    assert outputs.left_out == {"took": "answer", "note": "answer"}


def test_an_answer_of_another_length_than_the_question_is_flagged() -> None:
    assert read_answer([1, 2, 3], rows=2).outputs.flags == {"shape_mismatch"}
    assert read_answer([1, 2], rows=2).outputs.flags == frozenset()


@pytest.mark.parametrize(
    ("value", "model", "version", "request_id", "names"),
    [
        ({"y": 1, "model": "iris", "version": "2"}, "iris", "2", "", ("y",)),
        ({"y": 1, "model_name": "iris", "model_version": 3}, "iris", "3", "", ("y",)),
        ({"y": 1, "model": None, "version": None}, "", "", "", ("y",)),
        ({"y": 1, "model": 7, "version": 1.5}, "", "", "", ("y", "model", "version")),
        ({"y": 1, "model_name": None, "model": "iris"}, "iris", "", "", ("y",)),
        ({"y": 1, "request_id": "r-1"}, "", "", "r-1", ("y",)),
        ({"y": 1, "id": 42}, "", "", "42", ("y",)),
        ({"y": 1, "id": [4]}, "", "", "", ("y",)),
    ],
    ids=["plain", "long names", "null", "no text", "the second name", "request id", "id", "a list as id"],
)
def test_model_version_and_ids_are_taken_out_of_an_answer(
    value: object, model: str, version: str, request_id: str, names: tuple[str, ...]
) -> None:
    answer = read_answer(value, rows=1)

    assert (answer.model, answer.version, answer.request_id) == (model, version, request_id)
    assert answer.outputs.names == names


def test_rows_with_ids_are_put_in_the_order_of_the_question() -> None:
    value = [{"id": 3, "s": 0.4}, {"id": 1, "s": 0.1}, {"id": 2, "s": 0.7}]

    outputs = read_answer(value, rows=3, row_ids=(1, 2, 3)).outputs

    assert [list(row) for row in outputs.values] == [[0.1], [0.7], [0.4]]
    assert outputs.row_ids == (1, 2, 3)


@pytest.mark.parametrize("ids", [(1, 2, 3), (1, 4), (1, 1), ()], ids=["more", "others", "twice", "none"])
def test_rows_whose_ids_are_not_those_of_the_question_stay_as_they_are(ids: tuple[Cell, ...]) -> None:
    outputs = Sheet(("s",), [[0.7], [0.1]], (2, 1))

    assert in_order(outputs, ids) is outputs


def test_rows_whose_ids_occur_twice_stay_as_they_are() -> None:
    outputs = Sheet(("s",), [[0.7], [0.1]], (1, 1))

    assert in_order(outputs, (1, 2)) is outputs


def test_a_key_too_long_for_a_name_holds_no_rows() -> None:
    outputs = read_answer({"k" * 300: [1, 2]}, rows=2).outputs

    assert outputs.names == ()


@pytest.mark.parametrize(
    ("answer", "names", "values"),
    [
        ({"predictions": [1, 2], "k": 3}, ("predictions",), [[1], [2]]),
        ({"outputs": {"a": [1, 2], "b": [3, 4]}}, ("a", "b"), [[1, 3], [2, 4]]),
        ({"predictions": "text"}, ("predictions",), [["text"]]),
        ({"labels": ["a", "b"]}, ("labels",), [["a"], ["b"]]),
        ([1, 2], ("prediction",), [[1], [2]]),
    ],
    ids=["a list", "an object", "a scalar", "none of the keys", "no object"],
)
def test_the_outputs_stand_under_the_first_of_some_keys(
    answer: object, names: tuple[str, ...], values: list[list[object]]
) -> None:
    sheet = answer_under(answer, ("predictions", "outputs"), rows=2)

    assert sheet.names == names
    assert [list(row) for row in sheet.values] == values


@pytest.mark.parametrize(
    ("entry", "best"),
    [
        ({"labels": ["a", "b"], "scores": [0.1, 0.9]}, {"labels": "b", "scores": 0.9}),
        ({"ids": ["1", "2"], "displayNames": ["a", "b"], "confidences": [0.9, 0.1], "bboxes": [[1], [2]], "n": 3},
         {"displayNames": "a", "confidences": 0.9, "bboxes": [1], "n": 3}),
        ({"classes": ["a", "b"], "scores": [None, "x"]}, {"classes": "a", "scores": None}),
        ({"classes": ["a"], "scores": [0.1, 0.2]}, {"classes": ["a"], "scores": [0.1, 0.2]}),
        ({"classes": [], "scores": []}, {"classes": [], "scores": []}),
        ({"classes": "a", "scores": 0.1}, {"classes": "a", "scores": 0.1}),
        ([1], [1]),
    ],
    ids=["zero-shot", "Vertex AI", "no numbers", "several lengths", "nothing", "no lists", "no object"],
)  # fmt: skip
def test_of_parallel_lists_the_best_score_counts(entry: object, best: object) -> None:
    assert top_of_parallel(entry) == best


@pytest.mark.parametrize("value", [None, "0.5", float("nan"), [1]], ids=str)
def test_what_is_no_number_is_below_every_score(value: object) -> None:
    assert as_score(value) == float("-inf")
    assert as_score(0.5) == 0.5


def test_ids_that_all_have_one_hash_are_put_in_order_all_the_same() -> None:
    # Python's hash of an integer is its rest by this number.
    ids = [at * ((1 << 61) - 1) for at in range(3000)]
    answer: object = [{"id": row_id, "y": at} for at, row_id in enumerate(ids)][::-1]

    outputs = read_answer(answer, rows=3000, row_ids=ids).outputs

    assert [row[0] for row in outputs.values] == list(range(3000))


def test_a_number_and_its_text_are_two_ids() -> None:
    outputs = read_answer([{"id": "1", "y": 0}, {"id": 1, "y": 1}], rows=2, row_ids=(1, "1")).outputs

    assert [row[0] for row in outputs.values] == [1, 0]
