"""Forward and backward by torch's autograd."""

import torch

from study.bench.peers import repeated


def differentiated(net, parameters, named, given):
    """(run, check) of y = net(x) and the gradients with respect to `parameters`, which `named` turns into {name: array}."""
    x, dy = torch.from_numpy(given["x"]), torch.from_numpy(given["dy"])

    def step():
        y = net(x)
        return y, torch.autograd.grad(y, parameters, dy)

    def check():
        y, gradients = step()
        return {"y": y.detach().numpy(), **named([gradient.numpy() for gradient in gradients])}

    return repeated(step), check
