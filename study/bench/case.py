"""A case: one computation of one size. It is sent to the peers' processes, so it needs the standard library alone."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """One computation to be timed.

    Attributes
    ----------
    suite : the suite that it belongs to, a key of study.bench.suites.TITLES
    work : "training" (forward, BPTT, dW, dU, db; no dX), "module" (the same, by the autograd of torch), "forward",
        "iteration" (of a trial: draw, learn, judge), "study" (a trial)
    cell : a key of kernels.CELLS
    T, B, I, H : steps, rows, inputs, units; where lengths are drawn, T is their mean or the longest
    dtype : "float32" or "float64"
    threads : the number that every peer may use
    task, optimizer, gap, seed, budget : of the trial that an iteration or a study belongs to; None or a default in other work
    net : further knobs of that trial's net, ((knob, value), ...)
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
    task: str | None = None
    optimizer: str = "adam"
    gap: int | None = None
    seed: int = 0
    budget: int | None = None
    net: tuple = ()

    def __str__(self):
        task = "" if self.task is None else f" {self.task} {self.gap}"
        net = "".join(f" {value}" if isinstance(value, str) else f" {value} {knob}" for knob, value in self.net)
        return f"{self.work} {self.cell}{net} T{self.T} B{self.B} I{self.I} H{self.H}{task} {self.dtype} on {self.threads}"
