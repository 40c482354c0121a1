"""C15: how gradients fall with the lag."""

import numpy as np

from study.claims.ledger._recall import FAR, LONG, RECALL, STANDARD
from study.claims.ledger._setup import Setup, power
from study.statistics.arms import nets_within
from study.statistics.decay import fit_decay
from study.statistics.verdict import Claim

STRAIGHT, PRODUCT = (0.95, np.inf), (0.9, 1.1)
FRESH = Setup({"task": "recall/past", "method": "probe"}, {name: arm for name, arm in RECALL.arms.items() if not name.startswith("GRU")}, (FAR,), 22)
SETUPS = {"default": (FRESH,)}
CLAIM = Claim(
    "The gradient of a tanh RNN falls exponentially with the lag; along an LSTM's direct path it falls as the product of its forget gates.",
    "Hochreiter 1991; Bengio, Simard & Frasconi 1994; Pascanu, Mikolov & Bengio 2013",
    "Before training, at gap 200, H = 32. RNN: the log norm of dL/dh falls along a line: the interval of the seeds' median R^2 lies above 0.95. LSTM: "
    "the slope of the log norm of dL/dc by the direct path alone (nothing through U) over that of the norm over units of the product of the "
    "forget gates: the interval of the median lies inside 0.9 to 1.1. The direct path is nearly an identity, so this checks the probe more "
    "than the cell. p: sign test.",
    power=power("nets", FRESH.seeds, 4))


def judge(runs):
    verdicts = []
    for start in (STANDARD, LONG):
        rnn, lstm = ([probe["norms"] for probe in arm.runs["probe"]] for arm in FRESH.of(runs, f"RNN, {start}", f"LSTM, {start}"))
        fits = [fit for norms in rnn if (fit := fit_decay(norms["lag"], norms["h"]))]
        straight = [fit.r2 if fit.slope < 0 else 0.0 for fit in fits]
        paths = [[fit_decay(norms["lag"], norms[name]) for name in ("direct", "f")] for norms in lstm]
        ratios = [path.slope / product.slope for path, product in paths if path and product]
        verdicts += [
            FRESH.verdict(f"{start}: the gradient of the RNN falls exponentially with the lag", nets_within("R^2", straight, STRAIGHT)),
            FRESH.verdict(f"{start}: the LSTM's direct path falls as the product of its forget gates",
                           nets_within("ratio of slopes", ratios, PRODUCT))]
    return verdicts
