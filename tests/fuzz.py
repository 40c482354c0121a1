"""Random calls of the kernels, for a build with a sanitizer (tests/sanitizers.py): values are compared, memory is watched.

    python fuzz.py SECONDS FIRST CASES    run the cases from number FIRST on; print how many calls they made
    python fuzz.py CONTROL                make a mistake that the sanitizer must report

A case has up to three problems, whose tapes are alive at the same time. Each is computed on one thread, without checkpoints, in
buffers full of NaN; then all of them together, on several threads and with checkpoints, in buffers full of zeros. Both must give
the same bits. Buffers that were given back to a workspace are forbidden memory.
"""
import ctypes
import json
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np

import kernels
from kernels import workspace

DIRECTIONS = [("forward", "concat"), ("reverse", "concat"), *(("both", merge) for merge in ("concat", "sum", "mean", "learned"))]
STEPS = (1, 2, 3, 5, 31, 32, 33, 63, 64, 65, 97)
ROWS = (1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 17)
WIDTHS = (1, 2, 3, 7, 8, 9, 15, 16, 17, 18, 31, 32, 33, 40, 64, 65)
SPECIAL = (np.nan, np.inf, -np.inf, 3e38, -3e38, 1e-45, 1e-310, -0.0, 1e30, 88.0, -104.0)
sanitizer = ctypes.CDLL(None)


def forbid(a, forbidden=True):
    """Let the address sanitizer report every access to an array's memory, or no longer."""
    function = getattr(sanitizer, f"__asan_{'' if forbidden else 'un'}poison_memory_region", None)
    if function:
        function(ctypes.c_void_p(a.ctypes.data), ctypes.c_size_t(a.nbytes))


class Watched(workspace.Workspace):
    """A workspace that fills each buffer with one byte when it is taken, and forbids it when it is given back."""

    byte = 0xFF

    def take(self, n):
        buffer = super().take(n)
        forbid(buffer, False)
        buffer[:] = self.byte
        return buffer

    def give(self, buffer):
        forbid(buffer)
        super().give(buffer)


def draw(rng, shape, dtype):
    """Random numbers, a few of them special, in an array that ends where its memory ends, often of an odd layout."""
    n = int(np.prod(shape))
    values = np.array([rng.uniform(-2, 2) for _ in range(min(n, 400))], dtype)
    values = np.resize(values, n)
    if rng.random() < 0.15:
        with np.errstate(over="ignore"):
            values[[rng.randrange(n) for _ in range(rng.randrange(1, 4))]] = dtype.type(rng.choice(SPECIAL))
    kind = rng.randrange(8)
    if kind == 0:
        return np.concatenate([values[:1], values])[1:].reshape(shape)
    if kind == 1:
        return np.asfortranarray(values.reshape(shape))
    if kind == 2:
        return np.repeat(values, 2)[::2].reshape(shape) if len(shape) == 1 else values.reshape(shape)[..., ::-1]
    if kind == 3:
        moved = np.frombuffer(b"\0" + values.tobytes(), np.uint8)[1:].view(dtype)
        return moved.reshape(shape)
    values = values.reshape(shape)
    if kind == 4:       # the strides of axes of length 1 can be anything
        strides = [stride if n > 1 else 12_340 * dtype.itemsize for n, stride in zip(shape, values.strides)]
        return np.lib.stride_tricks.as_strided(values, strides=strides)
    return values


def problem(rng, most):
    """A layer and the arguments of its passes; `most` bounds the work."""
    cell, (direction, merge), dtype = rng.choice(list(kernels.CELLS)), rng.choice(DIRECTIONS), np.dtype(rng.choice(["f4", "f8"]))
    T, B, H = rng.choice(STEPS), rng.choice(ROWS), rng.choice(WIDTHS)
    while T * B * H * H > most:
        T, H = max(1, T // 2), max(1, H * 2 // 3)
    I = H if kernels.CELLS[cell].direct else rng.choice(WIDTHS)
    block = rng.choice([size for size in (1, 2, 3, H) if H % size == 0]) if kernels.CELLS[cell].gates else 1
    layer = kernels.RNN(cell, I, H, direction, merge, dtype.name, block)
    layer._workspace = Watched()
    states, D, width = layer.cell.states, 1 + (direction == "both"), H * (1 + (merge == "concat" and direction == "both"))

    def random_states(*shape):
        return {name: draw(rng, shape, dtype) for name in states if rng.random() < 0.7}

    lengths = [rng.randrange(1, T + 1) for _ in range(B)]
    return SimpleNamespace(
        layer=layer, theta=draw(rng, (layer.size,), dtype), x=draw(rng, (T, B, I), dtype),
        state=random_states(D, B, H), dstate=random_states(D, B, H), dy=rng.choice([None, draw(rng, (T, B, width), dtype)]),
        lengths=rng.choice([None, lengths, np.array(lengths, rng.choice("bil"))]),
        threads=rng.randrange(1, 6), checkpoint=rng.choice([None, 1, 32, 64, 1000]),
        options={"inputs": rng.random() < 0.7, "norms": rng.random() < 0.3, "truncated": layer.cell.truncates and rng.random() < 0.2})


def forward(p, byte, threads, checkpoint):
    p.layer._workspace.byte = byte
    return p.layer.forward(p.theta, p.x, p.lengths, p.state, threads=threads, checkpoint=checkpoint)


def backward(p, out, byte):
    """The bits of all results, NaN being one."""
    p.layer._workspace.byte = byte
    grad = p.layer.backward(out.tape, p.dy, p.dstate, **p.options)
    arrays = [out.y, *out.state.values(), grad.theta, grad.x, *grad.state.values(), *(grad.norms or {}).values()]
    return [np.where(np.isnan(a), a.dtype.type(np.nan), a).tobytes() for a in arrays if a is not None]


def layers(rng, most):
    """Run passes whose tapes are alive together, on several threads of Python, too; return the number of calls."""
    problems = [problem(rng, most) for _ in range(rng.randrange(1, 4))]
    if rng.random() < 0.5:
        for p in problems:
            p.layer._workspace = problems[0].layer._workspace
    expected = []
    for p in problems:
        out = forward(p, 0xFF, 1, None)
        p.layer.gates(out.tape)
        expected.append(backward(p, out, 0xFF))
    with ThreadPoolExecutor(rng.choice([1, 1, 3])) as pool:
        outs = list(pool.map(lambda p: forward(p, 0, p.threads, p.checkpoint), problems))
        order = rng.sample(range(len(problems)), len(problems))
        for i, got in zip(order, pool.map(lambda i: backward(problems[i], outs[i], 0), order), strict=True):
            assert got == expected[i], vars(problems[i])
    for p in problems:
        p.layer.forward(p.theta, p.x, tape=False, threads=p.threads)
    return 6 * len(problems)


def heads(rng, most):
    """Run read-outs, losses, clipping, optimizers, draws and singular values; return the number of calls."""
    dtype, B, I, K = np.dtype(rng.choice(["f4", "f8"])), rng.choice(ROWS), rng.choice(WIDTHS), rng.choice(WIDTHS)
    readout = kernels.Readout(I, K, dtype.name)
    theta, h = draw(rng, (readout.size,), dtype), draw(rng, (B, I), dtype)
    o = readout.forward(theta, h)
    _, _, do = kernels.cross_entropy(o, [rng.randrange(K) for _ in range(B)])
    kernels.squared_error(o, draw(rng, (B, K), dtype))
    grad, dh = readout.backward(theta, h, do)
    kernels.product(draw(rng, (B, I), dtype), draw(rng, (I, K), dtype))
    kernels.total(grad)
    kernels.clip_by_norm(grad, rng.choice([None, 0, 1e-3, 1]))
    kernels.clip_by_value(dh.reshape(-1), 0.1)
    theta = np.ascontiguousarray(theta).copy()
    for optimizer in (kernels.Adam(readout.size, 0.1, dtype=dtype.name), kernels.SGD(readout.size, 0.1, 0.9, dtype.name)):
        optimizer.step(theta, grad)
    stream, n = kernels.Stream("fuzz", rng.randrange(2**70)), rng.randrange(1, 40)
    stream.integers(n, rng.randrange(1, 2**32 + 1))
    stream.normal(n), stream.log_uniform(n, 1, 2)
    kernels.orthonormalise(stream.uniform(n * K).reshape(n, K))
    kernels.singular_values(stream.uniform(n * 3).reshape(rng.choice([(n, 3), (3, n)])))
    kernels.log(stream.uniform(n, 1, 2))
    return 16


def cases(seconds, first, count, most=100_000):
    """Run up to `count` cases, but start none after `seconds`; {"cases": .., "calls": ..}."""
    end, done, calls = time.monotonic() + seconds, 0, 0
    for number in range(first, first + count):
        if time.monotonic() > end:
            break
        print(f"case {number}", file=sys.stderr, flush=True)
        rng = random.Random(number)
        calls += (heads if rng.random() < 0.2 else layers)(rng, most)
        done += 1
    return {"cases": done, "calls": calls}


# --------------------------------------------------------------------------------------------------------------- controls


def short(a):
    """A view of one row more than the array has."""
    return np.lib.stride_tricks.as_strided(a, (len(a) + 1, *a.shape[1:]))


def small():
    layer = kernels.RNN("rnn", 3, 4, "both")
    layer._workspace = Watched()
    return layer, layer.init(0), np.ones((40, 8, 3), "f4")


def x_too_short():
    layer, theta, x = small()
    layer.forward(theta, short(x))


def theta_too_short():
    kernels.Adam(101, 0.1).step(short(np.zeros(100, "f4")), np.ones(101, "f4"))


def buffers(layer, theta, x):
    """The buffers of a forward pass, and its tape."""
    taken, take = [], layer._workspace.take
    layer._workspace.take = lambda n: taken.append(take(n)) or taken[-1]
    return taken, layer.forward(theta, x).tape


def gap_between_regions():
    taken, tape = buffers(*small())
    ctypes.memmove(ctypes.create_string_buffer(8), ctypes.c_void_p(taken[0].ctypes.data), 8)
    return tape


def buffer_given_back():
    layer, theta, x = small()
    taken, tape = buffers(layer, theta, x)
    layer.backward(tape)
    ctypes.memmove(ctypes.create_string_buffer(8), ctypes.c_void_p(taken[0].ctypes.data + 4096), 8)


def undefined_division():
    kernels.build("draws", "float64")._multiply_shift(np.ones(1, "u8"), 0, np.zeros(1, "i8"), 0)


def barrier():
    """With LONGLAG_NO_BARRIER: the weight gradients read what other threads still write."""
    layer, theta, x = small()
    for _ in range(20):
        layer.backward(layer.forward(theta, x, threads=4).tape, np.ones((40, 8, 8), "f4"))


CONTROLS = {control.__name__: control for control in (x_too_short, theta_too_short, gap_between_regions, buffer_given_back,
                                                      undefined_division, barrier)}

if __name__ == "__main__":
    if sys.argv[1] in CONTROLS:
        CONTROLS[sys.argv[1]]()
    else:
        print(json.dumps(cases(float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
