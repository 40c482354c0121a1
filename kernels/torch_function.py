"""A kernels.RNN as one function of torch's autograd. It passes gradients to its weights, its inputs and its initial states."""

from typing import NamedTuple

import numpy as np
import torch
from torch.autograd.function import once_differentiable

from kernels.layer import RNN


class Call(NamedTuple):
    """How a layer runs: what is not differentiated."""

    layer: RNN
    lengths: np.ndarray | None
    threads: int

    def forward(self, theta, x, states, tape):
        """The layer's `forward` for tensors; `states` in the order of its cell's, or none for states of 0."""
        given = dict(zip(self.layer.cell.states, map(_array, states)))
        return self.layer.forward(_array(theta), _array(x), self.lengths, given, self.threads, tape)


class Recurrence(torch.autograd.Function):
    """A forward pass with a tape. A second backward pass over the same graph runs the layer again, since the first spends the tape."""

    @staticmethod
    def forward(ctx, call, theta, x, *states):
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(theta, x, *states)    # torch refuses the backward pass if one of them was changed
        out = call.forward(theta, x, states, tape=True)
        ctx.call, ctx.tape = call, out.tape
        return _tensors(out)

    @staticmethod
    @once_differentiable
    def backward(ctx, dy, *dstates):
        theta, x, *states = ctx.saved_tensors
        tape, ctx.tape = ctx.tape, None
        if tape is None:
            tape = ctx.call.forward(theta, x, states, tape=True).tape
        layer, inputs = ctx.call.layer, ctx.needs_input_grad[2]
        final = {name: _array(d) for name, d in zip(layer.cell.states, dstates) if d is not None}
        grad = layer.backward(tape, None if dy is None else _array(dy), final, inputs)
        dx = torch.from_numpy(grad.x) if inputs else None
        return None, torch.from_numpy(grad.theta), dx, *[torch.from_numpy(d) for d in grad.state.values()][:len(states)]


def recur(call, theta, x, states):
    """(y, *final states) of a layer over x (T, B, I), with a tape only if gradients are wanted."""
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in (theta, x, *states)):
        return Recurrence.apply(call, theta, x, *states)
    return _tensors(call.forward(theta, x, states, tape=False))


def _array(tensor):
    return tensor.numpy(force=True)


def _tensors(out):
    return tuple(map(torch.from_numpy, (out.y, *out.state.values())))
