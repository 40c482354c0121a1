"""The parameters of one direction of a layer: their kinds, which rows each has, and where the time loop's weights are among them.

In a memory cell block of size S, S neighbouring cells share their gates (Hochreiter & Schmidhuber 1997). Then the weights to gates
have one column for each block of cells: they stand apart, in the kinds that end in "_gates". R, which leads from gates, has one row
for each block of cells.
"""

import math

import numpy as np

GATES = "_gates"


def kinds(cell, block=1):
    """{kind: its rows}, in the order of the flat vector: blocks of the cell, for R pairs (block, state), for p parameters if it has any."""
    found, own = {}, cell.own or cell.peepholes
    for kind, rows in (("W", cell.inputs), ("U", cell.recurrent), ("R", cell.feedback), ("b", cell.biases), ("p", own)):
        shared = tuple(row for row in rows if block > 1 and target(row) in cell.gates)
        found |= {kind: tuple(row for row in rows if row not in shared), kind + GATES: shared}
    return {kind: rows for kind, rows in found.items() if rows}


def target(row):
    """The block that a row of weights leads to."""
    return row[0] if isinstance(row, tuple) else row


def shapes(cell, inputs, units, block=1):
    """{kind: shape}"""
    depth = {"W": (inputs,), "U": (units,), "R": (units // block,), "b": (), "p": ()}
    return {kind: (len(rows), *depth[kind[0]], units // block if kind.endswith(GATES) else units)
            for kind, rows in kinds(cell, block).items()}


def spread(cell, inputs, units, block):
    """For each weight of the time loop, the number of the parameter that it copies, or -1; None where they are the parameters."""
    if block == 1 and not cell.own:
        return None
    at, numbers = 0, {}
    for kind, shape in shapes(cell, inputs, units, block).items():
        rows = np.arange(at, at + math.prod(shape)).reshape(shape)
        at += rows.size
        columns = np.repeat(rows, units // shape[-1], axis=-1)
        numbers |= {(kind[0], row): part for row, part in zip(kinds(cell, block)[kind], columns)}
    parts = [numbers[kind, row] for kind, rows in (("W", cell.inputs), ("U", cell.recurrent)) for row in rows]
    for row in cell.feedback:
        parts.append(np.full((units, units), -1))
        parts[-1][::block] = numbers["R", row]
    parts += [numbers["b", row] for row in cell.biases]
    parts += [np.full(units, -1) if cell.own else numbers["p", row] for row in cell.peepholes]
    return np.concatenate([part.reshape(-1) for part in parts]).astype(np.int64)
