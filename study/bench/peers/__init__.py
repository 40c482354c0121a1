"""The peers, one file each; each runs in a process of its own, and its package is imported nowhere else.

A file has TITLE, `can(case)`, which returns whether the peer has the cell in that dtype, and a function for each kind of work
that it can do, with the name that Case.work has for it. `study(case, given)` runs a trial and returns {"sequences", "solved",
"correct"}. The others return a pair of functions: run(calls) computes that many times, to the end; check() returns {name: array}
of the results that all peers must agree on. `given` is what study.bench.inputs returns.
"""

import importlib.metadata

import numpy as np

PACKAGES = {  # packages that a peer needs; the version of the first is the peer's
    "ours": ["numpy"],
    "torch": ["torch"],
    "loop": ["torch"],
    "jax": ["jax"],
    "onnxruntime": ["onnxruntime", "onnx"],
    "numpy": ["numpy"],
}
OTHERS = [name for name in PACKAGES if name != "ours"]
EARLIER = "earlier"  # ours in another clone of the project
CHECKED = 4  # iterations whose losses are compared


def repeated(step):
    """run(calls) of a function that computes once."""
    def run(calls):
        for _ in range(calls):
            step()

    return run


def mean_losses(losses):
    """What `check` of an iteration returns, of the losses of the first CHECKED: the means over the first, the first two, ..."""
    return {"loss": np.cumsum(losses) / np.arange(1, CHECKED + 1)}


def version(peer):
    """The version of a peer; None if one of its packages is not installed."""
    try:
        return [importlib.metadata.version(package) for package in PACKAGES[peer]][0]
    except importlib.metadata.PackageNotFoundError:
        return None
