"""jax on the processor: each cell is written by hand and scanned under jit; the input product is taken before the scan."""

from itertools import islice

import jax
import numpy as np
from jax import lax
from jax import numpy as jnp
from jax.nn import sigmoid

from study import tasks
from study.bench.peers import CHECKED, mean_losses, repeated
from study.bench.peers._fused import apart, fused
from study.bench.peers.ours import endless
from study.tasks import Judge
from study.trial.knobs import Trial

jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_enable_x64", True)

TITLE = "jax (scan, jit)"


def rnn(w, a, h):
    return (jnp.tanh(a + h @ w["U"]),)


def lstm(w, a, h, c):
    i, f, g, o = jnp.split(a + h @ w["U"], 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * jnp.tanh(g)
    return sigmoid(o) * jnp.tanh(c), c


def peephole(w, a, h, c):
    i, f, g, o = jnp.split(a + h @ w["U"], 4, axis=-1)
    p = w["p"]
    c = sigmoid(f + p[1] * c) * c + sigmoid(i + p[0] * c) * jnp.tanh(g)
    return sigmoid(o + p[2] * c) * jnp.tanh(c), c


def coupled(w, a, h, c):
    f, g, o = jnp.split(a + h @ w["U"], 3, axis=-1)
    f = sigmoid(f)
    c = f * c + (1 - f) * jnp.tanh(g)
    return sigmoid(o) * jnp.tanh(c), c


def gru(w, a, h):
    H = h.shape[1]
    z, r = jnp.split(sigmoid(a[:, : 2 * H] + h @ w["U"][:, : 2 * H]), 2, axis=-1)
    n = jnp.tanh(a[:, 2 * H :] + (r * h) @ w["U"][:, 2 * H :])
    return ((1 - z) * h + z * n,)


def gru_after(w, a, h):
    H = h.shape[1]
    n, az, ar = jnp.split(a, 3, axis=-1)
    z, r, u = jnp.split(h @ w["U"], 3, axis=-1)
    n = jnp.tanh(n + sigmoid(ar + r) * (u + w["b"][3 * H :]))
    z = sigmoid(az + z)
    return ((1 - z) * n + z * h,)


STEPS = {"rnn": (rnn, 1), "lstm": (lstm, 2), "peephole": (peephole, 2), "coupled": (coupled, 2), "gru": (gru, 1),
         "gru_after": (gru_after, 1)}


def can(case):
    return case.cell in STEPS and not case.net


def layer(cell, w, x):
    """y (T, B, H) of x (T, B, I)."""
    step, states = STEPS[cell]
    start = (jnp.zeros((x.shape[1], len(w["U"])), x.dtype),) * states

    def body(state, a):
        state = step(w, a, *state)
        return state, state[0]

    return lax.scan(body, start, x @ w["W"] + w["b"][: w["W"].shape[1]])[1]


def training(case, given):
    w, x, dy = jax.device_put((fused(given["weights"]), given["x"], given["dy"]))

    @jax.jit
    def compute(w, x, dy):
        y, pull = jax.vjp(lambda w: layer(case.cell, w, x), w)
        return y, pull(dy)[0]

    def step():
        return jax.block_until_ready(compute(w, x, dy))

    def check():
        y, grad = step()
        return {"y": np.asarray(y), **apart(grad, case.H)}

    return repeated(step), check


def forward(case, given):
    w, x = jax.device_put((fused(given["weights"]), given["x"]))
    compute = jax.jit(lambda w, x: layer(case.cell, w, x))

    def step():
        return jax.block_until_ready(compute(w, x))

    return repeated(step), lambda: {"y": np.asarray(step())}


def iteration(case, given):
    """All but drawing and judging is one compiled function. x has the most steps, because jit compiles anew for each length."""
    trial = Trial(**given["trial"])
    task = tasks.get(trial.task)
    batches, judge = endless(task, trial), Judge(task)
    w = jax.device_put({**fused(given["weights"]), **given["head"]})
    m, v = (jax.tree.map(jnp.zeros_like, w) for _ in range(2))
    kept = [w, m, v, jnp.zeros((), w["U"].dtype)]
    compiled = jax.jit(lambda kept, *batch: _learn(trial, kept, *batch), donate_argnums=0)

    def learn(batch):
        x = np.zeros((given["longest"], *batch.x.shape[1:]), trial.dtype)
        x[: len(batch.x)] = batch.x
        loss, output, *kept[:] = compiled(kept, x, batch.places(), batch.target)
        return float(loss), np.asarray(output)

    def run(calls):
        for batch in islice(batches, calls):
            judge(learn(batch)[1], batch)

    return run, lambda: mean_losses([learn(next(batches))[0] for _ in range(CHECKED)])


def _learn(trial, kept, x, places, target):
    """(loss, softmax (P, K), w, m, v, t) after a step on the clipped gradient; `kept`: w, m, v, t before it."""
    w, m, v, t = kept

    def loss_of(w):
        h = layer(trial.cell, w, x).reshape(-1, len(w["U"]))[places]
        logits = jax.nn.log_softmax(h @ w["V"] + w["v"])
        return -jnp.take_along_axis(logits, target[:, None], axis=1).mean(), jnp.exp(logits)

    (loss, output), grad = jax.value_and_grad(loss_of, has_aux=True)(w)
    norm = jnp.sqrt(sum((g * g).sum() for g in jax.tree.leaves(grad)))
    scale = jnp.minimum(1, trial.clip / norm)
    grad = jax.tree.map(lambda g: g * scale, grad)
    if trial.optimizer == "sgd":
        v = jax.tree.map(lambda v, g: trial.momentum * v + g, v, grad)
        return loss, output, jax.tree.map(lambda w, v: w - trial.lr * v, w, v), m, v, t
    t = t + 1
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, grad)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, grad)
    step, spread = trial.lr / (1 - 0.9**t), 1 / (1 - 0.999**t)
    w = jax.tree.map(lambda w, m, v: w - step * m / (jnp.sqrt(v * spread) + 1e-8), w, m, v)
    return loss, output, w, m, v, t
