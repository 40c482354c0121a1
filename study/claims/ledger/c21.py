"""C21: clipping."""

from study.claims.ledger._recall import FAR, GAPS, RECALL, RULE, STANDARD
from study.claims.ledger._setup import Setup, at, power
from study.statistics.arms import more_solve
from study.statistics.verdict import Claim

EXPLODING = Setup(knobs={"task": "recall/past", "cell": "rnn_relu", "scheme": "identity", "budget": 64_000},
                  arms={"clipped": {}, "not clipped": {"clipping": "off"}}, gaps=(100,), seeds=12)
SETUPS = {"default": (EXPLODING, RECALL)}
CLAIM = Claim(
    "Clipping the gradient's norm cures explosion, not vanishing.",
    "Pascanu, Mikolov & Bengio 2013",
    "Explosion: the IRNN (U = identity, ReLU) on recall over gap 100, H = 32, at most 64,000 sequences: more seeds solve it clipped than not (difference "
    f"of rates, Newcombe's interval above 0; p: Fisher). Vanishing: {RULE} All are clipped: more seeds of the RNN with standard start solve "
    "gap 25 than gap 400 (the same).",
    power=power(EXPLODING.seeds, 2, worth=(0.9, 0.1)))


def judge(runs):
    near, far = (at(*RECALL.of(runs, f"RNN, {STANDARD}"), gap) for gap in (GAPS[0], FAR))
    return [EXPLODING.verdict("more seeds of the IRNN solve gap 100 clipped than not", more_solve(*EXPLODING.of(runs, *EXPLODING.arms))),
            RECALL.verdict("clipped, more seeds of the RNN solve gap 25 than gap 400", more_solve(near, far))]
