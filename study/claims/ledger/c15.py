"""C15: how gradients fall with the lag."""

import numpy as np

from study.claims.ledger._recall import FAR, LONG, RECALL, STANDARD
from study.claims.ledger._setup import at, power
from study.statistics.arms import nets_within
from study.statistics.decay import fit_decay
from study.statistics.superiority import rank_power
from study.statistics.verdict import Claim

STRAIGHT, PRODUCT = (0.95, np.inf), (0.9, 1.1)
SETUPS = {"default": (RECALL,)}
CLAIM = Claim(
    "The gradient of a tanh RNN falls exponentially with the lag; along an LSTM's direct path it falls as the product of its forget gates.",
    "Hochreiter 1991; Bengio, Simard & Frasconi 1994; Pascanu, Mikolov & Bengio 2013",
    "Before training, at gap 400, H = 32. RNN: the log norm of dL/dh falls along a line: the interval of the seeds' median R^2 lies above 0.95. LSTM: "
    "the slope of the log norm of dL/dc by the direct path alone (nothing through U) over that of the norm over units of the product of the "
    "forget gates: the interval of the median lies inside 0.9 to 1.1. The direct path is nearly an identity, so this checks the probe more "
    "than the cell. p: sign test.",
    power=power(RECALL.seeds, 4, rank_power, 0.9))


def judge(runs):
    verdicts = []
    for start in (STANDARD, LONG):
        rnn, lstm = (_before_training(at(arm, FAR)) for arm in RECALL.of(runs, f"RNN, {start}", f"LSTM, {start}"))
        fits = [fit for norms in rnn if (fit := fit_decay(norms["lag"], norms["h"]))]
        straight = [fit.r2 if fit.slope < 0 else 0.0 for fit in fits]
        paths = [[fit_decay(norms["lag"], norms[name]) for name in ("direct", "f")] for norms in lstm]
        ratios = [path.slope / product.slope for path, product in paths if path and product]
        verdicts += [
            RECALL.verdict(f"{start}: the gradient of the RNN falls exponentially with the lag", nets_within("R^2", straight, STRAIGHT)),
            RECALL.verdict(f"{start}: the LSTM's direct path falls as the product of its forget gates",
                           nets_within("ratio of slopes", ratios, PRODUCT))]
    return verdicts


def _before_training(arm):
    return [norms["start"] for norms in arm.runs["norms"]]
