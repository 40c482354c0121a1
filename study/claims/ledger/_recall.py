"""Recall over growing gaps by three cells with two families of initial weights, on which several claims rest."""

from study.claims.ledger._setup import Setup

GAPS, FAR = (25, 100, 400), 400
STANDARD, LONG = "standard start", "long start"
CELLS = {"RNN": "rnn", "LSTM": "lstm", "GRU": "gru"}
RECALL = Setup(
    knobs={"task": "recall/past", "budget": 64_000},
    arms={f"{name}, {start}": {"cell": cell} | ({"init": "long", "horizon": FAR} if start == LONG else {})
          for start in (STANDARD, LONG) for name, cell in CELLS.items()},
    gaps=GAPS, seeds=12)
RULE = (
    "Recall of a past cue over gaps 25, 100 and 400, H = 32, at most 64,000 sequences. Standard start: uniform weights, forget bias 1. Long "
    "start: chrono biases with a horizon of 400, which is the largest gap, or orthogonal U for the RNN."
)
