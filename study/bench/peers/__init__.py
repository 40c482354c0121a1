"""The peers, one file each; each runs in a process of its own, and its package is imported nowhere else.

A file has TITLE, `can(case)`, which says whether the peer has the cell in that dtype, and a function for each kind of work
that it does, named as study.bench.case.Case names it. `training(case, given)`, `forward(case, given)` and `iteration(case,
given)` give a pair: step() computes once and to its end; check() gives {name: array} of the results that all peers must share.
`study(case, given)` runs a trial and gives {"sequences", "solved", "correct"}.
"""

import importlib.metadata

PACKAGES = {  # what must be installed; the first one's version is the peer's
    "ours": ["numpy"],
    "torch": ["torch"],
    "jax": ["jax"],
    "onnxruntime": ["onnxruntime", "onnx"],
    "numpy": ["numpy"],
}
OTHERS = [name for name in PACKAGES if name != "ours"]


def version(peer):
    """The version of what a peer is; None where something that it needs is not installed."""
    try:
        return [importlib.metadata.version(package) for package in PACKAGES[peer]][0]
    except importlib.metadata.PackageNotFoundError:
        return None
