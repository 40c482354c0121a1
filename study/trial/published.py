"""Initial weights as the papers had them, by task and cell.

All weights and biases are uniform in an interval, but the biases of some gates have one value for each memory cell block. Every
number was read: those of 1997 in the paper (its sections 5.1 to 5.6, and tables 10 and 11), those of 2000 in word-for-word
quotations from the paper.
"""

from typing import NamedTuple


class Start(NamedTuple):
    """The published start of a net of one forward layer.

    Attributes
    ----------
    bound : weights and biases are uniform in +-bound, but those of `biases`
    blocks : the published numbers of memory cell blocks; () where no bias depends on it
    biases : {gate: its bias in each memory cell block}, for the largest of `blocks`; smaller nets have the first of them
    """

    bound: float
    blocks: tuple = ()
    biases: dict = {}

    def of(self, blocks):
        """The start of a net with that many memory cell blocks."""
        return self._replace(blocks=(blocks,), biases={gate: values[:blocks] for gate, values in self.biases.items()})


HS97, GERS = "lstm_hs97", "lstm_gers"  # Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000
BASELINE_OF_GERS = "lstm_1997"
LAGS = ("lag_free", "lag_random", "lag_long", "lag_long/50", "lag_long/100", "lag_long/200", "lag_long/500")
RISING, FALLING = (0.5, 1.0, 1.5, 2.0), (-0.5, -1.0, -1.5, -2.0)
NOISY = Start(0.1, (3,), {"i": (-1.0, -3.0, -5.0), "o": (-2.0, -4.0, -6.0)})

STARTS = {
    ("reber", HS97): Start(0.2, (3, 4), {"o": (-1.0, -2.0, -3.0, -4.0)}),
    **{(task, HS97): Start(0.2) for task in LAGS},
    **{(task, "rnn"): Start(0.2) for task in ("lag_free", "lag_random")},
    **{(f"two_sequence/{version}", HS97): NOISY for version in ("3a", "3b", "3c")},
    ("adding/hs97", HS97): Start(0.1, (2,), {"i": (-3.0, -6.0)}),
    **{(f"multiplication/{fewer}", HS97): Start(0.1) for fewer in (140, 13)},
    ("temporal_order/6a", HS97): Start(0.1, (2,), {"i": (-2.0, -4.0)}),
    ("temporal_order/6b", HS97): Start(0.1, (3,), {"i": (-2.0, -4.0, -6.0)}),
    ("temporal_order/6b", GERS): Start(0.2, (4,), {"i": FALLING, "f": (5.0,) * 4, "o": FALLING}),
    ("reber_continual", GERS): Start(0.2, (4,), {"i": FALLING, "f": RISING, "o": FALLING}),
    ("reber_continual", BASELINE_OF_GERS): Start(0.2, (4,), {"i": FALLING, "o": FALLING}),
}
"""{(task, cell): Start}"""


def start(task, cell, blocks):
    """The published Start of a net with that many memory cell blocks. Raises ValueError, which says what there is."""
    cells = {of_cell: found for (of_task, of_cell), found in STARTS.items() if of_task == task}
    if not cells:
        known = " ".join(dict.fromkeys(of_task for of_task, _ in STARTS))
        raise ValueError(f"init: {task} has no published start; those that have one: {known}")
    if cell not in cells:
        raise ValueError(f"init: {task} has no published start with {cell}; expected {' or '.join(cells)}")
    found = cells[cell]
    if found.blocks and blocks not in found.blocks:
        expected = " or ".join(map(str, found.blocks))
        raise ValueError(f"init: the published start of {task} with {cell} has {expected} memory cell blocks, got {blocks} (units / block)")
    return found.of(blocks)
