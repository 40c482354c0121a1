"""Statistics of the reports and verdicts: pure functions of plain sequences, NumPy arrays or DataFrames."""

LEVEL = 0.95
"""Coverage of every interval, unless the caller gives another `level`."""
