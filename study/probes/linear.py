"""Whether states tell classes: a linear read-out, fitted by ridge regression, in float64 and exact operations."""

import numpy as np

import kernels

NOISE = 0.01  # the read-out is fitted as if each state had noise of this size: what differs by much less tells nothing


def decodable(states, classes):
    """(L,) the share of sequences whose class a linear read-out of their states names, at each of L steps.

    The read-out with the least squared error of one-hot classes is fitted to the first half of the sequences, and its largest
    output is compared with the class in the other half.

    Parameters
    ----------
    states : (L, N, n)
    classes : (N,) of 0..C-1
    """
    half, n = len(classes) // 2, states.shape[2] + 1
    rows = np.ones((*states.shape[:2], n))  # the last number stands for a bias
    rows[..., :-1] = states
    targets = np.eye(classes.max() + 1)[classes[:half]]
    weights = ridge(rows[:, :half], targets, NOISE * NOISE * half)
    right = [kernels.product(tested, w).argmax(axis=1) == classes[half:] for tested, w in zip(rows[:, half:], weights)]
    return np.array([np.count_nonzero(named) / len(named) for named in right])


def ridge(a, b, penalty):
    """w (L, n, C) that minimises |a w - b|^2 + penalty |w|^2 for each of L matrices a (N, n), with b (N, C).

    a'a + penalty = R R' is factorised column by column (Cholesky), for all L at once; then R z = a'b and R' w = z.
    """
    transposed = [np.ascontiguousarray(matrix.T) for matrix in a]
    R = np.stack([kernels.product(left, matrix) for left, matrix in zip(transposed, a)])
    w = np.stack([kernels.product(left, b) for left in transposed])
    n = w.shape[1]
    R[:, np.arange(n), np.arange(n)] += penalty
    for j in range(n):
        R[:, j:, j] /= np.sqrt(R[:, j, j])[:, None]
        R[:, j + 1 :, j + 1 :] -= R[:, j + 1 :, j, None] * R[:, None, j + 1 :, j]
    for j in range(n):
        w[:, j] /= R[:, j, j, None]
        w[:, j + 1 :] -= R[:, j + 1 :, j, None] * w[:, None, j]
    for j in reversed(range(n)):
        w[:, j] /= R[:, j, j, None]
        w[:, :j] -= R[:, j, :j, None] * w[:, None, j]
    return w
