"""C27: depth along the gates' own path."""

from study.claims.ledger._setup import Setup, power
from study.statistics.arms import more_solve
from study.statistics.verdict import Claim

NOW = Setup(knobs={"task": "parity/end", "cell": "lstm", "layers": 5, "budget": 64_000},
            arms={stack: {"stack": stack} for stack in ("grid", "residual", "plain")} | {"one layer": {"layers": 1}}, gaps=(24,), seeds=12)
SETUPS = {"default": (NOW,)}
CLAIM = Claim(
    "Depth along the gates' own path (Grid LSTM), or with residual connections, learns where plain stacks of the same depth fail.",
    "Kalchbrenner, Danihelka & Graves 2015 (from memory)",
    "Parity at the end of up to 24 bits, five layers of H = 32, at most 64,000 sequences: more seeds of the grid, and of the residual stack, solve it than "
    "of the plain stack (difference of rates, Newcombe's interval above 0; p: Fisher). The paper's parity goes along depth, not along time. One layer is run beside them, without a rule.",
    power=power("rates", NOW.seeds, 2))


def judge(runs):
    *others, plain, one = NOW.of(runs)
    return [NOW.verdict(f"more seeds of the {arm.name} stack than of the plain one solve parity", more_solve(arm, plain), one) for arm in others]
