"""Initial weights as the papers had them, by task and cell.

All weights and biases are uniform in an interval, but the biases of some gates have one value for each memory cell block.

[V] read in the paper, or in a word-for-word quotation; [R] read as someone else retells it. A number in front is the section of
Hochreiter & Schmidhuber 1997, whose table 10 has the same numbers, or the experiment of Gers, Schmidhuber & Cummins 2000.
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


HS97, GERS, BASELINE_OF_GERS = "lstm_hs97", "lstm_gers", "lstm_1997"
LAGS = ("lag_free", "lag_random", "lag_long", "lag_long/50", "lag_long/100", "lag_long/200", "lag_long/500")
RISING, FALLING = (0.5, 1.0, 1.5, 2.0), (-0.5, -1.0, -1.5, -2.0)
NOISY = Start(0.1, (3,), {"i": (-1.0, -3.0, -5.0), "o": (-2.0, -4.0, -6.0)})

STARTS = {
    # Hochreiter & Schmidhuber 1997
    ("reber", HS97): Start(0.2, (3, 4), {"o": (-1.0, -2.0, -3.0, -4.0)}),  # 5.1 [V]
    **{(task, HS97): Start(0.2) for task in LAGS},  # 5.2 [V]
    **{(task, "rnn"): Start(0.2) for task in LAGS[:2]},  # 5.2 [V]
    **{(f"two_sequence/{version}", HS97): NOISY for version in ("3a", "3b", "3c")},  # 5.3 [V]
    ("adding/hs97", HS97): Start(0.1, (2,), {"i": (-3.0, -6.0)}),  # 5.4 [V]
    **{(f"multiplication/{fewer}", HS97): Start(0.1) for fewer in (140, 13)},  # 5.5 [V]
    ("temporal_order/6a", HS97): Start(0.1, (2,), {"i": (-2.0, -4.0)}),  # 5.6 [V]
    ("temporal_order/6b", HS97): Start(0.1, (3,), {"i": (-2.0, -4.0, -6.0)}),  # 5.6 [V]
    # Gers, Schmidhuber & Cummins 2000
    ("reber_continual", GERS): Start(0.2, (4,), {"i": FALLING, "f": RISING, "o": FALLING}),  # 1 [V]
    ("reber_continual", BASELINE_OF_GERS): Start(0.2, (4,), {"i": FALLING, "o": FALLING}),  # 1 [V]
    ("temporal_order/6b", GERS): Start(0.2, (4,), {"i": FALLING, "f": (5.0,) * 4, "o": FALLING}),  # 2 [R]
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
