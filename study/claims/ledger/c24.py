"""C24: sensitivity to parameters."""

from study.statistics.verdict import Claim

SETUPS = {"default": ()}
CLAIM = Claim(
    "As a net's memory grows, its states grow more sensitive to its parameters, even where gradients neither vanish nor explode; "
    "element-wise recurrence mitigates this.",
    "Zucchet & Orvieto 2024 (abstract)",
    "Planned: the norm of the gradient of a loss with respect to the recurrent parameters, before training, over growing horizons, of an LRU and of an RNN "
    "with orthogonal U. No probe records it yet.",
    power="not planned yet")


def judge(runs):
    return []
