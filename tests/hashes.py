"""One hash for each small problem of the kernels, over everything that they give; run as a program it prints them as JSON.

    python tests/hashes.py [--threads 1,2] [--only NAME] [--in torch|ftz|fork]    (`--in`: where the process has been before)

`python tests/hashes.py > tests/golden/kernels.json` writes the golden hashes: to add a new cell's, which changes no other,
and after a change that alters bits on purpose, which raises kernels.NUMERICS too.
"""
import argparse
import ctypes
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    sys.path[:0] = map(str, Path(__file__).parents[:2])

# T, B, I, H: more than a chunk of 32 steps, odd everything; one of each; more rows than a tile, wide input; wide net; few rows, wide
# input, several chunks
SIZES = [(37, 7, 5, 33), (1, 1, 1, 1), (5, 29, 40, 16), (3, 5, 2, 70), (70, 3, 17, 21)]
ARMS = [("both", "learned"), ("forward", "concat")]
WRITE = "python tests/hashes.py > tests/golden/kernels.json"


def digest(arrays):
    """SHA-256 of the named arrays' dtypes, shapes and bits; all NaNs count as one."""
    sha = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        sha.update(f"{name} {array.dtype} {array.shape}".encode())
        sha.update(np.where(np.isnan(array), np.asarray(np.nan, array.dtype), array).tobytes())
    return sha.hexdigest()[:16]


def problems(only):
    """[(name, layer, case)] for each cell, dtype, arm and size, and some whose values lie among the denormal numbers."""
    import cases

    found = []
    for cell in cases.CELLS:
        for make in (cases.float32, cases.float64):
            start = f"{cell} {make.__name__}"
            for direction, merge in ARMS:
                for T, B, I, H in SIZES:
                    given = cases.case(cell, (T, B, I, H), direction, merge, dtype=make.__name__)
                    found.append((f"{start} {direction} {T},{B},{I},{H}", make(cell, I, H, direction, merge), given))

            layer, tiny = make(cell, 3, 18, "both", "mean"), np.finfo(make.__name__).tiny
            a, dx = (cases.case(cell, (5, 7, 3, 18), "both", "mean", dtype=make.__name__) for _ in range(2))
            a.x *= tiny
            a.state = None
            for name, part in layer.view(a.theta).items():
                part *= 0 if name.endswith("b") else 1
            # Deltas stay above the least that is kept, and their products with W fall below the normal numbers.
            dx.dy *= tiny * 2**46
            dx.dstate = None
            for name, part in layer.view(dx.theta).items():
                part *= 2.0**-48 if name.endswith("W") else 1
            found += [(f"{start} denormal a", layer, a), (f"{start} denormal dx", layer, dx)]
    return [problem for problem in found if only in problem[0]]


def hashes(threads, prepared):
    """{problem: hash}; with several numbers of threads {problem: [hash of each]}."""
    import cases

    found = {name: [digest(cases.results(layer, given, threads=n)) for n in threads] for name, layer, given in prepared}
    return found if len(threads) > 1 else {name: each[0] for name, each in found.items()}


def flush_to_zero():
    """Set this thread's flush-to-zero and denormals-are-zero modes, as a library linked with -ffast-math does at load."""
    source = ("#include <xmmintrin.h>\nvoid set(void) { _mm_setcsr(_mm_getcsr() | 0x8040); }\n"
              "unsigned get(void) { return _mm_getcsr() & 0x8040; }\n")
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "modes.so"
        subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-x", "c", "-", "-o", library], input=source.encode(), check=True)
        modes = ctypes.CDLL(str(library))
    modes.set()
    return modes


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", default="1")
    parser.add_argument("--only", default="")
    parser.add_argument("--in", dest="where", choices=["torch", "ftz", "fork"])
    asked = parser.parse_args()
    threads = [int(n) for n in asked.threads.split(",")]

    if asked.where == "torch":
        import torch

        a = torch.randn(300, 300, requires_grad=True)
        (a @ a).tanh().sum().backward()
    import kernels

    prepared = problems(asked.only)
    if asked.where == "ftz":
        modes = flush_to_zero()
        found = hashes(threads, prepared)
        if modes.get() != 0x8040:
            raise SystemExit("the kernels did not give back the floating-point modes that they found")
    elif asked.where == "fork":
        hashes([4], prepared)
        reader, writer = os.pipe()
        if not os.fork():
            os.write(writer, json.dumps([kernels.threads(4), hashes(threads, prepared)]).encode())
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            used, found = json.load(pipe)
        if used != 1:
            raise SystemExit(f"a forked child uses {used} threads")
    else:
        found = hashes(threads, prepared)
    print(json.dumps({"NUMERICS": kernels.NUMERICS, "isa": kernels.isa(), "hashes": found}, indent=1))


if __name__ == "__main__":
    main()
