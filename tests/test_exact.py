"""On a trial's path only kernels compute with floats; Python and NumPy move, index and compare data and do exact operations."""

import numpy as np
from uses import PROJECT, matches, sources, uses

PATH = [  # files whose values reach a trial's numbers
    *sources("study/trial", "study/nets", "study/tasks", "study/probes"),
    *(name for name in sources("kernels") if not name.startswith(("kernels/reference", "kernels/torch", "kernels/onnx/"))),
]
# Single operations on floats (+ - * / sqrt) are correctly rounded everywhere. Sums, products and other functions of floats differ
# between versions of NumPy, C libraries and processors.
NUMPY = """
abs absolute add all any append arange argmax argmin argpartition argsort array array_equal asarray ascontiguousarray
atleast_* bincount bitwise_* bool bool_ broadcast_shapes broadcast_to can_cast ceil clip column_stack concatenate copy
copysign copyto count_nonzero delete diff divide dtype e empty empty_like equal errstate expand_dims eye finfo flatnonzero
flip float32 float64 floating floor frexp frombuffer full full_like generic greater greater_equal hstack identity iinfo
indices inf insert int16 int32 int64 int8 integer invert isfinite isin isinf isnan ix_ ldexp left_shift less less_equal
lexsort logical_* maximum minimum moveaxis multiply nan ndarray ndim ndindex negative newaxis nextafter nonzero not_equal
number ones ones_like packbits partition pad permute_dims promote_types ravel repeat reshape result_type right_shift roll
rollaxis rot90 searchsorted shape shares_memory may_share_memory sign signbit size sort split spacing sqrt square squeeze
stack subtract swapaxes take take_along_axis tile transpose tril triu trunc uint16 uint32 uint64 uint8 unique unpackbits
vstack where zeros zeros_like logical_*.reduce bitwise_*.reduce minimum.accumulate maximum.accumulate minimum.reduce
maximum.reduce
"""
METHODS = """
T all any argmax argmin argpartition argsort as_integer_ratio astype base byteswap choose clip compress copy ctypes data dtype
fill flags flat flatten hex imag is_integer item itemsize max min nbytes ndim newbyteorder nonzero partition put ravel real
repeat reshape searchsorted setflags shape size sort squeeze strides swapaxes take tobytes tolist transpose view
"""
BUILTINS = """
__name__ __file__ *Error *Exception *Warning *Exit *Interrupt StopIteration abs all any bool bytes bytearray callable chr
classmethod delattr dict enumerate filter float format frozenset hasattr hash hex id int isinstance issubclass iter len list
map max memoryview min next object ord property range repr reversed set setattr slice sorted staticmethod str super tuple type
zip Ellipsis NotImplemented
"""
OTHERS = """
functools.cache functools.cached_property functools.lru_cache functools.partial functools.wraps itertools.batched
itertools.chain* itertools.count itertools.cycle itertools.islice itertools.pairwise itertools.product itertools.repeat
itertools.zip_longest math.ceil math.copysign math.floor math.frexp math.gcd math.inf math.isfinite math.isinf math.isnan
math.isqrt math.lcm math.ldexp math.nan math.trunc os.getpid os.register_at_fork
"""
WITHOUT_FLOATS = """
abc collections contextlib copy dataclasses difflib enum hashlib json kernels numbers pydantic pydantic_core re reprlib string
study textwrap threading types typing warnings weakref
"""
EXACT = " ".join([OTHERS, BUILTINS, *(f"numpy.{name}" for name in NUMPY.split()),
                  *(f"{name} {name}.*" for name in WITHOUT_FLOATS.split())])
IMPORTS = f"{EXACT} functools itertools math numpy os"
ARRAY = {*dir(np.ndarray), *dir(np.generic), *dir(np.float64)} - {*dir(object)} | {"accumulate", "outer", "reduce", "reduceat"}
MAY = {  # {file: {name: why it is exact, or changes no trial's numbers}}
    "kernels/attention.py": {"sum": "sizes of shapes, integers", "power": "the same", ".sum": "lengths of rows, integers",
                             "vars": "arrays by name"},
    "kernels/cell.py": {"pathlib.Path": "the equations, for people"},
    "kernels/checks.py": {"numpy.ma.MaskedArray": "refused", "vars": "attributes that are fixed or checked"},
    "kernels/layer.py": {"itertools.accumulate": "sizes of shapes, integers", "math.prod": "the same"},
    "kernels/processor.py": {
        "importlib*": "the build for this processor: all give the same bits",
        "os.*": "how many threads: any number gives the same bits",
        "pathlib.Path": "the same, from the control group",
    },
    "kernels/sources.py": {"pathlib.Path": "whether the kernels are compiled from these sources"},
    "kernels/parameters.py": {"math.prod": "sizes of shapes, integers"},
    "kernels/training.py": {".sum": "a part of the compiled steps"},
    "kernels/wrappers.py": {"power": "a number of vecs, whole"},
    "study/nets/architecture.py": {"getattr": "a trial's knobs by name"},
    "study/nets/heads/__init__.py": {"importlib*": "a head is found by its file", "pkgutil*": "the same"},
    "study/nets/upper.py": {"sum": "sizes of modules, integers", ".sum": "a part of a kernels.Training"},
    "study/nets/losses/__init__.py": {"importlib*": "a loss is found by its file", "pkgutil*": "the same"},
    "study/nets/net.py": {"math.prod": "sizes of shapes, integers"},
    "study/probes/__init__.py": {"power": "lags, whole numbers"},
    "study/probes/gates.py": {".sum": "counts of booleans"},
    "study/probes/norms.py": {"numpy.multiply.accumulate": "products in order, by definition"},
    "study/tasks/__init__.py": {"importlib*": "a task is found by its file", "pkgutil*": "the same"},
    "study/tasks/_data.py": {"importlib*": "finds files, which are checked", "pathlib.Path": "the same"},
    "study/tasks/_task.py": {"numpy.add.reduceat": "counts of booleans"},
    "study/tasks/_rule.py": {
        ".mean": "a field of the rule",
        ".sum": "whole units of 2^-40, int64",
        "numpy.add.reduceat": "the same",
        "numpy.cumsum": "the same",
    },
    "study/tasks/chorales.py": {"zipfile.ZipFile": "unpacks bytes", "import zipfile": "the same", "io.BytesIO": "the same", "import io": "the same"},
    "study/tasks/copy.py": {"math.log": "the chance loss, in no trial"},
    "study/tasks/digits.py": {"math.log": "the chance loss", "sklearn.datasets.load_digits": "pixels, whole numbers"},
    "study/tasks/flip_flop.py": {"math.log": "the chance loss, in no trial"},
    "study/tasks/group_words.py": {"math.log": "the chance loss, in no trial", "power": "the chance score, in no trial"},
    "study/tasks/language.py": {"math.log": "the chance loss, in no trial", "sum": "the same"},
    "study/tasks/lag_free.py": {"math.log": "the chance loss, in no trial"},
    "study/tasks/lag_long.py": {"math.log": "the chance loss, in no trial"},
    "study/tasks/lag_random.py": {"math.log": "the chance loss, in no trial"},
    "study/tasks/multi_recall.py": {"math.log": "the chance loss, in no trial", "power": "the chance score, in no trial"},
    "study/tasks/parity.py": {"math.log": "the chance loss, in no trial", "power": "the chance score, in no trial"},
    "study/tasks/recall.py": {"math.log": "the chance loss, in no trial"},
    "study/tasks/reber_continual.py": {"sum": "the chance loss, in no trial"},
    "study/tasks/temporal_order.py": {"math.log": "the chance loss, in no trial"},
    "study/tasks/timing.py": {"numpy.cumsum": "whole numbers", "power": "the chance loss, in no trial", "sum": "the same"},
    "study/tasks/vowels.py": {"math.log": "the chance loss, in no trial"},
    "study/trial/curve.py": {".sum": "whole numbers"},
    "study/trial/evaluate.py": {".sum": "whole numbers", "sum": "the same"},
    "study/trial/knobs.py": {"getattr": "a trial's knobs by name", "vars": "the same"},
    "study/trial/result.py": {"getattr": "a result's fields by name"},
}


def inexact(source):
    """[(line, name)] of all uses that are not known to be exact."""
    return [(line, name) for line, name, _ in uses(source) if not exact(name)]


def exact(name):
    if name.startswith("."):
        return name[1:] not in ARRAY or matches(name[1:], METHODS)
    return matches(name, IMPORTS if name.startswith("import ") else EXACT) and not matches(name, "kernels.reference*")


def test_a_trials_path_computes_floats_in_kernels_only():
    for file in PATH:
        may = " ".join(MAY.get(file, {}))
        refused = [f"{file}:{line} {name}" for line, name in inexact((PROJECT / file).read_text()) if not matches(name, may)]
        assert not refused, "compute it in kernels; if it gives the same bits everywhere, add it to the exact names"


def test_every_exception_is_in_use():
    for file, may in MAY.items():
        names = [name for _, name in inexact((PROJECT / file).read_text())]
        assert all(any(matches(name, pattern) for name in names) for pattern in may), file


CAUGHT = [
    "np.exp(a)", "np.tanh(a)", "np.log1p(a)", "np.sin(a)", "np.power(a, b)", "np.dot(a, b)", "np.matmul(a, b)", "np.vdot(a, b)",
    "np.einsum('ij,jk', a, b)", "np.linalg.norm(a)", "np.fft.fft(a)", "np.random.default_rng(0)", "np.random.Generator",
    "np.sum(a)", "np.cumsum(a)", "np.prod(a)", "np.mean(a)", "np.average(a)", "np.std(a)", "np.trace(a)", "np.convolve(a, b)",
    "np.add.reduce(a)", "np.add.accumulate(a)", "np.multiply.reduce(a)", "np.add.at(a, b, c)", "np.float64.sum(a)",
    "np.nansum(a)", "np.interp(a, b, c)", "np.linspace(0, 1, n)", "np.cbrt(a)", "np.float_power(a, 2)", "np.hypot(a, b)",
    "np.median(a)", "f = np.exp", "g(np)", "m = np", "getattr(np, 'exp')(a)", "getattr(np, name)(a)", "vars(np)['exp'](a)",
    "np.__dict__['exp'](a)", "from numpy import exp\nexp(a)", "from numpy import exp as e\ne(a)", "from numpy import *",
    "import numpy.linalg as la", "from numpy import linalg", "import numpy\nnumpy.exp(a)",
    "import numpy as other\nother.add.reduce(a)", "def f():\n    from numpy import tanh\n    return tanh",
    "import importlib\nimportlib.import_module('numpy').exp(a)", "a.sum()", "a.mean(axis=0)", "a.cumsum()", "a.cumprod()",
    "a.prod()", "a.dot(b)", "a.std()", "a.var()", "a.trace()", "a.round(3)", "a[0].sum()", "f(a).sum()", "method = a.sum",
    "getattr(a, 'sum')()", "getattr(a, name)()", "type(a).sum(a)", "a.__matmul__(b)", "a.__pow__(3)", "a.tofile(f)", "sum(b)",
    "map(sum, b)", "pow(a, b)", "round(a, 3)", "eval('a')", "exec('a')", "__import__('numpy')", "globals()['a']",
    "__builtins__", "open(path)", "a @ b", "a @= b", "a ** b", "a **= 2", "a ** 2", "2 ** n", "2 ** 0.5",
    "import math\nmath.exp(a)", "import math\nmath.fsum(a)", "import math\nmath.pow(a, b)", "from math import log\nlog(a)",
    "import math\nmath.hypot(a, b)", "import math\nmath.prod(a)", "import math\ng(math)", "import math as m\nm.sqrt(m.tanh(a))",
    "f = np.add\nf.reduce(a)", "f = np.multiply\nf.outer(a, b)", "from kernels.layer import np as other\nother.exp(a)",
    "import kernels.layer\nkernels.layer.np.exp(a)", "from study.trial.run import math as m\nm.exp(a)",
    "getattr(a, 'shape', np.exp)", "import random", "from random import gauss", "import statistics", "import scipy",
    "from scipy import special", "import cmath", "import operator", "from functools import reduce",
    "from itertools import accumulate", "import builtins", "import torch", "from os import urandom", "import pandas as pd",
    "import time", "from kernels import reference", "import kernels.reference_cells",
]
PASSED = [
    "np.zeros(3) + np.arange(3) * np.float32(2) / np.sqrt(a)", "a + b - c * d / e // f % g", "a += b", "np.abs(a).max()",
    "2.0**-23", "2**31", "np.maximum.accumulate(a)", "np.where(a > 0, a, np.float32(0))",
    "a.astype(np.float64).reshape(-1).T[0].copy()", "a.argmax(axis=1)", "(a == b).all()", "len(a), max(a), abs(b), sorted(c)",
    "float(f'{a:.5g}')", "import math\nmath.isfinite(a), math.inf",
    "import kernels\nkernels.total(a), kernels.log(b), kernels.Stream('x').normal(3)", "from study import tasks\ntasks.get(a)",
    "np.ldexp(a, 3), np.frexp(a)[1]", "self.sum = a", "getattr(a, 'shape')", "def sum(a):\n    return a\nsum(b)",
]


def test_what_need_not_be_exact_is_caught():
    assert [source for source in CAUGHT if not inexact(f"import numpy as np\n{source}")] == []


def test_what_is_exact_passes():
    assert [source for source in PASSED if inexact(f"import numpy as np\n{source}")] == []
