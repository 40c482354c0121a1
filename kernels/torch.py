"""class RNN: the layers of kernels as a torch.nn.Module on the processor.

>>> rnn = RNN("peephole", 3, 5, layers=2, direction="both")
>>> y, (h, c) = rnn(torch.zeros(7, 2, 3))
>>> y.shape, h.shape
(torch.Size([7, 2, 10]), torch.Size([4, 2, 5]))
"""

import torch
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from kernels import checks, layer, torch_weights
from kernels.torch_function import Call, recur

DTYPES = {torch.float32: "float32", torch.float64: "float64"}


class RNN(torch.nn.Module):
    """One or more recurrent layers of any cell of ``kernels.CELLS``, called as torch.nn.LSTM is.

    Parameters
    ----------
    cell, inputs, units, direction, merge
        As in kernels.RNN. All layers have the same direction and merge.
    layers : int
    batch_first : bool
        x and y are (B, T, ...); states never are.

    Attributes
    ----------
    W_l0, U_l0, R_l0, b_l0, p_l0, W_l0_reverse, ..., M_l0_merge, b_l0_merge, W_l1, ... : Parameter
        Those that the cell has, in the shapes of ``kernels.RNN.shapes``: the first axis counts the blocks.
    threads : int or None
        None: torch.get_num_threads(). No number depends on it.
    cell : Cell
    inputs, units, layers, direction, merge, batch_first
        As given.

    Raises
    ------
    ValueError, TypeError
        An argument is invalid; the message names it, what was expected and what came.

    Notes
    -----
    Weights start in torch's default dtype, by `reset_parameters`. Gradients with respect to weights, x and initial states are exact;
    torch refuses to differentiate them again. `torch.compile` leaves the layers as they are.
    """

    def __init__(self, cell, inputs, units, layers=1, direction="forward", merge="concat", batch_first=False):
        super().__init__()
        self.layers = checks.whole("layers", layers)
        if not isinstance(batch_first, bool):
            raise TypeError(f"batch_first: expected True or False, got {batch_first!r}")
        first = layer.RNN(cell, inputs, units, direction, merge)
        self.cell, self.inputs, self.units = first.cell, first.inputs, first.units
        self.direction, self.merge, self.batch_first, self.threads = direction, merge, batch_first, None
        above = self.units * (2 if (direction, merge) == ("both", "concat") else 1)
        if layers > 1 and self.cell.direct and above != self.units:
            raise ValueError(f"merge: expected another one than 'concat', for the equations of {cell} add x to states, "
                             f"and the layers above the first would have {above} inputs and {units} units")
        widths = [self.inputs] + [above] * (self.layers - 1)
        self._layers = {dtype: [layer.RNN(cell, width, units, direction, merge, name) for width in widths] for dtype, name in DTYPES.items()}
        self._names = [[_parameter(name, n) for name in one.shapes] for n, one in enumerate(self._layers[torch.float64])]
        for names, one in zip(self._names, self._layers[torch.float64]):
            for name, shape in zip(names, one.shapes.values()):
                self.register_parameter(name, torch.nn.Parameter(torch.empty(shape)))
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self, scheme="uniform", forget_bias=1.0, chrono=None):
        """Draw all weights by kernels.RNN.init, which explains the arguments, from a seed that torch's default generator draws."""
        seed = torch.randint(2**62, (), device="cpu").item()
        for n, (names, one) in enumerate(zip(self._names, self._layers[torch.float64])):
            theta = one.init(seed, scheme, forget_bias, chrono, prefix=f"layer{n}/")
            for name, part in zip(names, one.view(theta).values()):
                getattr(self, name).copy_(torch.from_numpy(part))

    @classmethod
    @torch.no_grad()
    def from_torch(cls, module):
        """The same layers as a torch.nn.LSTM, nn.GRU (cell "gru_after") or nn.RNN ("rnn", "rnn_relu"): same outputs, one bias for two."""
        cell, direction = torch_weights.cell_of(module), "both" if module.bidirectional else "forward"
        made = cls(cell, module.input_size, module.hidden_size, module.num_layers, direction, batch_first=module.batch_first)
        made.to(module.weight_hh_l0).train(module.training)
        for ours, theirs in torch_weights.pairs(made.layers, module.bidirectional, module.bias):
            found = torch_weights.from_torch(made.cell, *[getattr(module, name) for name in theirs])
            for name, value in zip(ours, found):
                getattr(made, name).copy_(value)
        return made

    @torch.no_grad()
    def to_torch(self):
        """The torch.nn.LSTM, nn.GRU or nn.RNN with these weights, for the cells lstm, gru_after, rnn and rnn_relu."""
        made = torch_weights.twin_of(self).to(self.U_l0).train(self.training)
        for ours, theirs in torch_weights.pairs(self.layers, made.bidirectional):
            found = torch_weights.to_torch(self.cell, *[getattr(self, name) for name in ours])
            for name, value in zip(theirs, found):
                getattr(made, name).copy_(value)
        return made

    def extra_repr(self):
        return (f"{self.cell.name!r}, {self.inputs}, {self.units}, layers={self.layers}, direction={self.direction!r}, "
                f"merge={self.merge!r}, batch_first={self.batch_first}")

    @torch.compiler.disable(reason="its kernels are compiled already")
    def forward(self, x, state=None):
        """Run the layers over x.

        Parameters
        ----------
        x : (T, B, I) tensor, (B, T, I) with batch_first, (T, I) for one sequence; or PackedSequence
        state : tensor, or tuple of tensors in the order of ``cell.states``, optional
            Initial states, (layers * D, B, H), or (layers * D, H) for one sequence; D is 2 for "both". 0 where missing.

        Returns
        -------
        y : as x, with H, or 2H for "both" with "concat", in place of I
        state : each row's final states, in the form of the argument; a tensor where the cell has one state
        """
        weights = self._weights()
        if isinstance(x, PackedSequence):
            return self._packed(weights, x, state)
        if isinstance(x, torch.Tensor) and x.dim() == 2:
            return self._one_sequence(weights, x, state)
        _check("x", x, weights[0].dtype, (*("BT" if self.batch_first else "TB"), self.inputs))
        x = x.transpose(0, 1) if self.batch_first else x
        y, final = self._run(weights, x, self._initial(state, x, x.shape[1]))
        return y.transpose(0, 1) if self.batch_first else y, _alone(final)

    def _one_sequence(self, weights, x, state):
        """As `forward`, for x (T, I)."""
        _check("x", x, weights[0].dtype, ("T", self.inputs))
        y, final = self._run(weights, x.unsqueeze(1), [s.unsqueeze(1) for s in self._initial(state, x)])
        return y.squeeze(1), _alone([s.squeeze(1) for s in final])

    def _packed(self, weights, x, state):
        """As `forward`, for a PackedSequence. Its rows go through the layers in the order in which they are packed."""
        _check("x.data", x.data, weights[0].dtype, ("steps", self.inputs))
        padded, lengths = pad_packed_sequence(PackedSequence(x.data, x.batch_sizes))
        initial = self._initial(state, padded, padded.shape[1])
        if x.sorted_indices is not None:
            initial = [s.index_select(1, x.sorted_indices) for s in initial]
        y, final = self._run(weights, padded, initial, lengths.numpy())
        if x.unsorted_indices is not None:
            final = [s.index_select(1, x.unsorted_indices) for s in final]
        packed = pack_padded_sequence(y, lengths).data
        return PackedSequence(packed, x.batch_sizes, x.sorted_indices, x.unsorted_indices), _alone(final)

    def _weights(self):
        """The weights of each layer as one vector."""
        weights = [torch.cat([getattr(self, name).reshape(-1) for name in names]) for names in self._names]
        if weights[0].dtype not in DTYPES or weights[0].device.type != "cpu":
            raise TypeError(f"weights: expected {' or '.join(map(str, DTYPES))} on the cpu, got {weights[0].dtype} on {weights[0].device}")
        return weights

    def _initial(self, state, x, *rows):
        """The initial states of x, each (layers * D, *rows, H), as a list, which is empty where there are none."""
        if state is None:
            return []
        states, names = [state] if isinstance(state, torch.Tensor) else state, self.cell.states
        if not isinstance(states, tuple | list) or len(states) != len(names):
            found = len(states) if isinstance(states, tuple | list) else type(states).__name__
            raise TypeError(f"state: expected {len(names)} tensors ({', '.join(names)}), got {found}")
        for name, tensor in zip(names, states):
            _check(f"state {name}", tensor, x.dtype, (self.layers * self._D, *rows, self.units))
        return list(states)

    @property
    def _D(self):
        """The number of directions."""
        return 2 if self.direction == "both" else 1

    def _run(self, weights, x, states, lengths=None):
        """(y, final states) over x (T, B, I)."""
        threads, D = torch.get_num_threads() if self.threads is None else self.threads, self._D
        finals = []
        for n, (one, theta) in enumerate(zip(self._layers[x.dtype], weights)):
            x, *final = recur(Call(one, lengths, threads), theta, x, [s[n * D:(n + 1) * D] for s in states])
            finals.append(final)
        return x, [torch.cat(parts) for parts in zip(*finals)]


def _parameter(name, n):
    """The name of layer n's parameter "forward/W", "reverse/W" or "merge/M": W_l0, W_l0_reverse, M_l0_merge."""
    path, kind = name.split("/")
    return f"{kind}_l{n}" + ("" if path == "forward" else f"_{path}")


def _alone(states):
    """States as callers have them: a tensor where there is one, else a tuple."""
    return states[0] if len(states) == 1 else tuple(states)


def _check(name, tensor, dtype, shape):
    """Refuse what is no dense tensor of that dtype on the cpu, or has another shape; a letter stands for any size of 1 or more."""
    if not isinstance(tensor, torch.Tensor):
        raise TypeError(f"{name}: expected a tensor, got {type(tensor).__name__}")
    if (tensor.dtype, tensor.device.type, tensor.layout) != (dtype, "cpu", torch.strided):
        raise TypeError(f"{name}: expected a dense tensor of {dtype} on the cpu, as the weights are, "
                        f"got {tensor.dtype} on {tensor.device}, {tensor.layout}")
    checks.sizes(name, tuple(tensor.shape), shape)
