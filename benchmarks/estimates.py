"""Estimates without labels beside the truth: `python -m benchmarks.estimates`, or `make bench-estimates`.

NannyML's bundled sets, chunk by chunk: our CBPE beside NannyML's own figures; the mean absolute error of the accuracy against the
realised one for a constant (that of the reference), CBPE, the estimate adapted to covariate shift over ten seeds of the draw
and the folds, and what a perfect estimator would have, for a window of n rows is itself a sample. Then the prices of cars,
for regression, and the flights of 2013 by month.

The constants were chosen on other sets: `benchmarks.estimates_design`. WHEEL=PATH names NannyML's wheel; else it is downloaded,
without what it depends on. NANNYML=1 runs NannyML itself, in an environment of its own.
"""

import argparse
import json
import os
import subprocess
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from benchmarks.detection_real import download
from benchmarks.estimates_flights import flights_by_month
from benchmarks.estimates_nannyml import run_nannyml
from benchmarks.estimates_sets import SETS, LabelledSet, Part, SetName, nannyml_regression, nannyml_set
from benchmarks.estimates_windows import estimated, estimator_of
from numpy.typing import NDArray

from dashlight.judge.performance.estimates.estimate import PerformanceEstimate
from dashlight.labels.rows import Floats
from dashlight.window.columns import MOST_SAMPLED
from dashlight.window.reference.isotonic import isotonic, isotonic_at

FIGURES = Path(__file__).with_name("estimates_nannyml.json")
"""What NannyML 0.13.1 said of its own sets, run with its defaults: estimated and realised, chunk by chunk."""
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "dashlight-benchmarks"
SEEDS = 10
WHOLE_SEEDS = 3
"""With the whole reference, of which no draw is made: only the halves differ."""


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="draws of the adapted estimate (%(default)s)")
    parser.add_argument("--sets", nargs="*", default=[*SETS, "regression", "flights"], help="(%(default)s)")
    arguments = parser.parse_args()
    wheel = _wheel()
    if isinstance(wheel, str):
        print(f"NannyML's sets are left out: {wheel}")
    else:
        figures = _figures(wheel)
        with zipfile.ZipFile(wheel) as content:
            for name in SETS:
                if name in arguments.sets:
                    _classes(name, nannyml_set(name, content), figures[name], arguments.seeds)
            if "regression" in arguments.sets:
                _numbers(nannyml_regression(content))
    if "flights" in arguments.sets:
        print("\n" + flights_by_month())


def _classes(name: SetName, labelled: LabelledSet, theirs: Mapping[str, Mapping[str, Floats]], seeds: int) -> None:
    chunks = _chunks(labelled, len(theirs["accuracy"]["estimated"]))
    realised = np.array([(chunk.predictions == chunk.labels).mean() for chunk in chunks])
    areas = theirs["roc_auc"]["realised"]
    print(f"\n{name}: {labelled.before.row_count:,} rows of reference, {len(chunks)} chunks of {labelled.chunk_rows:,}")

    begun = time.process_time()
    plain = _estimates(labelled.before, labelled, chunks, adapts=False)
    seconds = (time.process_time() - begun) / len(chunks)
    for measure in ("accuracy", "roc_auc", "f1"):
        apart = np.abs(_values(plain, measure) - theirs[measure]["estimated"]).max()
        inside = _inside(plain, measure, theirs[measure]["realised"])
        print(
            f"  {measure:<9} CBPE, ours beside NannyML's: at most {apart:.6f} apart; realised inside our interval {inside}"
        )

    constant = abs((labelled.before.predictions == labelled.before.labels).mean() - realised).mean()
    # Were the chance of each row known: of a sum of independent ones, nearly normal.
    chance = [np.sqrt(2 / np.pi * _mean_variance(labelled, chunk) / chunk.row_count) for chunk in chunks]
    print(f"  accuracy, mean absolute error: constant {constant:.5f}   CBPE {_mae(plain, realised):.5f}", end="")
    print(f"   perfect estimator {np.mean(chance):.5f}   ({seconds:.3f} s of CPU a chunk)")
    print(f"  ROC AUC, mean absolute error: CBPE {np.nanmean(np.abs(_values(plain, 'roc_auc') - areas)):.5f}")
    for rows in sorted({min(MOST_SAMPLED, labelled.before.row_count), labelled.before.row_count}):
        errors: list[float] = []
        shares: list[float] = []
        begun = time.process_time()
        draws = seeds if rows <= MOST_SAMPLED else min(seeds, WHOLE_SEEDS)
        for seed in range(draws):
            rng = np.random.default_rng(seed)
            before = labelled.before.rows(rng.permutation(labelled.before.row_count)[:rows])
            mixed = [chunk.rows(rng.permutation(chunk.row_count)) for chunk in chunks]
            adapted = _estimates(before, labelled, mixed, adapts=True)
            errors.append(_mae(adapted, realised))
            shares += [each.effective_share or 1.0 for each in adapted]
        seconds = (time.process_time() - begun) / (len(chunks) * draws)
        print(
            f"  adapted, {rows:,} rows of reference, {draws} seeds: min {min(errors):.5f} median {np.median(errors):.5f}"
            f" worst {max(errors):.5f}   effective share {min(shares):.2f} to {max(shares):.2f}   ({seconds:.3f} s of CPU a chunk)"
        )
    outside = [_outside(labelled, chunk) for chunk in chunks]
    refused = sum(each.reason == "outside_reference" for each in outside)
    shares_outside = [each.outside_share or 0.0 for each in outside]
    print(
        f"  rows outside the reference: {min(shares_outside):.1%} to {max(shares_outside):.1%}; {refused} chunks get no estimate"
    )


def _numbers(labelled: LabelledSet) -> None:
    chunks = _chunks(labelled, labelled.after.row_count // labelled.chunk_rows)
    before = labelled.before
    estimator = estimator_of(
        labelled, before.rows(np.random.default_rng(0).permutation(before.row_count)[:MOST_SAMPLED])
    )
    begun = time.process_time()
    estimates = [estimated(estimator, labelled, chunk) for chunk in chunks]
    seconds = (time.process_time() - begun) / len(chunks)
    print(
        f"\nprices of cars (regression): {len(chunks)} chunks of {labelled.chunk_rows:,}   ({seconds:.3f} s of CPU a chunk)"
    )
    realised: Mapping[str, Callable[[Part], float]] = {
        "mae": lambda part: float(np.abs(part.labels - part.scores).mean()),
        "rmse": lambda part: float(np.sqrt(((part.labels - part.scores) ** 2).mean())),
    }
    for name, of in realised.items():
        truth = np.array([of(chunk) for chunk in chunks])
        error = np.abs(_values(estimates, name) - truth).mean()
        print(
            f"  {name:<5} constant {np.abs(of(before) - truth).mean():.2f}   direct loss {error:.2f}"
            f"   of {truth.mean():.1f}; realised inside our interval {_inside(estimates, name, truth)}"
        )


def _chunks(labelled: LabelledSet, count: int) -> list[Part]:
    """The last one holds what is left, as NannyML cuts."""
    rows, total = labelled.chunk_rows, labelled.after.row_count
    ends = [*(rows * (place + 1) for place in range(count - 1)), total]
    return [labelled.after.rows(slice(rows * place, end)) for place, end in enumerate(ends)]


def _estimates(
    before: Part, labelled: LabelledSet, chunks: Sequence[Part], *, adapts: bool
) -> list[PerformanceEstimate]:
    """Also where rows lie outside: how far off an estimate would be there is what is shown."""
    estimator = estimator_of(labelled, before, adapts=adapts, most_outside=1.0)
    return [estimated(estimator, labelled, chunk) for chunk in chunks]


def _outside(labelled: LabelledSet, chunk: Part) -> PerformanceEstimate:
    return estimated(estimator_of(labelled, labelled.before), labelled, chunk)


def _mean_variance(labelled: LabelledSet, chunk: Part) -> float:
    chances = isotonic_at(chunk.scores, isotonic(labelled.before.scores, labelled.before.labels))
    return float((chances * (1 - chances)).mean())


def _values(estimates: Sequence[PerformanceEstimate], name: str) -> Floats:
    return np.array([next(each.value for each in estimate.measures if each.name == name) for estimate in estimates])


def _inside(estimates: Sequence[PerformanceEstimate], name: str, realised: Floats) -> str:
    measures = [next(each for each in estimate.measures if each.name == name) for estimate in estimates]
    inside = sum(each.low <= truth <= each.high for each, truth in zip(measures, realised.tolist(), strict=True))
    return f"{inside} of {len(measures)}"


def _mae(estimates: Sequence[PerformanceEstimate], realised: NDArray[np.float64]) -> float:
    return float(np.abs(_values(estimates, "accuracy") - realised).mean())


def _wheel() -> Path | str:
    """NannyML's wheel, or why there is none."""
    given = os.environ.get("WHEEL")
    if given:
        return Path(given) if Path(given).is_file() else f"no file at WHEEL={given}"
    try:
        download(CACHE)
    except (OSError, subprocess.CalledProcessError) as error:
        return f"it cannot be downloaded ({error}); WHEEL=PATH names one"
    return max(CACHE.glob("nannyml-*.whl"))


def _figures(wheel: Path) -> Mapping[str, Mapping[str, Mapping[str, Floats]]]:
    """NannyML's own, by set, measure, and `estimated` or `realised`."""
    text = run_nannyml(wheel, CACHE) if os.environ.get("NANNYML") == "1" else FIGURES.read_text()
    return {
        name: {
            measure: {kind: np.array(values, np.float64) for kind, values in of_measure.items()}
            for measure, of_measure in of_set.items()
        }
        for name, of_set in json.loads(text)["sets"].items()
    }


if __name__ == "__main__":
    main()
