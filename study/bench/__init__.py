"""Timing studies: the kernels against their peers and against the processor's own limit.

Never run beside a quality study: they want the processors for themselves. What was measured and what follows from it is kept
apart: `cases` says what is timed, `peers` by whom, `timing` and `memory` measure, `record` keeps, `tables` and `figures` show.
Every peer lives in a process of its own, pinned to the same processors, because OpenMP runtimes in one process slow each
other; rounds are interleaved, and every case is visited several times, because a machine's speed drifts; the multiply-add peak is
measured in every round.
"""

ROUNDS = 9
SUITES = ("table", "double", "forward", "units", "threads", "steps", "rows", "gap", "cells", "memory")
