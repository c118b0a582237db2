from dashlight.judge.evidence.pane_ends import PANES_REMEMBERED, PaneEnds


def ends_of(panes: int) -> PaneEnds:
    """Panes of ten seconds, the k-th with k rows."""
    ends = PaneEnds()
    for pane in range(panes):
        ends.add(10.0 * pane, rows=pane)
    return ends


def test_it_tells_when_a_pane_ended_by_how_many_ended_since() -> None:
    ends = ends_of(200)

    assert [ends.ended_at(ago) for ago in (0, 1, 100, 199)] == [1990.0, 1980.0, 990.0, 0.0]


def test_before_the_first_pane_there_is_the_first() -> None:
    assert ends_of(5).ended_at(40) == 0.0
    assert ends_of(5).rows_of_last(40) == 10.0


def test_it_tells_the_rows_of_the_last_panes() -> None:
    ends = ends_of(200)

    assert ends.rows_of_last(3) == 199 + 198 + 197
    assert ends.rows == ends.rows_of_last(200) == sum(range(200))


def test_beyond_what_is_remembered_the_earliest_that_is_stands_for_it() -> None:
    ends = ends_of(PANES_REMEMBERED + 500)

    assert ends.closed == PANES_REMEMBERED + 500
    assert ends.ended_at(0) == 10.0 * (PANES_REMEMBERED + 499)
    assert ends.ended_at(PANES_REMEMBERED - 1) == ends.ended_at(1 << 20) == 5000.0
