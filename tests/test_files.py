"""Every file is short, does one thing, has no dead code, and speaks of the project alone."""

import ast
import re
import subprocess
import sys

from uses import PROJECT

LINES, PARAMETERS = 400, 7
CODE = [path for folder in ("kernels", "study", "tests") for path in sorted((PROJECT / folder).rglob("*"))
        if path.suffix in {".py", ".pyx", ".pxd", ".h", ".pxi"}]
# Folders of a developer's machine and hosts of package indexes, written in halves so that this file contains none of them.
FOREIGN = ["/wo" "rk/", "/ro" "ot/", "/ho" "me/", "/op" "t/", "/Us" "ers/", "/tmp/" "bash", "py" "pi.", "python" "hosted",
           "npm" "js.", "deb" "ian.org", "cra" "tes.io"]


def parameters(text, suffix):
    """[(function, its number of parameters without self)] of Python source, or of Cython source by its suffix."""
    if suffix == ".py":
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                given = node.args
                names = [*given.posonlyargs, *given.args, *given.kwonlyargs, *filter(None, [given.vararg, given.kwarg])]
                yield node.name, sum(name.arg not in {"self", "cls"} for name in names)
        return
    text = re.sub(r"#.*|\[[^]]*\]", "", text)
    function = r"^[ \t]*(?:cdef|cpdef|def)\b[^\n(=]*?(\w+)\(((?:[^()]|\([^()]*\))*)\)[^\n]*:\s*$"
    for name, inside in re.findall(function, text, re.M):
        words = [word.strip() for word in re.sub(r"\([^()]*\)", "", inside).split(",")]
        yield name, sum(bool(word) and word not in {"self", "cls", "*"} for word in words)


def test_a_file_is_one_thing():
    for path in CODE:
        assert len(path.read_text().splitlines()) <= LINES, path
        assert "util" not in path.stem, path


def test_functions_have_few_parameters():
    for path in CODE:
        counted = parameters(path.read_text(), path.suffix) if path.suffix != ".h" else []
        many = {name for name, count in counted if count > PARAMETERS}
        assert not many, path


def test_parameters_are_counted():
    python = "class A:\n    def f(self, a, /, b, *c, d=1, **e):\n        def g(): pass"
    assert dict(parameters(python, ".py")) == {"f": 5, "g": 0}
    cython = """
cdef inline void f(long a, const REAL* b, int c[2],  # one, two
                   vec (*g)(vec, int) noexcept nogil) noexcept nogil:
    h(1, 2)
    cdef long n = len(a), m = min(1, 2)
    def i(self, double[:, :] x, y=None, *rest):
        pass
cpdef object j():
    for k in range(n): pass
"""
    assert dict(parameters(cython, ".pxd")) == {"f": 4, "i": 3, "j": 0}


def test_no_code_is_dead(tmp_path):
    def vulture(*paths):
        return subprocess.run([sys.executable, "-m", "vulture", *paths], cwd=PROJECT, capture_output=True, text=True, timeout=120)

    done = vulture()
    assert done.returncode == 0, done.stdout + done.stderr
    (tmp_path / "dead.py").write_text("import os\n\ndef unused():\n    return 1\n    return 2\n")
    text = vulture(str(tmp_path)).stdout
    assert all(words in text for words in ("unused import 'os'", "unused function 'unused'", "unreachable code"))


def foreign(text):
    return [word for word in FOREIGN if word in text]


def test_the_project_speaks_of_itself_alone():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True)
    names = listed.stdout.split("\0")[:-1] or [str(path.relative_to(PROJECT)) for path in CODE]
    for name in names:
        content = (PROJECT / name).read_bytes() if (PROJECT / name).is_file() else b""
        assert not foreign(content.decode(errors="replace")), name
    assert foreign("see " + "/wo" + "rk/x") and foreign("https://py" + "pi.org") and not foreign("a network/path")
