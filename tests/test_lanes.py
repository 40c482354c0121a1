"""kernels/lanes.h: the same bits in every build, the stated errors, specials, parts of a vec, the floating-point mode.

tests/lanes.c is compiled for each instruction set and dtype; Arm's runs under qemu where there is a cross compiler.
scripts/lanes_error measures the errors over all float32 inputs; here a sample is held to the same bounds.
"""
import functools
import os
import platform
import shutil
import subprocess
import tempfile
from fractions import Fraction
from itertools import product
from pathlib import Path

import mpmath
import numpy as np
import pytest

from kernels import _features

ROOT = Path(__file__).parents[1]
X86 = platform.machine() in ("x86_64", "AMD64")
FLAGS = {
    "avx512": ["-mavx512f", "-mavx512dq", "-mavx512vl", "-mavx512bw", "-mfma", "-mprefer-vector-width=512"],
    "avx2": ["-mavx2", "-mfma"],
    "generic": [],
    "neon": [],
}
BASE = "generic" if X86 else "neon"
DTYPES = {"float32": ["-DREAL=float"], "float64": ["-DREAL=double", "-DLONGLAG_F64=1"]}
UNARY = ["exp", "log", "tanh", "sigmoid", "dtanh", "dsigmoid", "flush", "sqrt", "splat", "zero"]
WIDER = ["min", "max", "fma", "select_le0"]
ULPS = {"exp": 1.1, "log": 0.9, "sigmoid": 2, "tanh": 2}

each_isa = pytest.mark.parametrize("isa", FLAGS)
each_dtype = pytest.mark.parametrize("dtype", DTYPES)
folder = tempfile.TemporaryDirectory(prefix="lanes-")


@functools.cache
def program(isa, dtype):
    """The command that runs tests/lanes.c built for `isa` and `dtype`; skips where it cannot be."""
    crossed = isa == "neon" and X86
    compiler, runner = ("aarch64-linux-gnu-gcc", ["qemu-aarch64"]) if crossed else (os.environ.get("CC", "cc").split()[0], [])
    missing = [tool for tool in [compiler, *runner] if not shutil.which(tool)]
    if missing:
        pytest.skip(f"{isa} needs {' and '.join(missing)}")
    if not crossed and isa not in _features.OFFERED:
        pytest.skip(f"this processor has no {isa}")
    target = str(Path(folder.name, f"{isa}-{dtype}"))
    base = ["-march=x86-64"] if X86 and not crossed else ["-static"] if crossed else []
    flags = ["-O3", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off", "-fno-math-errno", f"-I{ROOT / 'kernels'}"]
    source = str(ROOT / "tests" / "lanes.c")
    subprocess.run([compiler, *flags, *base, *FLAGS[isa], *DTYPES[dtype], source, "-o", target, "-lm"], check=True)
    return [*runner, target]


def run(isa, dtype, name, x, y=None, z=None, **environment):
    operands = np.stack([np.zeros_like(x) if a is None else a for a in (x, y, z)]).astype(dtype)
    done = subprocess.run([*program(isa, dtype), name], input=operands.tobytes(), capture_output=True, check=True,
                          env=os.environ | environment)
    return np.frombuffer(done.stdout, dtype)


def same(a, b):
    """Equal bits, whatever the payload of a NaN."""
    word = f"u{a.itemsize}"
    return a.shape == b.shape and bool(np.all((a.view(word) == b.view(word)) | (np.isnan(a) & np.isnan(b))))


def specials(dtype):
    info = np.finfo(dtype)
    positive = [0, info.smallest_subnormal, 5 * info.smallest_subnormal, info.tiny - info.smallest_subnormal, info.tiny,
                2.0**-100, np.nextafter(np.array(2.0**-100, dtype), dtype(0)), info.eps, 0.5, 1 - info.epsneg, 1,
                1 + info.eps, 1.5, 2 + 2 * info.eps, 1 / info.eps + 1, 1 / info.epsneg - 1, 88, 708, info.max, np.inf]
    positive = np.array(positive, dtype)
    return np.concatenate([positive, -positive, np.array([np.nan], dtype)])


@functools.cache
def unary_sample(dtype):
    """Specials, any bits, common magnitudes, and where exp and sigmoid meet the smallest normal number."""
    rng = np.random.default_rng(1)
    kind = np.dtype(dtype).type
    bits = rng.integers(0, 2 ** (8 * kind().itemsize), 20_000, f"u{kind().itemsize}", endpoint=False).view(dtype)
    common = rng.choice([-1, 1], 60_000) * 2 ** rng.uniform(-24, 7, 60_000)
    smallest = np.log(float(np.finfo(dtype).tiny))
    return np.concatenate([specials(kind), bits, common.astype(dtype), rng.uniform(smallest - 2, smallest + 8, 4_003).astype(dtype)])


@functools.cache
def ternary_sample(dtype):
    """All triples of specials, any bits, sums that nearly cancel, sums near a tie, and results near the denormals."""
    rng = np.random.default_rng(2)
    kind = np.dtype(dtype).type
    info, size = np.finfo(dtype), kind().itemsize
    triples = np.array(list(product(specials(kind), repeat=3)), dtype).T
    bits = rng.integers(0, 2 ** (8 * size), (3, 20_000), f"u{size}", endpoint=False).view(dtype)
    a, b = rng.uniform(1, 2, (2, 20_000)).astype(dtype)
    steps = rng.integers(-3, 4, 20_000)
    with np.errstate(all="ignore"):
        cancelling = np.stack([a, b, (-(a * b) * (1 + steps * info.eps)).astype(dtype)])
        tiny = np.stack([a * kind(2.0 ** (info.minexp // 2)), b * kind(2.0 ** (info.minexp // 2)), info.tiny * (a - b)])
    factors = np.arange(2**7, 2**15)
    halves = [(f * 2.0**-27, m // f * 2.0**-28, c) for m in range(2**31 - 99, 2**31 + 100) for f in factors[m % factors == 0]
              for c in (1, 1 + 2.0**-23, 1 + 2.0**-22)]     # float32: half a last place and quarters of a double's last places
    tie = np.array(halves).T.astype(dtype)
    example = np.array([[2.0**-12 * (1 + 2.0**-23)], [2.0**-12 * (1 - 2.0**-23)], [1 + 2.0**-23]], dtype)
    return np.concatenate([triples, bits, cancelling, tie, np.array([[-1], [1], [1]], dtype) * tie, tiny, example], axis=1)


@each_dtype
@each_isa
def test_same_bits_in_every_build(isa, dtype):
    if isa == BASE:
        pytest.skip("the build that the others are compared with")
    for name in UNARY + WIDER:
        operands = [unary_sample(dtype)] if name in UNARY else ternary_sample(dtype)
        assert same(run(isa, dtype, name, *operands), run(BASE, dtype, name, *operands)), name


@each_dtype
def test_bits_without_the_c_library_using_hardware(dtype):
    if platform.libc_ver()[0] != "glibc" or not X86:
        pytest.skip("needs glibc on x86-64")
    lacking = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-FMA,-FMA4,-AVX2"}
    operands = ternary_sample(dtype)
    assert same(run(BASE, dtype, "fma", *operands, **lacking), run(BASE, dtype, "fma", *operands))


@each_dtype
@each_isa
def test_fma_rounds_once(isa, dtype):
    """Against exact fractions: no neighbour is nearer, and a tie goes to the even one."""
    operands = ternary_sample(dtype)
    operands = operands[:, np.random.default_rng(3).permutation(operands.shape[1])[:4_000]]
    operands = np.concatenate([operands, ternary_sample(dtype)[:, -1:]], axis=1)
    checked = 0
    for a, b, c, ours in zip(*operands, run(isa, dtype, "fma", *operands), strict=True):
        if not np.isfinite([a, b, c, ours]).all() or abs(ours) == np.finfo(dtype).max:
            continue
        checked += 1
        exact = Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c))
        lost = abs(Fraction(float(ours)) - exact)
        for neighbour in (np.nextafter(ours, -ours.dtype.type(np.inf)), np.nextafter(ours, ours.dtype.type(np.inf))):
            distance = abs(Fraction(float(neighbour)) - exact) if np.isfinite(neighbour) else lost + 1
            even = ours.view(f"u{ours.itemsize}") % 2 == 0
            assert lost < distance or (lost == distance and even), (a, b, c, ours)
    assert checked > 2_000


EXACT = {
    "exp": (mpmath.exp, np.exp),
    "log": (mpmath.log, np.log),
    "sigmoid": (lambda x: 1 / (1 + mpmath.exp(-x)), lambda x: 1 / (1 + np.exp(-x))),
    "tanh": (mpmath.tanh, np.tanh),
}


@each_dtype
@pytest.mark.parametrize("name", ULPS)
def test_errors(name, dtype):
    """In units of the exact result's last place, wherever that result is a finite normal number."""
    info, (slow, fast) = np.finfo(dtype), EXACT[name]
    x = unary_sample(dtype)
    if dtype == "float64":
        x = np.concatenate([x[::16], x[-1_000:]])
    x = x[np.isfinite(x) & ((x > 0) | (name != "log"))]
    ours = run(BASE, dtype, name, x)
    with np.errstate(all="ignore"), mpmath.workprec(120):
        if dtype == "float32":
            right = fast(x.astype("float64"))
            off = ours - right
        else:
            exact = [slow(mpmath.mpf(float(value))) for value in x]
            right = np.array([float(value) for value in exact])
            off = np.array([float(mpmath.mpf(float(y)) - value) if np.isfinite(y) else y for y, value in zip(ours, exact, strict=True)])
        normal = (np.abs(right) >= float(info.tiny)) & (np.abs(right) <= float(info.max))
        unit = np.ldexp(1.0, np.frexp(right[normal])[1] - (info.nmant + 1))
    units = np.abs(off[normal]) / unit
    assert normal.sum() > 1_000
    assert units.max() <= ULPS[name], x[normal][units.argmax()]


@each_dtype
@each_isa
def test_specials(isa, dtype):
    inf, nan, least = np.inf, np.nan, float(np.finfo(dtype).smallest_subnormal)
    far = 89 if dtype == "float32" else 710      # past the range of exp
    tiny = 2.0**-100 if dtype == "float32" else 2.0**-1000
    expected = {
        "exp": [(0, 1), (-0.0, 1), (least, 1), (far, inf), (inf, inf), (-far, 0.0), (-inf, 0.0), (nan, nan)],
        "log": [(1, 0.0), (0, -inf), (-0.0, -inf), (-least, nan), (-1, nan), (-inf, nan), (inf, inf), (nan, nan)],
        "sigmoid": [(0, 0.5), (-0.0, 0.5), (far, 1), (inf, 1), (-far, 0.0), (-inf, 0.0), (nan, nan)],
        "tanh": [(0, 0.0), (-0.0, -0.0), (least, least), (-least, -least), (20, 1), (-20, -1), (far, 1), (inf, 1), (-inf, -1), (nan, nan)],
        "flush": [(tiny, tiny), (-tiny, -tiny), (tiny / 2, 0.0), (-tiny / 2, 0.0), (-0.0, 0.0), (inf, inf), (nan, nan)],
        "dtanh": [(0, 1), (1, 0.0), (-1, 0.0), (0.5, 0.75)],
        "dsigmoid": [(0, 0.0), (1, 0.0), (0.5, 0.25)],
        "splat": [(-0.0, -0.0), (0, 0.0), (nan, nan)],
        "zero": [(nan, 0.0)],
    }
    for name, pairs in expected.items():
        x, right = np.array(pairs, dtype).T
        ours = run(isa, dtype, name, x)
        assert same(ours, right), (name, x, ours)


@each_dtype
@each_isa
def test_choices_let_nan_through(isa, dtype):
    constant, x = np.full(5, 1, dtype), np.array([0, 1, 2, np.nan, -np.inf], dtype)
    assert same(run(isa, dtype, "min", constant, x), np.array([0, 1, 1, np.nan, -np.inf], dtype))
    assert same(run(isa, dtype, "max", constant, x), np.array([1, 1, 2, np.nan, 1], dtype))
    a, nan = np.array([-1, -0.0, 0, 1, np.nan], dtype), np.full(5, np.nan, dtype)
    assert same(run(isa, dtype, "select_le0", a, constant, nan), np.array([1, 1, 1, np.nan, np.nan], dtype))
    assert same(run(isa, dtype, "select_le0", a, nan, constant), np.array([np.nan, np.nan, np.nan, 1, 1], dtype))


@each_dtype
@each_isa
@pytest.mark.parametrize("check", ["parts", "mode"])
def test_touches_nothing_else(check, isa, dtype):
    done = subprocess.run([*program(isa, dtype), check], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
