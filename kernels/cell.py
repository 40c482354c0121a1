"""class Cell: the name and the parts of a cell, from its row of kernels/table.py and its file in kernels/cells."""

import re
from pathlib import Path
from typing import NamedTuple


class Cell(NamedTuple):
    """A cell. Blocks and states are in memory order; the first state is the output.

    Attributes
    ----------
    name, title, source : str
        Key, label in figures, and where the equations were published.
    blocks, inputs, recurrent, biases : tuple of str
        All blocks; those that W feeds; those that U feeds; those with a bias.
    states, peepholes : tuple of str
        States; the block of each peephole, a diagonal recurrent weight.
    reads : tuple of str
        The state that each peephole reads; ``c'`` is c of the step before.
    retains : tuple of (str, int)
        Gates whose bias sets how long the cell remembers, each with the sign that lengthens the memory. A forget bias sets
        the first of them, chrono initialisation sets all.
    feedback : tuple of (str, str)
        (block, state) of each matrix R, which leads from a state of the step before to a block.
    direct : bool
        The equations contain x itself, unit for unit, so I must equal H.
    operands : tuple of str
        What the first stage computes for U to multiply in the second, besides states.
    factors : tuple of str
        What U multiplies for each of its blocks: ``h'``, an operand, or a state of this step, which the first stage completes.
    own : tuple of str
        Parameters of the cell's own, one a unit, of which its peepholes are functions.
    gates : tuple of str
        The blocks that the cells of a memory cell block share, if the cell has such blocks.
    """

    name: str
    title: str
    source: str
    blocks: tuple
    inputs: tuple
    recurrent: tuple
    biases: tuple
    states: tuple
    peepholes: tuple
    reads: tuple
    retains: tuple
    feedback: tuple
    direct: bool
    operands: tuple
    factors: tuple
    own: tuple
    gates: tuple

    @property
    def truncates(self):
        """Whether errors can flow along the states' own paths only: there is a state besides h, and another path to cut."""
        return len(self.states) > 1 and bool("h'" in self.factors or self.feedback or (self.peepholes and not self.own))


def describe(text, name, title, source, **row):
    """The Cell of a row of kernels/table.py and of the text of its file.

    The comment behind each enum of the file says what it names: blocks, states, peepholes (``PF`` and ``PF_X`` are of block f),
    operands or parameters. A state with the name of a block has a ``_`` behind it (``F_``). ``X`` behind the states is x itself.
    Raises ValueError where the row and the file do not fit together.
    """
    enums = {kind: names.lower().split(", ") for names, kind in re.findall(r"^cdef enum: (.+?) +# (\w+)$", text, re.M)}
    for kind in ("blocks", "states"):
        if kind not in enums:
            raise ValueError(f"kernels/cells/{name}.pxd: expected an enum with the comment # {kind}")
    every = " ".join(enums["blocks"])
    products = [product.partition(":") for product in row.pop("recurrent", every).split()]
    cell = Cell(
        name, title, source, tuple(enums["blocks"]),
        inputs=tuple(row.pop("inputs", every).split()),
        recurrent=tuple(block for block, *_ in products),
        biases=tuple(row.pop("biases", every).split()),
        states=tuple(state.rstrip("_") for state in enums["states"] if state != "x"),
        peepholes=tuple(block_of(peephole[1:], enums["blocks"]) for peephole in enums.get("peepholes", ())),
        reads=tuple(row.pop("reads", "").split()),
        retains=tuple((gate[1:], 1 if gate[0] == "+" else -1) for gate in row.pop("retains", "").split()),
        feedback=tuple(tuple(pair.split(":")) for pair in row.pop("feedback", "").split()),
        direct="x" in enums["states"],
        operands=tuple(enums.get("operands", ())),
        factors=tuple(operand or "h'" for *_, operand in products),
        own=tuple(enums.get("parameters", ())),
        gates=tuple(row.pop("gates", "").split()))
    check(cell, row)
    return cell


def block_of(name, blocks):
    """The block of a peephole: the longest one that its name begins with, up to a ``_``; the name itself if there is none."""
    return max((block for block in blocks if f"{name}_".startswith(f"{block}_")), key=len, default=name)


def check(cell, unknown):
    """Refuse keys that no row has, and names that the cell's file does not have."""
    if unknown:
        raise ValueError(f"kernels/table.py, {cell.name}: unknown keys {', '.join(unknown)}")
    if len(cell.reads) != len(cell.peepholes):
        raise ValueError(f"kernels/table.py, {cell.name}: reads: expected {len(cell.peepholes)} states, one for each peephole, "
                         f"got {len(cell.reads)}")
    if cell.gates and (cell.peepholes or cell.own):
        raise ValueError(f"kernels/table.py, {cell.name}: gates: a memory cell block shares no gate with peepholes")
    blocks = {*cell.inputs, *cell.recurrent, *cell.biases, *cell.gates, *cell.peepholes, *(gate for gate, _ in cell.retains),
              *(to for to, _ in cell.feedback)}
    states = {*(state.rstrip("'") for state in cell.reads), *(state for _, state in cell.feedback)}
    operands = {*cell.factors} - {"h'"} - (set() if cell.operands else {*cell.states})
    for kind, names, known in (("blocks", blocks, cell.blocks), ("states", states, cell.states), ("operands", operands, cell.operands)):
        if names - {*known}:
            raise ValueError(f"kernels/table.py, {cell.name}: expected {kind} of its file ({', '.join(known)}), "
                             f"got {', '.join(sorted(names - {*known}))}")


def equations(name):
    """The equations of a cell, as its file in kernels/cells states them: {quantity: the line that defines it}.

    A line may define several quantities: ``i, f, o = s(a_i), ...`` defines three. Pre-activations are not among them.
    """
    text = Path(__file__).with_name("cells").joinpath(f"{name}.pxd").read_text()
    lines = [line.strip().partition("     ")[0] for line in text.split('"""')[1].splitlines() if line.startswith("    ")]
    return {quantity.strip(): line for line in lines for quantity in line.partition(" = ")[0].split(",")}
