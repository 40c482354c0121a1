"""Lists what source code uses, by full name, for the tests that allow some names and refuse the rest."""

import ast
import builtins
import fnmatch
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).resolve().parents[1]
BUILTINS = {*dir(builtins), "__builtins__"}
ELSEWHERE = {  # modules that keep their own name when a file of the project is asked for them: "kernels.layer.np"
    "np": "numpy", "pd": "pandas",
    **{name: name for name in "io json math numpy os pickle random shutil sqlite3 subprocess tempfile".split()},
}
OPERATORS = {ast.MatMult: "matmul", ast.Pow: "power"}


class Use(NamedTuple):
    """One use of a name.

    Attributes
    ----------
    line : int
    name : str
        "import numpy", "numpy.add.reduce" for what imports lead to, "sum" for a built-in, ".sum" for an attribute of any other
        value, "power" and "matmul" for the operators.
    call : ast.Call or None
        The call of that name; None where the name is passed on, imported or only read.
    """

    line: int
    name: str
    call: ast.Call | None


def sources(*folders):
    """All Python files in folders of the project, by path relative to it."""
    return [str(path.relative_to(PROJECT)) for folder in folders for path in sorted((PROJECT / folder).rglob("*.py"))]


def uses(source):
    """The Uses in Python source, in no particular order. A local name that hides a built-in counts as local."""
    tree = ast.parse(source)
    imported = dict(_imported(tree))
    local = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    local |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    local |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    uses = [Use(node.lineno, name, None) for node in ast.walk(tree) for name in _names_of_import(node)]
    _visit(tree, None, imported, local, uses)
    return uses


def _names_of_import(node):
    if isinstance(node, ast.Import):
        return [f"import {alias.name}" for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [_direct(f"{node.module}.{alias.name}") for alias in node.names]
    return []


def _direct(name):
    """numpy.exp for "kernels.layer.np.exp"; any other name as it is."""
    first, *rest = name.split(".")
    for i, part in enumerate(rest if first in {"kernels", "study"} else []):
        if part in ELSEWHERE:
            return ".".join([ELSEWHERE[part], *rest[i + 1 :]])
    return name


def _imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                yield (alias.asname, alias.name) if alias.asname else (top, top)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _visit(node, call, imported, local, uses):
    """Append the uses at `node` and below; `call` is the call whose function `node` is."""
    if isinstance(node, ast.Call) and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
        function = getattr(node.func, "id", "")
        if function == "hasattr":  # uses nothing
            return
        if function == "getattr":  # as if it were written with a dot
            for default in node.args[2:]:
                _visit(default, None, imported, local, uses)
            node, call = ast.copy_location(ast.Attribute(node.args[0], node.args[1].value, ast.Load()), node), None
    name = _named(node, imported, local)
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in OPERATORS and not _power_of_two(node):
        name = OPERATORS[type(node.op)]
    if name:
        uses.append(Use(node.lineno, name, call))
    if name and not name.startswith(".") and isinstance(node, ast.Attribute):
        return  # the whole chain of attributes has been named
    for child in ast.iter_child_nodes(node):
        _visit(child, node if isinstance(node, ast.Call) and child is node.func else None, imported, local, uses)


def _named(node, imported, local):
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        return _direct(imported.get(node.id, "")) or (node.id if node.id in BUILTINS - local else None)
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
        attributes, base = [node.attr], node.value
        while isinstance(base, ast.Attribute):
            attributes, base = [base.attr, *attributes], base.value
        if isinstance(base, ast.Name) and base.id in imported:
            return _direct(".".join([imported[base.id], *attributes]))
        return f".{node.attr}"
    return None


def _power_of_two(node):
    """2**n with a literal whole n, which is exact."""
    if not isinstance(node, ast.BinOp) or getattr(node.left, "value", None) != 2:
        return False
    exponent = node.right.operand if isinstance(node.right, ast.UnaryOp) else node.right
    return isinstance(getattr(exponent, "value", None), int)


def matches(name, patterns):
    """Whether a name, or the module that an import names, fits one of some patterns: "os.environ* time"."""
    return bool(_pattern(patterns)(name.removeprefix("import ")))


@cache
def _pattern(patterns):
    return re.compile("|".join(map(fnmatch.translate, patterns.split()))).match if patterns else lambda name: None
