"""The knobs of a net: what it is made of, besides its task and its dtype."""

from typing import NamedTuple


class Architecture(NamedTuple):
    """Knobs of a net, each by the name and with the default that it has in study.trial.knobs.Trial, where they are explained."""

    cell: str
    units: int
    direction: str = "forward"
    merge: str = "concat"
    head: str = "last"
    attention: str = "additive"
    output: str = "task"
    layers: int = 1
    stack: str = "plain"
    tied: bool = False
    block: int = 1

    @classmethod
    def of(cls, trial):
        """That of a study.trial.knobs.Trial."""
        return cls(**{knob: getattr(trial, knob) for knob in cls._fields})
