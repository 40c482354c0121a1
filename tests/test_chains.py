"""The order of summation that the numerical contract fixes, bit for bit, against exact rational arithmetic."""
from fractions import Fraction

import numpy as np
from cases import case, float64, real, run, same_bits

CHUNK = 32    # steps of x whose weight gradients are summed before they are added


def fma(a, b, c):
    """a b + c, rounded once: Python rounds a Fraction to the nearest double."""
    return float(Fraction(a) * Fraction(b) + Fraction(c))


def affine(x, W, b):
    """b, then fma over x in index order, for each row and column."""
    y = np.empty((len(x), len(b)))
    for r, j in np.ndindex(*y.shape):
        y[r, j] = b[j]
        for i in range(x.shape[1]):
            y[r, j] = fma(x[r, i], W[i, j], y[r, j])
    return y


def outer(x, d):
    """Over the rows in order, from +0: fma of x^T d."""
    dW = np.zeros((x.shape[1], d.shape[1]))
    for k, j in np.ndindex(*dW.shape):
        for r in range(len(x)):
            dW[k, j] = fma(x[r, k], d[r, j], dW[k, j])
    return dW


def test_a_pre_activation_is_one_chain():
    """gru_after shows its a_u = h' U + b_u as a gate; the learned merge is affine in [h_forward, h_reverse]."""
    B, I, H = 3, 2, 21
    layer = float64("gru_after", I, H, "both", "learned")
    given = case("gru_after", (1, B, I, H), "both", "learned")
    got, view = run(layer, given), layer.view(given.theta)
    for d, name in enumerate(("forward", "reverse")):
        assert same_bits(got.gates["u"][d, 0], affine(given.state["h"][d], view[f"{name}/U"][2], view[f"{name}/b"][3]))
    assert same_bits(got.y[0], affine(np.concatenate(got.state["h"], -1), view["merge/M"], view["merge/b"]))


def test_a_weight_gradient_is_a_chain_of_each_chunk():
    """Rows ascending without the padded ones, the chunk that BPTT finishes first added first."""
    T, B, I, H = CHUNK + 3, 11, 2, 4    # more rows in a chunk than go through the products at a time
    h, layer = float64("lstm", I, H, "both"), float64("lstm", I, H, "both", "learned")
    given = case("lstm", (T, B, I, H), "both", "learned")
    grad = layer.view(run(layer, given).grad.theta)
    both = h.forward(given.theta[:h.size], given.x, given.lengths, given.state).y
    inside = real(T, given.lengths)
    chunks = [(both[t:t + CHUNK][inside[t:t + CHUNK]], given.dy[t:t + CHUNK][inside[t:t + CHUNK]]) for t in range(0, T, CHUNK)]
    (x0, d0), (x1, d1) = chunks
    assert same_bits(grad["merge/M"], outer(x1, d1) + outer(x0, d0))
    ones = [np.ones((len(x), 1)) for x in (x0, x1)]
    assert same_bits(grad["merge/b"], (outer(ones[1], d1) + outer(ones[0], d0))[0])
    assert not same_bits(grad["merge/M"], outer(np.concatenate([x0, x1]), np.concatenate([d0, d1])))
