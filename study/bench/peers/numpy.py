"""The NumPy twin, written from the papers: always float64, with products by NumPy's BLAS."""

import numpy

from kernels import reference

TITLE = "NumPy twin (float64)"


def can(case):
    return True


def training(case, given):
    layer, theta = _layer(case, given)

    def step():
        out = layer.forward(theta, given["x"])
        return out.y, layer.backward(out.tape, given["dy"], inputs=False).theta

    def check():
        y, grad = step()
        return {"y": y, **{name.removeprefix("forward/"): part for name, part in layer.view(grad).items()}}

    return step, check


def forward(case, given):
    layer, theta = _layer(case, given)

    def step():
        return layer.forward(theta, given["x"]).y

    return step, lambda: {"y": step()}


def _layer(case, given):
    layer = reference.RNN(case.cell, case.I, case.H)
    theta = numpy.zeros(layer.size)
    for name, part in layer.view(theta).items():
        part[...] = given["weights"][name.removeprefix("forward/")]
    return layer, theta
