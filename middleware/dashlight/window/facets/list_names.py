"""What the name of a column says of the lists in it. Pure."""

import re
from functools import lru_cache

_EMBEDDING = re.compile(r"(?i)embedding")
_FORECAST = re.compile(
    r"(?i)(?<![a-z])(?:forecast(?:s|ed|er)?|y_?hats?|horizon|trajectory|future|(?:time_?)?series|predicted_values)"
    r"(?![a-z])"
)
_RANKING = re.compile(
    r"(?i)(?<![a-z])(?:recommend(?:ed|ations?)|rank(?:ed|ings?)|top_?[kn]|items?|item_?ids|candidates|suggest(?:ed|ions?)"
    r"|similar|neighbou?rs|products?|product_?ids|movies?|movie_?ids|articles?|songs?|documents?)(?![a-z])"
)
_BOUND = re.compile(
    r"(?i)(?:.*[^a-z])?(?:lower|upper|low|high|lo|hi|median|quantiles?|bounds?|ci|[pq]_?[0-9]{1,3})(?:[^a-z].*)?"
)
_LIST = re.compile(
    r"(?i)(?:search_?|top_?)?(?:results|matches|hits|nearest)|tags|keywords|key_?phrases|topics|genres|entities|spans|detections"
)
_TIMES = re.compile(r"(?i)(?:.*[^a-z])?(?:ds|dates?|times?|timestamps?|datetimes?)")


@lru_cache(maxsize=1024)
def is_embedding_name(name: str) -> bool:
    """Whether lists of numbers under *name* are embeddings, however short."""
    return _EMBEDDING.search(name) is not None


@lru_cache(maxsize=1024)
def is_forecast_name(name: str) -> bool:
    """Whether a list of numbers under *name* is one forecast, step after step."""
    return _FORECAST.search(name) is not None


@lru_cache(maxsize=1024)
def is_ranking_name(name: str) -> bool:
    """Whether a list of whole numbers under *name* holds the ids of items, the best first."""
    return _RANKING.search(name) is not None


@lru_cache(maxsize=1024)
def is_bound_name(name: str) -> bool:
    """Whether a list of numbers under *name* may be a bound of a forecast, step after step."""
    return _BOUND.fullmatch(name) is not None


@lru_cache(maxsize=1024)
def is_list_name(name: str) -> bool:
    """Whether what stands under *name* in one row is a list of things, also where there is one: rankings, and others."""
    return is_ranking_name(name) or _LIST.fullmatch(name) is not None


@lru_cache(maxsize=1024)
def is_time_name(name: str) -> bool:
    """Whether numbers under *name* are moments."""
    return _TIMES.fullmatch(name) is not None
