"""The peers, one file each; each runs in a process of its own, and its package is imported nowhere else.

A file has TITLE, `can(case)`, which returns whether the peer has the cell in that dtype, and a function for each kind of work
that it can do, with the name that Case.work has for it. `training(case, given)`, `forward(case, given)` and `iteration(case,
given)` return a pair of functions: step() computes once, to the end; check() returns {name: array} of the results that all
peers must agree on. `study(case, given)` runs a trial and returns {"sequences", "solved", "correct"}. `given` is what
study.bench.inputs returns.
"""

import importlib.metadata

PACKAGES = {  # packages that a peer needs; the version of the first is the peer's
    "ours": ["numpy"],
    "torch": ["torch"],
    "jax": ["jax"],
    "onnxruntime": ["onnxruntime", "onnx"],
    "numpy": ["numpy"],
}
OTHERS = [name for name in PACKAGES if name != "ours"]


def version(peer):
    """The version of a peer; None if one of its packages is not installed."""
    try:
        return [importlib.metadata.version(package) for package in PACKAGES[peer]][0]
    except importlib.metadata.PackageNotFoundError:
        return None
