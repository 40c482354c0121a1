"""Weights of torch.nn.LSTM, nn.GRU and nn.RNN as those of our cells, and back.

For each direction torch stacks the blocks in an order of its own, transposed, and has two biases. Ours are (blocks, I, H), with one
bias.
"""

from functools import partial
from typing import NamedTuple

import torch

OURS, THEIRS = ("W", "U", "b"), ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


class Twin(NamedTuple):
    """A class of torch.nn with the equations of a cell: its mode, and in which order it stacks the blocks that W and U feed."""

    make: type
    mode: str
    of_w: str
    of_u: str


TWINS = {
    "rnn": Twin(torch.nn.RNN, "RNN_TANH", "a", "a"),
    "rnn_relu": Twin(partial(torch.nn.RNN, nonlinearity="relu"), "RNN_RELU", "a", "a"),
    "lstm": Twin(torch.nn.LSTM, "LSTM", "ifgo", "ifgo"),
    "gru_after": Twin(torch.nn.GRU, "GRU", "rzn", "rzu"),
}


def cell_of(module):
    """The name of the cell with the equations of a torch.nn.LSTM, nn.GRU or nn.RNN."""
    if not isinstance(module, torch.nn.RNNBase):
        raise TypeError(f"module: expected a torch.nn.LSTM, nn.GRU or nn.RNN, got {type(module).__name__}")
    for name in ("proj_size", "dropout"):
        if getattr(module, name):
            raise ValueError(f"module.{name}: expected 0, for these layers have none, got {getattr(module, name)}")
    return next(cell for cell, twin in TWINS.items() if twin.mode == module.mode)


def twin_of(rnn):
    """A torch.nn.LSTM, nn.GRU or nn.RNN of the sizes of a kernels.torch.RNN."""
    if rnn.cell.name not in TWINS:
        raise ValueError(f"cell: expected one that torch has ({', '.join(TWINS)}), got {rnn.cell.name!r}")
    if rnn.direction == "reverse" or (rnn.direction == "both" and rnn.merge != "concat"):
        raise ValueError("direction: expected what torch has, 'forward', or 'both' with the merge 'concat', "
                         f"got {rnn.direction!r} with the merge {rnn.merge!r}")
    both = rnn.direction == "both"
    return TWINS[rnn.cell.name].make(rnn.inputs, rnn.units, rnn.layers, batch_first=rnn.batch_first, bidirectional=both)


def pairs(layers, both, bias=True):
    """(names of our weights, names of torch's) for each direction of each layer."""
    suffixes = [f"_l{n}{direction}" for n in range(layers) for direction in ("", "_reverse")[:1 + both]]
    return [([f"{kind}{suffix}" for kind in OURS], [f"{kind}{suffix}" for kind in THEIRS[:4 if bias else 2]]) for suffix in suffixes]


def from_torch(cell, W, U, *biases):
    """(W, U, b) from torch's weight_ih, weight_hh and, where there are any, bias_ih and bias_hh."""
    _, _, of_w, of_u = TWINS[cell.name]
    W, U = (part.reshape(-1, U.shape[1], part.shape[1]).transpose(1, 2) for part in (W, U))
    b = {block: U.new_zeros(U.shape[2]) for block in cell.biases}
    for order, bias in zip((of_w, of_u), biases):
        for block, part in zip(order, bias.reshape(len(order), -1)):
            b[block] = b[block] + part
    return W[[of_w.index(block) for block in cell.inputs]], U[[of_u.index(block) for block in cell.recurrent]], torch.stack([*b.values()])


def to_torch(cell, W, U, b):
    """torch's weight_ih, weight_hh, bias_ih, bias_hh; bias_hh is 0 for blocks that have their bias in bias_ih."""
    _, _, of_w, of_u = TWINS[cell.name]
    W, U, b = (dict(zip(blocks, part)) for blocks, part in ((cell.inputs, W), (cell.recurrent, U), (cell.biases, b)))
    second = [b[block] if block not in of_w else torch.zeros_like(b[block]) for block in of_u]
    stacks = [W[block].T for block in of_w], [U[block].T for block in of_u], [b[block] for block in of_w], second
    return tuple(map(torch.cat, stacks))
