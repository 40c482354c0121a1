"""Recurrent cells, trained through time: compiled kernels behind one class.

The same inputs give the same bits on any processor, with any instruction set and any number of threads.
"""

from kernels.processor import build, isa, threads

NUMERICS = 1  # raised by every change that alters a result's bits on purpose
