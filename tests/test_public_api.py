"""What `import dashlight` offers."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import dashlight


def test_the_public_names_are_sorted_and_all_there() -> None:
    names = [name for name in dashlight.__all__ if name != "__version__"]

    assert names == sorted(names)
    assert all(getattr(dashlight, name) is not None for name in dashlight.__all__)
    assert set(dashlight.__all__) <= set(dir(dashlight))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'dashlight' has no attribute 'monitr'"):
        dashlight.monitr  # noqa: B018


def test_each_name_comes_from_where_it_says(tmp_path: Path) -> None:
    names = ("DashlightMiddleware", "DriftDetector", "watch")
    script = f"import dashlight; print(*(getattr(dashlight, n).__module__ for n in {names}))"

    found = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=tmp_path)

    assert found.stdout.split() == ["dashlight.asgi", "dashlight.offline.detector", "dashlight.asgi"]


def test_the_wheel_holds_our_packages_and_nothing_else(tmp_path: Path) -> None:
    root = Path(__file__).parents[1]
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)], check=True, cwd=root
    )

    (wheel,) = tmp_path.glob("*.whl")
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}

    ours = {path.parent.name for path in (root / "integrations").glob("*/__init__.py")}
    assert tops == {"dashlight", *ours, f"dashlight-{dashlight.__version__}.dist-info"}
    assert ours == {"dashlight_bentoml", "dashlight_mlserver", "dashlight_ray"}
