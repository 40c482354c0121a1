"""Tests import each other's helpers by plain name, and `kernels` and `study` from the tree they stand in."""
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
