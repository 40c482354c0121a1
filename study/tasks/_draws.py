"""Exact operations from random words to sequences."""

from dataclasses import dataclass
from functools import cache

import numpy as np

import kernels


def below(words, k):
    """Integers 0..k-1 from words (uint64): the upper 32 bits times k, shifted. `k`: a number or an array, below 2^31.

    The probabilities of two values differ by a factor of at most 1 + k / 2^32.
    """
    return (((words >> np.uint64(32)) * np.asarray(k, np.uint64)) >> np.uint64(32)).astype(np.int64)


def between(words, low, high):
    """Integers low..high, both included; `low`, `high`: numbers or arrays."""
    return low + below(words, np.asarray(high) - low + 1)


def all_below(words, n, k):
    """(B, n) integers 0..k-1, one from each 32-bit half of words (B, halves_for(n)), with the probabilities of `below`."""
    return (words.view(np.uint32)[:, :n].astype(np.uint64) * np.uint64(k) >> np.uint64(32)).astype(np.int64)


def bits(words, n):
    """(B, n) uint8 of 0 and 1, one from each bit of words (B, bits_for(n))."""
    return np.unpackbits(words.view(np.uint8), axis=1, count=n)


def quarters(words, n):
    """(B, n) uint8 in 0..3, one from each byte of words (B, bytes_for(n))."""
    return words.view(np.uint8)[:, :n] & np.uint8(3)


def signed_units(words, n):
    """(B, n) float32 in [-1, 1), multiples of 2^-23, one from each 32-bit half of words (B, halves_for(n))."""
    return (words.view(np.uint32)[:, :n] >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-23) - np.float32(1)


def units(words, n):
    """(B, n) float32 in [0, 1), multiples of 2^-24, one from each 32-bit half of words (B, halves_for(n))."""
    return (words.view(np.uint32)[:, :n] >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)


def order(words, n):
    """(B, n) the numbers 0..n-1 in an order that is drawn, from the 32-bit halves of words (B, halves_for(n))."""
    return words.copy().view(np.uint32)[:, :n].argsort(axis=1, kind="stable")


def normals(words, variance):
    """float32 in the shape of words, one normal number from each, with mean 0."""
    return (kernels.normal(words.ravel()) * np.sqrt(variance)).astype(np.float32).reshape(words.shape)


def bits_for(n):
    """How many words hold n bits."""
    return -(-n // 64)


def bytes_for(n):
    """How many words hold n bytes."""
    return -(-n // 8)


def halves_for(n):
    """How many words hold n 32-bit halves."""
    return -(-n // 2)


def one_hot(symbols, lengths, size):
    """The OneHot (T, B, size) of symbols (B, T) in 0..size-1, +0 past a row's length."""
    steps, padded = np.arange(symbols.shape[1], dtype=np.int32), symbols.copy()
    np.copyto(padded, size, where=steps >= lengths.astype(np.int32)[:, None])
    return OneHot(padded.T, size)


@dataclass(frozen=True, slots=True, eq=False)
class OneHot:
    """An array (T, B, size) of float32 that np.asarray makes. It is cut before, so that only the part in use is ever made.

    Attributes
    ----------
    symbols : (T, B) integers; `size` itself stands for a row of +0
    """

    symbols: np.ndarray
    size: int

    def __getitem__(self, at):
        return OneHot(self.symbols[at], self.size)

    def __array__(self, dtype=None, copy=None):
        return _identity(self.size).take(self.symbols, axis=0)


def symbols_of(x):
    """(T, B) the symbols of a OneHot, or of an array (T, B, size) of one-hot rows."""
    return x.symbols if isinstance(x, OneHot) else x.argmax(axis=2)


@cache
def _identity(size):
    return np.eye(size + 1, size, dtype=np.float32)
