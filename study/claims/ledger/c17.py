"""C17: the largest singular value of U bounds the gradient."""

from study.claims.gradients import keeps_the_bound
from study.claims.ledger._setup import Setup, power
from study.statistics.arms import all_nets
from study.statistics.verdict import Claim

PROBES = Setup(knobs={"task": "recall/past", "method": "probe"},
               arms={"uniform U": {"cell": "rnn"}, "orthogonal U": {"cell": "rnn", "scheme": "orthogonal"}}, gaps=(200,), seeds=22)
SETUPS = {"default": (PROBES,)}
CLAIM = Claim(
    "The gradient of a tanh RNN falls at least as fast as the powers of the largest singular value of U.",
    "Pascanu, Mikolov & Bengio 2013 (a theorem: this checks the probes)",
    "Fresh nets, H = 32: at every lag the largest singular value of the Jacobian is at most the power of the largest singular value of U, and the "
    "leading Lyapunov exponent at most its log (share of nets, Wilson's interval above one half; p: sign test; one exception decides nothing).",
    power=power("nets", PROBES.seeds, 2))


def judge(runs):
    return [PROBES.verdict(f"{name}: no Jacobian exceeds the bound by the largest singular value of U",
                           all_nets("share that keeps the bound", [keeps_the_bound(probe) for probe in PROBES.of(runs, name)[0].runs["probe"]]))
            for name in PROBES.arms]
