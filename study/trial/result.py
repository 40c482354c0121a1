"""What a trial gives, as an object and as the dict that its record holds."""

import hashlib
from dataclasses import dataclass, field, fields


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Answers to the test sequences, which the net has not learned from.

    Attributes
    ----------
    n : sequences
    correct : how many the net answered right, in the sense of the task's pass rule
    loss : mean loss; None where it is not finite
    answers_correct, answers : how many single answers were right, of how many; None where each sequence has one. Of streams:
        how many came before the first wrong one
    conditions : {name: [minimal pairs, those whose right answer is the largest of all outputs, those in which it is larger than
        the wrong one]}, as study.tasks.Task.contrasts gives them; None for a task without
    """

    n: int
    correct: int
    loss: float | None
    answers_correct: int | None = None
    answers: int | None = None
    conditions: dict | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a finished trial. A field is None where the trial's method does not give it.

    Attributes
    ----------
    solved : whether the pass rule was met within the budget; None for a task without one, and for a probe
    sequences : the count of sequences at which the rule was met; else the budget. Of a probe: those it has learned from
    parameters : weights of the net
    digest : SHA-256 of the final weights' bytes
    guesses : how many sets of weights were drawn, of random-weight guessing
    final_loss : mean loss of the last 2,000 training sequences, each taken before its update; None if there are none
    curve : {"sequences", "loss", "score"[, "answers"]}, as study.trial.curve.History.curve
    norms : {"start", "end"}, each as study.probes.norms.norms_by_lag; no end where training diverged
    probe : as study.probes.measure
    alpha : as study.probes.attention.looks, of the final weights; None for a head that does not look
    words : as study.probes.words.explain, of the final weights; None for a task without contrasts, and for nets that it leaves out
    diverged_at : sequences seen when a loss or a gradient was not finite; then there is no test and no probe
    test : the Evaluation at the end
    longer : as study.trial.evaluate.longer, at the end; None without further tests
    weights : {"module/parameter": array}, the final weights, where they were asked for; no part of the record
    """

    solved: bool | None = None
    sequences: int | None = None
    parameters: int | None = None
    digest: str | None = None
    guesses: int | None = None
    final_loss: float | None = None
    curve: dict | None = None
    norms: dict | None = None
    probe: dict | None = None
    alpha: dict | None = None
    words: dict | None = None
    diverged_at: int | None = None
    test: Evaluation | None = None
    longer: dict | None = None
    weights: dict | None = field(default=None, compare=False)

    @property
    def status(self):
        """ "done" or "diverged". """
        return "done" if self.diverged_at is None else "diverged"

    def as_dict(self):
        """The result as a record holds it, in the order of the fields.

        Fields without a value are left out, except `solved`, and `final_loss` where there is a learning curve.
        """
        kept = {"solved"} if self.curve is None else {"solved", "final_loss"}
        values = {name: getattr(self, name) for name in NAMES}
        values = {name: value for name, value in values.items() if value is not None or name in kept}
        if self.test is not None:
            test = {name: getattr(self.test, name) for name in TEST}
            values["test"] = {name: value for name, value in test.items() if value is not None or name == "loss"}
        return values

    @classmethod
    def of(cls, recorded):
        """The Result of a record's dict, of any schema. Keys that are no field are ignored."""
        values = {name: recorded[name] for name in NAMES if name in recorded}
        if "test" in values:
            test = dict(values["test"])
            values["test"] = Evaluation(**{name: test.get(name) for name in TEST})
        return cls(**values)


def digest(theta):
    """SHA-256 of the bytes of a net's weights (size,)."""
    return hashlib.sha256(theta.tobytes()).hexdigest()


NAMES = tuple(known.name for known in fields(Result) if known.name != "weights")
TEST = tuple(field.name for field in fields(Evaluation))
