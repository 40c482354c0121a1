"""Training steps one by one, by the Python methods of layers, readouts, losses and optimizers: the oracle of native training."""

import numpy as np

import kernels
from study.nets.module import Wanted


def one_by_one(net, theta, optimizer, block, rows, clip, truncated=False):
    """What kernels.Training.run does. Returns (loss, output), and changes theta and the optimizer."""
    losses, outputs = [], []
    for start in range(0, len(block.lengths), rows):
        passed = net.forward(theta, block.part(start, start + rows))
        losses.append(passed.loss)
        outputs.append(passed.output)
        grad = net.backward(theta, passed, Wanted(inputs=False, truncated=truncated)).theta
        kernels.clip_by_norm(grad, clip.norm)
        if clip.value is not None:
            kernels.clip_by_value(grad, clip.value)
        optimizer.step(theta, grad)
    return np.concatenate(losses), np.concatenate(outputs)
