"""Puts the project's root on the path, as `python -m benchmarks.detection` does."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
