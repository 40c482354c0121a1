"""C21: clipping."""

from study.claims.ledger._recall import FAR, KNOBS, LONG, RECALL, RULE, STARTS
from study.claims.ledger._setup import Setup, at, power
from study.statistics.arms import more_solve
from study.statistics.verdict import Claim

CLIPPED = {"clipped": {}, "not clipped": {"clipping": "off"}}
EXPLODING = {optimizer: Setup(KNOBS | {"cell": "rnn_relu", "scheme": "identity", "optimizer": optimizer}, CLIPPED, (100,), 12)
             for optimizer in ("adam", "sgd")}
FREE = Setup(KNOBS, {"LSTM, not clipped": {"cell": "lstm", "clipping": "off"} | STARTS[LONG]}, (FAR,), 12)
SETUPS = {"default": (*EXPLODING.values(), FREE, RECALL)}
CLAIM = Claim(
    "Clipping the gradient's norm cures explosion, not vanishing.",
    "Pascanu, Mikolov & Bengio 2013",
    "Explosion: the IRNN (U = identity, ReLU) on recall over gap 100, H = 32, at most 128,000 sequences, by plain gradient descent and by Adam: more seeds "
    f"solve it clipped than not (difference of rates, Newcombe's interval above 0; p: Fisher). Vanishing: {RULE} Long start, gap 200: more seeds of the LSTM solve it "
    "without clipping than of the tanh RNN with it (the same).",
    power=power("rates", 12, 3))
NAMES = {"adam": "Adam", "sgd": "gradient descent"}


def judge(runs):
    rnn, = RECALL.of(runs, f"RNN, {LONG}")
    verdicts = [setup.verdict(f"{NAMES[optimizer]}: more seeds of the IRNN solve gap 100 clipped than not", more_solve(*setup.of(runs)))
                for optimizer, setup in EXPLODING.items()]
    return [*verdicts, FREE.verdict(f"gap {FAR}: more seeds of the LSTM without clipping than of the RNN with it", more_solve(*FREE.of(runs), at(rnn, FAR)))]
