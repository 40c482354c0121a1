"""Recall over growing gaps by three cells with two families of initial weights, on which several claims rest."""

from study.claims.ledger._setup import Setup

GAPS, NEAR, FAR = (25, 50, 100, 200), 25, 200
STANDARD, LONG = "standard start", "long start"
STARTS = {STANDARD: {}, LONG: {"init": "long", "horizon": FAR}}
CELLS = {"RNN": "rnn", "LSTM": "lstm", "GRU": "gru"}
KNOBS = {"task": "recall/past", "budget": 128_000}
RECALL = Setup(KNOBS, {f"{name}, {start}": {"cell": cell} | knobs for start, knobs in STARTS.items() for name, cell in CELLS.items()}, GAPS, 12)
RULE = (
    "Recall of a past cue over gaps 25, 50, 100 and 200, H = 32, at most 128,000 sequences. Standard start: uniform weights, forget bias 1. Long "
    "start: chrono biases with a horizon of 200, which is the largest gap, or orthogonal U for the RNN."
)
