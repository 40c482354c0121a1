"""What a cell is called and made of, as TABLE's rows say it."""

from pathlib import Path
from typing import NamedTuple


class Cell(NamedTuple):
    """One row of TABLE, as Python sees it. Blocks and states are in memory order; the first state is the output.

    Attributes
    ----------
    name, title, source : str
        Key, label in figures, and where the equations were published.
    blocks, inputs, recurrent : tuple of str
        All blocks; those that W feeds; those that U feeds.
    states, peepholes : tuple of str
        States; the blocks with a peephole.
    reads : tuple of str
        What each peephole looks at: a state, with ' for that of the step before.
    retains : tuple of (str, int)
        Gates whose bias sets how long the cell remembers, each with the sign that lengthens it; the first is the one
        that a forget bias sets, all are set by chrono initialisation.
    feedback : tuple of (str, str)
        (block, state of the step before) of each matrix R: what states beside the output feed.
    direct : bool
        The equations have x itself, unit for unit: inputs and units must be as many.
    """

    name: str
    title: str
    source: str
    blocks: tuple
    inputs: tuple
    recurrent: tuple
    states: tuple
    peepholes: tuple
    reads: tuple
    retains: tuple
    feedback: tuple
    direct: bool


def describe(name, title, source, blocks, inputs=None, recurrent=None, states="h", peepholes="", retains="",
             feedback="", direct=False):
    """A Cell from the short notation of TABLE: ``peepholes="i:c' f:c' o:c"``, ``retains="+f -i"``, ``feedback="i:f"``."""
    pairs = [pair.split(":") for pair in peepholes.split()]
    return Cell(name, title, source, tuple(blocks.split()),
                tuple((blocks if inputs is None else inputs).split()),
                tuple((blocks if recurrent is None else recurrent).split()),
                tuple(states.split()), tuple(gate for gate, _ in pairs), tuple(state for _, state in pairs),
                tuple((gate[1:], 1 if gate[0] == "+" else -1) for gate in retains.split()),
                tuple(tuple(pair.split(":")) for pair in feedback.split()), direct)


def equations(name):
    """The equations of a cell, as its file in kernels/cells states them: {quantity: the line that defines it}.

    A line may define several: ``i, f, o = s(a_i), ...`` are three. What pre-activations are made of is not among them.
    """
    text = Path(__file__).with_name("cells").joinpath(f"{name}.pxd").read_text()
    lines = [line.strip().partition("     ")[0] for line in text.split('"""')[1].splitlines() if line.startswith("    ")]
    return {quantity.strip(): line for line in lines for quantity in line.partition(" = ")[0].split(",")}
