"""Timing studies: the kernels against their peers and against the processor's own limit.

Never run them beside a quality study: they need the processors for themselves. Measurements and conclusions are kept apart:
`suites` says what is timed, `peers` by which packages, `timing` and `memory` measure, `record` keeps, `tables`, `figures` and
`page` show. Every peer runs in a process of its own, pinned to the same processors, because OpenMP runtimes in one process
slow each other down. Rounds are interleaved and every case is visited several times, because a machine's speed drifts; the
fastest tenth of the rounds stands beside the median, because neighbours slow a shared machine down. The limits are measured in
every round: the multiply-add peak, and for few rows the dependent chain. Another clone of the project can be timed in the same
rounds, so that speed is compared with an earlier commit and not with an earlier hour.
"""
