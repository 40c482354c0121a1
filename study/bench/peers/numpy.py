"""The NumPy twin, written from the papers: always float64, with products by NumPy's BLAS."""

import numpy

from kernels import reference
from study.bench.peers import repeated
from study.bench.peers.ours import fill, named

TITLE = "NumPy twin (float64)"


def can(case):
    return True


def training(case, given):
    layer, theta = _layer(case, given)

    def step():
        out = layer.forward(theta, given["x"])
        return out.y, layer.backward(out.tape, given["dy"], inputs=False).theta

    return repeated(step), lambda: named(layer, *step())


def forward(case, given):
    layer, theta = _layer(case, given)

    def step():
        return layer.forward(theta, given["x"]).y

    return repeated(step), lambda: {"y": step()}


def _layer(case, given):
    layer = reference.RNN(case.cell, case.I, case.H)
    theta = numpy.zeros(layer.size)
    fill(layer, theta, given["weights"])
    return layer, theta
