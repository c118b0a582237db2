import pytest

from dashlight.window.facets.list_names import is_embedding_name, is_forecast_name, is_ranking_name, is_time_name


@pytest.mark.parametrize(
    "name", ["forecast", "forecasts", "yhat", "yhat_lower", "result.forecast", "demand_forecast", "time_series"]
)
def test_forecasts_are_known_by_name(name: str) -> None:
    assert is_forecast_name(name)


@pytest.mark.parametrize("name", ["prediction", "probabilities", "what", "broadcast", "futures", "x", ""])
def test_other_numbers_are_no_forecasts(name: str) -> None:
    assert not is_forecast_name(name)


@pytest.mark.parametrize("name", ["recommendations", "item_ids", "ranked_items", "top_k", "similar_products", "movies"])
def test_rankings_are_known_by_name(name: str) -> None:
    assert is_ranking_name(name)


@pytest.mark.parametrize("name", ["topics", "labels", "franking", "data", "predictions", ""])
def test_other_whole_numbers_are_no_rankings(name: str) -> None:
    assert not is_ranking_name(name)


@pytest.mark.parametrize("name", ["ds", "timestamps", "forecast.dates", "event_time"])
def test_moments_are_known_by_name(name: str) -> None:
    assert is_time_name(name)


@pytest.mark.parametrize("name", ["runtime", "update", "timeseries", ""])
def test_other_numbers_are_no_moments(name: str) -> None:
    assert not is_time_name(name)


def test_embeddings_are_known_by_name() -> None:
    assert is_embedding_name("sentence_embeddings")
    assert not is_embedding_name("bed")
