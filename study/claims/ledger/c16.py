"""C16: the gradient before training and the gap that is learned."""

from study.claims.ledger import c06, c23
from study.claims.ledger._recall import FAR, LONG, RECALL, RULE
from study.claims.ledger._setup import Setup
from study.statistics.arms import Comparison
from study.statistics.correlation import WORTH, power, rank_correlation
from study.statistics.decay import fit_decay
from study.statistics.verdict import ALPHA, Claim

FEWEST = 15  # arms
MORE = Setup(RECALL.knobs, {f"{cell}, {start}": {"cell": cell} | knobs for cell in ("peephole", "coupled", "lstm_1997", "mgu")
                            for start, knobs in (("standard start", {}), (LONG, {"init": "long", "horizon": FAR}))},
             RECALL.gaps, RECALL.seeds)
LEARNED = (RECALL, c06.OTHERS, c23.CROSSED, MORE)
FRESH = [Setup(setup.knobs | {"method": "probe"}, setup.arms, (FAR,), 5) for setup in LEARNED]
SETUPS = {"default": (), "full": (*LEARNED, *FRESH)}
CLAIM = Claim(
    "How fast the gradient falls with the lag before training predicts the gap that will be learned.",
    "Pascanu, Mikolov & Bengio 2013, and many after them",
    f"{RULE} Over at least {FEWEST} arms (cells and starts): the rank correlation of an arm's slope of log |dL/dh| with the lag before "
    "training (median over seeds, gap 200) with the mean number of gaps that its seeds solve lies above 0 (Spearman; interval by Bonett & "
    "Wright 2000).",
    power=f"{FEWEST} arms find a correlation of {WORTH:g} with probability {power(FEWEST, WORTH, ALPHA):.2f}")


def judge(runs):
    known = []
    for learned, fresh in zip(LEARNED, FRESH, strict=True):
        for arm, probed in zip(learned.of(runs, *learned.arms), fresh.of(runs, *fresh.arms), strict=True):
            slopes = sorted(fit.slope for probe in probed.runs["probe"] if (fit := fit_decay(probe["norms"]["lag"], probe["norms"]["h"])))
            if len(arm.runs) and slopes:
                known.append((slopes[len(slopes) // 2], arm.reach().mean()))
    if len(known) < FEWEST:
        return []
    effect = rank_correlation("rank correlation", *zip(*known))
    comparison = Comparison(effect, f"{len(known)} arms", RECALL.seeds)
    return [RECALL.verdict("the slope before training goes with the gaps that are learned", comparison)]
