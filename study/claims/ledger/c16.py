"""C16: the gradient before training and the gap that is learned."""

from study.claims.ledger import c06, c23
from study.claims.ledger._recall import FAR, LONG, RECALL, RULE
from study.claims.ledger._setup import Setup, at
from study.statistics.arms import Comparison
from study.statistics.correlation import rank_correlation
from study.statistics.decay import fit_decay
from study.statistics.verdict import Claim

FEWEST = 15  # arms
MORE = Setup(RECALL.knobs, {f"{cell}, {start}": {"cell": cell} | knobs for cell in ("peephole", "coupled", "lstm_1997", "mgu")
                            for start, knobs in (("standard start", {}), (LONG, {"init": "long", "horizon": FAR}))},
             RECALL.gaps, RECALL.seeds)
SETUPS = {"default": (), "full": (RECALL, c06.OTHERS, c23.CROSSED, MORE)}
CLAIM = Claim(
    "How fast the gradient falls with the lag before training predicts the gap that will be learned.",
    "Pascanu, Mikolov & Bengio 2013, and many after them",
    f"{RULE} Over at least {FEWEST} arms (cells and starts): the rank correlation of an arm's slope of log |dL/dh| with the lag before "
    "training (median over seeds, gap 400) with the mean number of gaps that its seeds solve lies above 0 (Spearman; interval by Bonett & "
    "Wright 2000).",
    power="15 arms find a correlation of 0.7 with probability 0.8")


def judge(runs):
    arms = [arm for setup in SETUPS["full"] for arm in setup.of(runs, *setup.arms) if len(arm.runs)]
    slopes = [_slope(at(arm, FAR)) for arm in arms]
    known = [(slope, arm.reach().mean()) for slope, arm in zip(slopes, arms) if slope is not None]
    if len(known) < FEWEST:
        return []
    effect = rank_correlation("rank correlation", *zip(*known))
    return [RECALL.verdict("the slope before training goes with the gaps that are learned", Comparison(effect, f"{len(known)} arms", RECALL.seeds))]


def _slope(arm):
    fits = [fit for norms in arm.runs["norms"] if (fit := fit_decay(norms["start"]["lag"], norms["start"]["h"]))]
    return sorted(fit.slope for fit in fits)[len(fits) // 2] if fits else None
