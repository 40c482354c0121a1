"""Only the store writes, training reads and writes nothing but its trial, reports never train: by source and by trial run."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
from uses import PROJECT, matches, sources, uses

READS = {  # modules that can write, and their names that do not; every other module must be in HARMLESS
    "csv": "csv.writer csv.reader",
    "gzip": "gzip.compress gzip.decompress",
    "io": "io.BytesIO io.StringIO io.TextIOBase io.UnsupportedOperation",
    "json": "json.dumps json.loads json.JSON*",
    "logging": "logging.getLogger logging.WARNING logging.ERROR",
    "mmap": "",
    "numpy": " ".join(f"numpy.[!{letter}]*" for letter in "s") + " numpy.s[!a]*",
    "os": """
        os.O_RDONLY os.R_OK os.W_OK os.X_OK os.access os.close os.cpu_count os.devnull os.environ* os.fspath os.fstat os.getcwd
        os.getloadavg os.getpgrp os.getpid os.getppid os.isatty os.linesep os.lstat os.name os.path.* os.pathsep* os.register_at_fork os.scandir
        os.sched_getaffinity os.sched_setaffinity os.sep os.stat os.strerror os.tcgetpgrp os.urandom os._exit""",
    "pathlib": "pathlib.Path pathlib.PurePath",
    "pickle": "pickle.dumps pickle.loads pickle.load",
    "pyarrow": "pyarrow.[!p]* pyarrow.parquet",
    "shutil": "shutil.which shutil.get_terminal_size shutil.disk_usage",
    "sqlite3": "",
    "subprocess": "",
    "tempfile": "",
    "zipfile": "",
}
HARMLESS = """
__future__ abc base64 bisect click collections concurrent contextlib copy ctypes dask dataclasses datetime difflib distributed enum
errno fcntl functools gc google hashlib heapq importlib inspect itertools jax jinja2 joblib kernels locale loky markdown_it markupsafe math
matplotlib multiprocessing numbers onnx onnxruntime operator pandas pkgutil platform pydantic pydantic_core queue random re
reprlib resource rich scipy select shlex signal sklearn socket stat statistics string struct study sys textwrap threading
threadpoolctl time tomllib torch traceback types typing unicodedata uuid warnings weakref xml zlib
"""
READERS = """
__* absolute anchor as_posix as_uri cwd drive exists expanduser glob group home is_* iterdir joinpath lstat match name owner
parent parents parts read_bytes read_text readlink relative_to resolve rglob root samefile stat stem suffix suffixes walk
with_*
"""
ON_FILES = {name for name in dir(Path) if not matches(name, READERS) and not name.startswith("_")} - {"open", "replace", "rename"}
SAVES = {"dump", "extractall", "imsave", "savefig", "save", "savez", "save_html", "save_svg", "save_text", "tofile",
         "write_table"}
EXPORTS = {name for kind in (pd.DataFrame, pd.Series) for name in dir(kind) if name.startswith("to_")}
MAY = {  # {file: {name: why}}
    "kernels/onnx/__init__.py": {".write_bytes": "the caller's file"},
    "study/records/store.py": {"*": "the store"},
    "study/records/files.py": {"*": "its files"},
    "study/process.py": {"io.*": "standard streams", "os.O_RDWR": "the same", "os.open": "the same",
                         "os.set_inheritable": "the same", "os.write": "the same"},
    "study/records/export.py": {"sqlite3.connect": "in memory", "pyarrow.parquet.write_table": "into memory"},
    "study/records/weights.py": {"numpy.savez": "into memory"},
    "study/records/machine.py": {"subprocess*": "asks git and the compiler"},
    "study/tasks/chorales.py": {"zipfile.ZipFile": "reads from memory"},
    "study/report/__init__.py": {".unlink": "its own stale figures"},
    "study/report/drawing.py": {".savefig": "into memory"},
    "study/bench/peer_server.py": {"os.dup*": "pipes to the driver", "os.fdopen": "the same", "pickle.dump": "the same"},
    "study/bench/peer_process.py": {"subprocess*": "its server", "pickle.dump": "pipes to the server"},
}


def effects(source):
    """[(line, name)] of all uses that are not known to leave the disk as it is."""
    return [(use.line, use.name) for use in uses(source) if not harmless(use)]


def harmless(use):
    name, call = re.sub(r"^pathlib\.Path(?=\.)", "", use.name), use.call
    if name in {"eval", "exec", "__import__", "__builtins__", "globals"}:
        return False
    if name in {"open", ".open"}:
        return call is not None and reading(call, 1 if name == "open" else 0)
    if name in {".replace", ".rename"}:  # a path's methods take one argument; those of str and DataFrame two, or keywords
        return call is None or len(call.args) != 1 or bool(call.keywords)
    if name.startswith("."):
        attribute = name[1:]
        named = {word.arg for word in call.keywords} if call else set()
        into_memory = attribute in EXPORTS and call and not call.args and not {"path", "path_or_buf", "buf"} & named
        return into_memory or attribute not in ON_FILES | SAVES | EXPORTS - {"to_dict", "to_list", "to_numpy"}
    module = name.removeprefix("import ").partition(".")[0]
    if module in READS:
        return name in {f"import {module}", f"import {module}.parquet"} or matches(name, READS[module])
    return "." not in name and not name.startswith("import ") or matches(module, HARMLESS)


def reading(call, position):
    """Whether a call of open has a literal mode that only reads, or none."""
    modes = [*call.args[position : position + 1], *(word.value for word in call.keywords if word.arg == "mode")]
    return all(isinstance(getattr(mode, "value", None), str) and not set(mode.value) & set("wax+") for mode in modes)


def test_only_the_store_writes():
    for file in sources("kernels", "study"):
        may = " ".join(MAY.get(file, {}))
        refused = [f"{file}:{line} {name}" for line, name in effects((PROJECT / file).read_text()) if not matches(name, may)]
        assert not refused, "let study/records/store.py write; if the module is new here, add it to HARMLESS or READS"


def test_every_exception_is_in_use():
    for file, may in MAY.items():
        names = [name for _, name in effects((PROJECT / file).read_text())]
        assert all(any(matches(name, pattern) for name in names) for pattern in may), file


CAUGHT = [
    "open(f, 'w')", "open(f, mode='a')", "open(f, 'r+')", "open(f, mode)", "open(f, mode=mode)", "open(f, *mode)",
    "map(open, files)", "path.open('w')", "path.open(mode='x')", "path.open(mode)", "import io\nio.open(f, 'w')",
    "import io\nio.FileIO(f)", "path.write_text(a)", "path.write_bytes(a)", "path.touch()", "path.unlink()", "path.mkdir()",
    "path.rmdir()", "path.rename(other)", "path.replace(other)", "path.symlink_to(other)", "path.hardlink_to(other)",
    "path.chmod(0)", "f = path.unlink", "getattr(path, 'unlink')()", "os.open(f, 1)", "os.rename(a, b)", "os.replace(a, b)",
    "os.remove(a)", "os.unlink(a)", "os.makedirs(a)", "os.truncate(a, 0)", "os.ftruncate(a, 0)", "os.system('rm a')",
    "os.fdopen(3, 'w')", "os.write(3, b)", "os.link(a, b)", "os.posix_spawn", "g(os)", "from os import remove\nremove(a)",
    "from os import *", "import os as o\no.remove(a)", "getattr(os, name)(a)", "getattr(os, 'remove')(a)",
    "from shutil import rmtree", "import shutil\nshutil.copy(a, b)", "import shutil\nshutil.move(a, b)",
    "import tempfile\ntempfile.mkdtemp()", "import subprocess\nsubprocess.run('a > b', shell=True)",
    "from subprocess import Popen", "import sqlite3\nsqlite3.connect(f)", "import json\njson.dump(a, f)",
    "import pickle\npickle.dump(a, f)", "import mmap\nmmap.mmap(3, 0)", "import numpy as np\nnp.save(f, a)",
    "import numpy as np\nnp.savetxt(f, a)", "import numpy as np\na.tofile(f)", "from numpy import savez", "frame.to_csv(path)",
    "frame.to_csv(path_or_buf=path)", "frame.to_parquet(path)", "frame.to_pickle(path)", "frame.to_json(path)",
    "f = frame.to_csv", "figure.savefig(path)", "import zipfile\nzipfile.ZipFile(f, 'w')", "archive.extractall()",
    "import h5py", "import shelve", "import dbm", "import logging\nlogging.FileHandler(f)",
    "from study.records.store import os as o\no.remove(a)", "exec(text)", "__import__('os').remove(a)",
    "import io\nio.open_code(f)",
]
PASSED = [
    "open(f)", "open(f, 'rb')", "open(f, encoding='utf-8')", "path.open()", "path.open('rb')", "path.read_text()",
    "path.exists()", "text.replace('a', 'b')", "frame.rename(columns=names)",
    "from dataclasses import replace\nreplace(a, b=1)", "frame.to_csv(index=False)", "frame.to_numpy()", "frame.to_string()",
    "os.environ['A']", "os.path.join(a, b)", "os.getpid()", "import json\njson.dumps(a)", "import io\nio.BytesIO()",
    "import shutil\nshutil.which('cc')", "import numpy as np\nnp.zeros(3).sum()", "print(a)",
]


def test_what_could_write_is_caught():
    assert [source for source in CAUGHT if not effects(f"import os\n{source}")] == []


def test_what_reads_passes():
    assert [source for source in PASSED if effects(f"import os\n{source}")] == []


def run_python(program, *arguments):
    command = [sys.executable, "-c", program, *map(str, arguments)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


TRAIN = """
import json, sys
from study.trial.knobs import Trial
from study.trial.run import run

trials = [Trial(**knobs) for knobs in json.loads(sys.argv[1])]
for trial in trials:  # loads what is loaded once
    run(trial)
touched = []
families = {"open", "os", "shutil", "socket", "sqlite3", "subprocess", "tempfile"}
sys.addaudithook(lambda event, details: touched.append(event) if event.partition(".")[0] in families else None)
for trial in trials:
    run(trial)
trained = list(touched)
open(sys.executable).close()
print(json.dumps([trained, touched]))
"""


def test_training_reads_and_writes_nothing_but_its_trial():
    common = {"units": 4, "budget": 64, "seed": 0}
    learns = {"cell": "lstm", "gap": 25, "lr": 0.01, "init": "long", "horizon": 30}
    trials = [learns, {"task": "digits", "cell": "gru", "gap": 0, "lr": 0.01}, learns | {"method": "probe", "after": 32},
              {"cell": "rnn", "gap": 12, "method": "guess"}]
    trained, then = json.loads(run_python(TRAIN, json.dumps([common | knobs for knobs in trials])))
    assert trained == [] and then == ["open"]


RUN = """
import json, os, sys
import kernels
from study import __main__ as commands

study, out = sys.argv[1:]
writers = set()
changing = {"os.chmod", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.truncate"}

def note(event, details):
    opened = event == "open" and details[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if (opened or event in changing) and str(details[0]).startswith(out):
        frame = sys._getframe(1)
        while os.sep + "study" + os.sep not in frame.f_code.co_filename:
            frame = frame.f_back
        writers.add(frame.f_code.co_filename)

def command(*arguments):
    try:
        commands.main(list(arguments))
    except SystemExit as end:
        assert not end.code, end.code

sys.addaudithook(note)
command("run", study, "--out", out, "--workers", "1")
del kernels.RNN.forward, kernels.RNN.backward  # from here on, nothing trains
command("report", os.path.join(out, "tiny", "default"))
print(json.dumps(sorted(writers)))
"""
TINY = """
name = "tiny"
knobs = { budget = 64, units = 4, lr = 0.01, init = "long" }
[[grids]]
name = "grid"
seeds = 1
axes = { cell = ["rnn", "lstm"], gap = [12] }
"""


def test_a_run_writes_by_the_store_alone_and_a_report_needs_no_training(tmp_path):
    (tmp_path / "tiny.toml").write_text(TINY)
    files = json.loads(run_python(RUN, tmp_path / "tiny.toml", tmp_path / "out"))
    writers = {str(Path(file).relative_to(PROJECT)) for file in files}
    store = {"study/records/store.py", "study/records/files.py"}
    assert store <= writers <= store | {"study/report/__init__.py"}
