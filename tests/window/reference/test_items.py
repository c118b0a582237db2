from dashlight.window.reference.items import ItemSurvey


def test_items_are_known_and_those_of_several_blocks_are_repeated() -> None:
    survey = ItemSurvey()
    survey.add([["a", "b"]] * 100 + [["a", "c"], None, 5, ["a", "c"]], first_row=0)
    survey.add([["c", "\ud800"]], first_row=104)

    assert survey.known == {"a", "b", "c"}
    assert survey.repeated == {"a"}


def test_blocks_are_counted_from_the_first_row() -> None:
    survey = ItemSurvey()
    survey.add([["a"]] * 2, first_row=99)

    assert survey.repeated == {"a"}


def test_the_most_frequent_items_are_known_where_there_are_too_many() -> None:
    survey = ItemSurvey()
    for row in range(600):
        survey.add([["often", *(f"{row} {place}" for place in range(100))]], first_row=row)

    assert len(survey.known) == 10_000
    assert survey.repeated == {"often"}
