"""One hash for each small problem of the readout, attention, the losses, the optimizers and the streams; as a program it prints them as JSON.

`python tests/head_hashes.py > tests/golden/head.json` renews the golden hashes after a change that alters bits on purpose,
which also raises kernels.NUMERICS.
"""
import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    sys.path[:0] = map(str, Path(__file__).parents[:2])

from hashes import digest

HERE = Path(__file__).parent
SIZES = [(1, 1, 1), (32, 32, 4), (15, 17, 16), (9, 3, 17), (100, 33, 100)]     # B, inputs, outputs
ATTENTIONS = [("additive", "forward", 1), ("additive", "both", 33), ("general", "reverse", 16), ("dot", "forward", 17)]
LENGTHS = [1, 15, 16, 17, 1000]


def readout(dtype, B, inputs, outputs):
    """All that a readout and its losses give."""
    import kernels

    layer = kernels.Readout(inputs, outputs, dtype)
    theta, h = layer.init(seed=1), normals("h", B, inputs).astype(dtype)
    o = layer.forward(theta, h)
    loss, p, do = kernels.cross_entropy(o, kernels.Stream("labels").integers(B, outputs))
    grad, dh = layer.backward(theta, h, do)
    error, slope = kernels.squared_error(o, normals("target", B, outputs).astype(dtype))
    return {"theta": theta, "o": o, "loss": loss, "p": p, "do": do, "grad": grad, "dh": dh, "error": error, "slope": slope}


def sigmoid(dtype, B, outputs):
    """All that the error of a sigmoid gives."""
    import kernels

    loss, p, do = kernels.sigmoid_error(*(normals(name, B, outputs).astype(dtype) for name in ("o", "target")))
    return {"loss": loss, "p": p, "do": do}


def binary(dtype, B, outputs):
    """All that the cross-entropy of sigmoids gives."""
    import kernels

    o, target = normals("o", B, outputs).astype(dtype), (normals("target", B, outputs) > 0).astype(dtype)
    loss, p, do = kernels.binary_cross_entropy(o, target)
    return {"loss": loss, "p": p, "do": do}


def attention(dtype, score, direction, n):
    """All that attention gives, with the tanh behind it."""
    import kernels

    layer, places = kernels.Attention(n, score, direction, dtype), [0, 10, 57, 31, 31, 32]
    theta, h = layer.init(seed=1), normals("h", 20, 3, n).astype(dtype)
    out, tape, alpha = layer.forward(theta, h, [20, 11, 20], places, record=True)
    grad, dh = layer.backward(theta, tape, normals("dout", len(places), 2 * n).astype(dtype))
    y = kernels.tanh(out)
    return {"theta": theta, "out": out, "alpha": alpha, "grad": grad, "dh": dh, "y": y, "dx": kernels.tanh_gradient(y, out)}


def update(dtype, n):
    """Weights after some steps, with what the optimizers remember."""
    import kernels

    found = {}
    for name, optimizer in (("adam", kernels.Adam(n, 0.01, dtype=dtype)), ("sgd", kernels.SGD(n, 0.1, 0.9, dtype))):
        theta = normals("theta", n).astype(dtype)
        for t in range(5):
            grad = normals(f"grad/{t}", n).astype(dtype)
            found[f"{name}/norm/{t}"] = np.array(kernels.clip_by_norm(grad, 1.0))
            optimizer.step(theta, grad)
        found |= {f"{name}/theta": theta, f"{name}/total": np.array(kernels.total(theta)), f"{name}/v": optimizer.v}
    return found


def draws(n):
    """One of each distribution, in a row."""
    import kernels

    stream = kernels.Stream("golden", n, 0.5)
    return {
        "integers": stream.integers(n, 10).astype(float), "rejected": stream.integers(n, 3 * 2**30).astype(float),
        "uniform": stream.uniform(n, -1, 3), "normal": stream.normal(n), "log_uniform": stream.log_uniform(n, 1e-3, 50),
        "orthogonal": stream.orthogonal(min(n, 50)),
    }


def spectrum(n):
    """What a matrix does to lengths."""
    import kernels

    a = normals("matrix", n, n)
    q = a[: (n + 1) // 2].copy()
    return {"lengths": kernels.orthonormalise(q), "q": q, "values": kernels.singular_values(a), "log": kernels.log(a[0] * a[0]),
            "product": kernels.product(a, a)}


def clamped(dtype, n):
    import kernels

    grad = normals("grad", n).astype(dtype)
    kernels.clip_by_value(grad, 0.3)
    return {"grad": grad}


def normals(name, *shape):
    import kernels

    return kernels.Stream("test", name).normal(int(np.prod(shape))).reshape(shape)


def hashes():
    """{problem: hash}."""
    found = {}
    for dtype in ("float32", "float64"):
        found |= {f"readout {dtype} {B},{I},{K}": digest(readout(dtype, B, I, K)) for B, I, K in SIZES}
        found |= {f"readout {dtype} sigmoid {B},{K}": digest(sigmoid(dtype, B, K)) for B, _, K in SIZES}
        found |= {f"readout {dtype} binary {B},{K}": digest(binary(dtype, B, K)) for B, _, K in SIZES}
        found |= {f"attention {dtype} {score},{direction},{n}": digest(attention(dtype, score, direction, n))
                  for score, direction, n in ATTENTIONS}
        found |= {f"update {dtype} {n}": digest(update(dtype, n)) for n in LENGTHS}
        found |= {f"clamp {dtype} {n}": digest(clamped(dtype, n)) for n in LENGTHS}
    found |= {f"spectrum {n}": digest(spectrum(n)) for n in (1, 5, 32, 50)}
    return found | {f"draws {n}": digest(draws(n)) for n in LENGTHS}


@functools.cache
def golden():
    """The committed hashes."""
    return json.loads((HERE / "golden" / "head.json").read_text())


@functools.cache
def under(isa):
    """`hashes` in a process that is forced to an instruction set."""
    import pytest

    import kernels

    if isa not in kernels.isas():
        pytest.skip(f"this processor or build has no {isa}")
    done = subprocess.run([sys.executable, __file__], env=os.environ | {"LONGLAG_ISA": isa}, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def assert_golden(isa, what):
    """The problems whose name starts with `what` give the committed hashes under an instruction set."""
    found, wanted = under(isa), golden()
    assert found["NUMERICS"] == wanted["NUMERICS"] and found["isa"] == isa
    kept = {name: value for name, value in wanted["hashes"].items() if name.startswith(what)}
    assert kept and {name: found["hashes"].get(name) for name in kept} == kept


if __name__ == "__main__":
    import kernels

    print(json.dumps({"NUMERICS": kernels.NUMERICS, "isa": kernels.isa(), "hashes": hashes()}, indent=1))
