"""Recurrent cells, trained through time: compiled kernels behind one class.

The same inputs give the same bits on any processor, with any instruction set and any number of threads.
"""

from kernels.attention import Attention
from kernels.cell import equations
from kernels.head import Readout, binary_cross_entropy, cross_entropy, product, sigmoid_error, squared_error, tanh, tanh_gradient
from kernels.layer import CELLS, RNN
from kernels.optimizers import SGD, Adam, clip_by_norm, clip_by_value, total
from kernels.processor import build, isa, isas, threads
from kernels.training import Clip, Sequences, Training

NUMERICS = 1  # raised by every change that alters a result's bits on purpose
_draws = build("draws", "float64")
Stream, log, normal = _draws.Stream, _draws.log, _draws.normal
orthonormalise, singular_values = build("spectrum", "float64").orthonormalise, build("spectrum", "float64").singular_values
