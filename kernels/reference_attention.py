"""The NumPy twin of kernels.Attention, in float64, answer by answer, from the papers' equations; see reference.py."""

import numpy as np


def seen(direction, t, length):
    """The steps that an answer at step t sees, as a slice."""
    return {"forward": slice(0, t), "reverse": slice(t + 1, length), "both": slice(0, length)}[direction]


def forward(attention, weights, h, lengths, places):
    """(out (P, 2 n), [alpha of each answer]) of a kernels.Attention with `weights` {name: array} over h (T, B, n)."""
    out, alphas = [], []
    for t, b in _where(h, places):
        s, past = h[t, b], h[seen(attention.direction, t, lengths[b]), b]
        alpha = _softmax(_scores(attention.score, weights, s, past))
        alphas.append(alpha)
        out.append(np.concatenate([alpha @ past, s]))
    return np.array(out), alphas


def backward(attention, weights, h, lengths, places, dout):
    """({name: gradient}, dh) for dout (P, 2 n)."""
    n, dh, grads = h.shape[2], np.zeros_like(h), {name: np.zeros_like(a) for name, a in weights.items()}
    for (t, b), dc, ds in zip(_where(h, places), dout[:, :n], dout[:, n:]):
        steps = seen(attention.direction, t, lengths[b])
        s, past = h[t, b], h[steps, b]
        alpha = _softmax(_scores(attention.score, weights, s, past))
        dalpha = past @ dc
        de = alpha * (dalpha - alpha @ dalpha)
        dpast, ds = np.outer(alpha, dc), ds.copy()
        if attention.score == "dot":        # e = past s
            dpast += np.outer(de, s)
            ds += de @ past
        elif attention.score == "general":  # e = past Q^T s
            grads["Q"] += np.outer(s, de @ past)
            dpast += np.outer(de, s @ weights["Q"])
            ds += weights["Q"] @ (de @ past)
        else:                               # e = tanh(s P + past Q) v
            y = np.tanh(s @ weights["P"] + past @ weights["Q"])
            da = np.outer(de, weights["v"]) * (1 - y**2)
            grads["v"] += de @ y
            grads["P"] += np.outer(s, da.sum(0))
            grads["Q"] += past.T @ da
            dpast += da @ weights["Q"].T
            ds += weights["P"] @ da.sum(0)
        dh[steps, b] += dpast
        dh[t, b] += ds
    return grads, dh


def _where(h, places):
    return [divmod(int(place), h.shape[1]) for place in places]


def _scores(score, weights, s, past):
    if score == "additive":
        return np.tanh(s @ weights["P"] + past @ weights["Q"]) @ weights["v"]
    return past @ (s @ weights["Q"] if score == "general" else s)


def _softmax(e):
    e = np.exp(e - e.max(initial=-np.inf))
    return e / e.sum()
