"""The cells that torch does not have, as TorchScript loops with `fused` weights; the input product is taken before the loop."""

import torch
from torch import Tensor


@torch.jit.script
def peephole(x: Tensor, W: Tensor, U: Tensor, b: Tensor, p: Tensor):
    a = torch.matmul(x, W) + b
    h = torch.zeros(x.size(1), U.size(0), dtype=x.dtype)
    c = h
    ys = []
    for t in range(x.size(0)):
        i, f, g, o = (a[t] + torch.mm(h, U)).chunk(4, 1)
        c = torch.sigmoid(f + p[1] * c) * c + torch.sigmoid(i + p[0] * c) * torch.tanh(g)
        h = torch.sigmoid(o + p[2] * c) * torch.tanh(c)
        ys.append(h)
    return torch.stack(ys)


@torch.jit.script
def coupled(x: Tensor, W: Tensor, U: Tensor, b: Tensor):
    a = torch.matmul(x, W) + b
    h = torch.zeros(x.size(1), U.size(0), dtype=x.dtype)
    c = h
    ys = []
    for t in range(x.size(0)):
        f, g, o = (a[t] + torch.mm(h, U)).chunk(3, 1)
        f = torch.sigmoid(f)
        c = f * c + (1 - f) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        ys.append(h)
    return torch.stack(ys)


@torch.jit.script
def gru(x: Tensor, W: Tensor, U: Tensor, b: Tensor):
    H = U.size(0)
    a = torch.matmul(x, W) + b
    U_zr, U_n = U[:, : 2 * H], U[:, 2 * H :]
    h = torch.zeros(x.size(1), H, dtype=x.dtype)
    ys = []
    for t in range(x.size(0)):
        z, r = torch.sigmoid(a[t, :, : 2 * H] + torch.mm(h, U_zr)).chunk(2, 1)
        n = torch.tanh(a[t, :, 2 * H :] + torch.mm(r * h, U_n))
        h = (1 - z) * h + z * n
        ys.append(h)
    return torch.stack(ys)
