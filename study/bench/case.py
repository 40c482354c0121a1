"""A case: one computation of one size. It is sent to the peers' processes, so it needs the standard library alone."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """One computation to be timed.

    Attributes
    ----------
    suite : the suite that it belongs to, a key of study.bench.suites.TITLES
    work : "training" (forward, BPTT, dW, dU, db; no dX), "forward", "iteration" (a whole training iteration), "study" (a trial)
    cell : a key of kernels.CELLS
    T, B, I, H : steps, rows, inputs, units
    dtype : "float32" or "float64"
    threads : the number that every peer may use
    gap, seed, budget : of the trial that an iteration or a study belongs to; a study trains on at most `budget` sequences
    """

    suite: str
    work: str
    cell: str
    T: int
    B: int
    I: int
    H: int
    dtype: str = "float32"
    threads: int = 1
    gap: int | None = None
    seed: int = 0
    budget: int | None = None

    def __str__(self):
        gap = "" if self.gap is None else f" gap {self.gap}"
        return f"{self.work} {self.cell} T{self.T} B{self.B} I{self.I} H{self.H}{gap} {self.dtype} on {self.threads}"
