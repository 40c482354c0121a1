"""Any cell as a loop over the steps in Python, by torch: the equations of the NumPy twin, with torch in place of NumPy.

x W + b is taken before the loop, and blocks that read the same operand share one product, as people write such loops who care.
"""

from contextlib import nullcontext
from types import SimpleNamespace as Values

import torch

import kernels
from kernels import parameters, reference, reference_cells, reference_later
from study.bench.peers._autograd import differentiated

TITLE = "Python loop (torch)"

for twin in (reference_cells, reference_later):  # in this process alone; what the twin's forward passes use of NumPy
    twin.sigmoid = torch.sigmoid
    twin.np = Values(tanh=torch.tanh, exp=torch.exp, log=torch.log, cos=torch.cos, sin=torch.sin, where=torch.where,
                     errstate=lambda **_: nullcontext(), maximum=lambda a, least: a.clamp(min=least),
                     minimum=lambda a, most: a.clamp(max=most))


def can(case):
    return case.cell in reference.CELLS


class Step:
    """The weights of one step, as the twin's cells ask for them: see kernels.reference_step.Weights.

    Parameters
    ----------
    cell : kernels.cell.Cell
    weights : {kind: tensor}, as kernels.parameters.kinds lists their rows
    x : (T, B, I) tensor
    """

    def __init__(self, cell, weights, x):
        self.value = {kind: dict(zip(rows, weights[kind])) for kind, rows in parameters.kinds(cell).items()}
        W, U, R, b = (self.value.get(kind, {}) for kind in "WURb")
        factors, zero = dict(zip(cell.recurrent, cell.factors)), weights["W"].new_zeros(weights["W"].shape[1:])
        self.reads = {block: factors.get(block) for block in cell.blocks}
        self.blocks = {operand: [block for block in cell.blocks if self.reads[block] == operand] for operand in self.reads.values()}
        self.ahead, self.U = {}, {}
        for operand, blocks in self.blocks.items():
            bias = torch.cat([b.get(block, zero[0]) for block in blocks])
            self.ahead[operand] = (x @ torch.cat([W.get(block, zero) for block in blocks], 1) + bias).unbind()
            self.U[operand] = operand and torch.cat([U[block] for block in blocks], 1)
        self.fed = {state: [block for block, read in cell.feedback if read == state] for _, state in cell.feedback}
        self.R = {state: torch.cat([R[block, state] for block in blocks], 1) for state, blocks in self.fed.items()}

    def begin(self, t):
        self.t, self.sums, self.fed_sums = t, {}, {}

    def a(self, block, x, h):
        """The pre-activation x W + h U + b of a block; the first block of its group computes all of them."""
        operand = self.reads[block]
        if operand not in self.sums:
            ahead, blocks = self.ahead[operand][self.t], self.blocks[operand]
            a = ahead if operand is None else torch.addmm(ahead, h, self.U[operand])
            self.sums[operand] = dict(zip(blocks, a.chunk(len(blocks), 1)))
        return self.sums[operand][block]

    def r(self, block, s):
        """The feedback term of a block."""
        for state, blocks in self.fed.items():
            if state not in self.fed_sums:
                self.fed_sums[state] = dict(zip(blocks, (getattr(s, state) @ self.R[state]).chunk(len(blocks), 1)))
        return sum(sums[block] for sums in self.fed_sums.values() if block in sums)

    def p(self, block, c):
        return self.value["p"][block] * c


def module(case, given):
    torch.set_num_threads(case.threads)
    weights = {kind: torch.from_numpy(part).requires_grad_() for kind, part in given["weights"].items()}
    cell, twin = kernels.CELLS[case.cell], reference.CELLS[case.cell]

    def net(x):
        w, ys = Step(cell, weights, x), []
        s = Values(**dict.fromkeys(cell.states, x.new_zeros(x.shape[1], case.H)))
        for t, x_t in enumerate(x):
            w.begin(t)
            s = twin.forward(w, x_t, s)
            ys.append(s.h)
        return torch.stack(ys)

    return differentiated(net, list(weights.values()), lambda gradients: dict(zip(weights, gradients)), given)
