"""Hostile study files are refused with a message, within a second of processor time, before anything is written."""

import os
import time

import pytest
import toy

from study.errors import SpecError
from study.plan import toml
from study.tasks import TASKS

HEAD = 'name = "s"\nknobs = { lr = 0.01 }\n'


def grids(**axes):
    """A study file of one grid; values are TOML."""
    axes = {"cell": '["lstm"]', "gap": "[12]"} | axes
    return HEAD + '[[grids]]\nname = "g"\naxes = { ' + ", ".join(f"{axis} = {values}" for axis, values in axes.items()) + " }\n"


def many(count, form="{}"):
    return "[" + ", ".join(form.format(k) for k in range(1, count + 1)) + "]"


THOUSAND = many(1000)
HOSTILE = {
    "no TOML": ("name = ", ["Invalid value (at end of document)"]),
    "a key twice": (HEAD + 'name = "t"\n', ["Cannot overwrite a value (at line 3"]),
    "a table twice": (grids() + "[knobs]\nlr = 0.1\n", ["at line"]),
    "an unknown key": (grids(cel='["lstm"]'), ["grids.0.axes.cel: unknown key 'cel'; did you mean 'cell'?"]),
    "an unknown cell": (grids(cell='["lsmt"]'), ["grids.0.axes.cell.0: unknown cell 'lsmt'; did you mean 'lstm'?"]),
    "an unknown task": (grids(task='["recall/pst"]'), ["grids.0.axes.task.0: unknown task", "did you mean 'recall/past'?"]),
    "nothing": ("", ["name: Field required", "grids: Field required"]),
    "no grid": ('name = "s"\ngrids = []\n', ["grids: List should have at least 1 item"]),
    "no list": (grids(gap="12"), ["grids.0.axes.gap: Input should be a valid list, got 12"]),
    "an empty list": (grids(gap="[]"), ["grids.0.axes.gap: List should have at least 1 item"]),
    "a text for a number": (grids(gap='["12"]'), ["grids.0.axes.gap.0: Input should be a valid integer, got '12'"]),
    "a boolean for a number": (grids(gap="[true]"), ["grids.0.axes.gap.0: Input should be a valid integer, got True"]),
    "a date for a number": (grids(gap="[2020-01-01]"), ["grids.0.axes.gap.0: Input should be a valid integer"]),
    "a float for an integer": (grids(gap="[12.0]"), ["grids.0.axes.gap.0: Input should be a valid integer, got 12.0"]),
    "NaN": (grids(lr="[nan]"), ["grids.0.axes.lr.0: Input should be a finite number, got nan"]),
    "infinity": (grids(lr="[inf]"), ["grids.0.axes.lr.0: Input should be a finite number, got inf"]),
    "negative infinity": (grids(clip="[-inf]"), ["grids.0.axes.clip.0: "]),
    "a negative number": (grids(gap="[-1]"), ["grids.0.axes.gap.0: Input should be greater than or equal to 0, got -1"]),
    "a huge number": (grids(budget="[1_000_000_000_000_000_000_000]"), ["grids.0.axes.budget.0: ", "less than or equal to"]),
    "a number of 200,000 digits": (grids(gap=f"[{'9' * 200_000}]"), ["thousands of digits"]),
    "a number of 200,000 hexadecimal digits": (grids(gap=f"[0x{'f' * 200_000}]"), ["grids.0.axes.gap.0: ", "thousands of digits"]),
    "10^9 points": (grids(units=THOUSAND, gap=THOUSAND, seed=THOUSAND), ["grids: 1,000,000,000 trials; at most 1,000,000"]),
    "10^18 points": (grids(**{axis: THOUSAND for axis in ("units", "gap", "seed", "budget", "batch")}, clip=many(1000, "{}.0")),
                     ["grids: 1,000,000,000,000,000,000 trials; at most"]),
    "10^9 points over grids": (HEAD + "".join(grids(seed=f"{THOUSAND}", gap=THOUSAND).removeprefix(HEAD) for _ in range(3)),
                               ["grids: 3,000,000 trials; at most"]),
    "10^9 draws": (grids() + "[grids.draws]\nn = 1_000_000_000\nknobs = { units = { choice = [1] } }\n",
                   ["grids.0.draws.n: Input should be less than or equal to 10000"]),
    "10^7 points by draws": (grids(seed=THOUSAND) + "[grids.draws]\nn = 10_000\nknobs = { units = { choice = [1] } }\n",
                             ["grids: 10,000,000 trials; at most 1,000,000"]),
    "10^4 draws that cannot be": (grids(cell='["rnn"]') + "[grids.draws]\nn = 10_000\nknobs = { chrono = { uniform = [3, 99] } }\n",
                                  ["grids.g: chrono: rnn has no gate whose bias could be set"]),
    "10^9 seeds": (grids().replace('"g"', '"g"\nseeds = 1_000_000_000'), ["grids.0.seeds: Input should be less than or equal to"]),
    "10^6 points that cannot be": (grids(task='["adding/hs97"]', gap=many(39), budget=THOUSAND, seed=many(25)),
                                   ["adding/hs97 needs at least 40, got 1"]),
    "10^5 trials that choose rates": (
        'name = "s"\nselection = { rates = ' + many(99, "0.{:03}") + ', seeds = 1000, gap = { "recall/past" = 12 } }\n'
        + grids(cell='["lstm", "gru"]').removeprefix(HEAD), ["selection: 198,000 trials to choose 2 learning rates; at most 100,000"]),
    "a way out of the folder": (grids().replace('"s"', '"../s"'), ["name: String should match"]),
    "a way out by the preset": (grids().replace('"s"', '"s"\npreset = "../../x"'), ["preset: String should match"]),
    "an absolute name": (grids().replace('"s"', '"/etc/passwd"'), ["name: String should match"]),
    "a name that hides": (grids().replace('"s"', '".s"'), ["name: String should match"]),
    "a name with an end of line": (grids().replace('"s"', '"s\\n"'), ["name: String should match"]),
    "a committed table elsewhere": (
        grids() + '[selection]\nrates = [0.1]\nseeds = 1\ncommitted = "../../etc"\ngap = { "recall/past" = 12 }\n',
        ["selection.committed: String should match"]),
    "a NUL": (grids().replace('"s"', '"s\0"'), ["Illegal character '\\x00'"]),
    "a terminal's escape": (grids().replace('"g"', '"\\u001b[2J"'), ["grids.0.name: String should match"]),
    "100,000 keys deep": (".".join("a" * 100_000) + " = 1\n", ["nested too deeply"]),
    "100,000 tables deep": ("[" + ".".join("a" * 100_000) + "]\n", ["nested too deeply"]),
    "100,000 keys deep inside": ("x = { name" + ".a" * 100_000 + " = 1 }\n", ["nested too deeply"]),
    "lists in lists": ("x = " + "[" * 5000 + "]" * 5000, ["nested too deeply"]),
    "tables in tables": ("x = " + "{a=" * 5000, ["nested too deeply"]),
    "20,000 wrong cells": (grids(cell=many(20_000, '"x{}"')), ["grids.0.axes.cell.99: unknown cell 'x100'", "and 19,900 more"]),
    "a long name": (grids().replace('"s"', f'"{"x" * 200_000}"'), ["name: String should match"]),
    "a long cell": (grids(cell=f'["{"lstm" * 50_000}"]'), ["grids.0.axes.cell.0: unknown cell 'lstmlstm"]),
    "a thousand and one grids": (HEAD + 1001 * grids().removeprefix(HEAD), ["grids: List should have at most 1000 items"]),
    "not UTF-8": (b'name = "\xff\xfe"', ["not UTF-8 at byte 8"]),
    "100 MB": (b"#" * 100_000_000, ["at most 262,144 bytes"]),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_file_is_refused_in_a_second_and_nothing_is_written(what, tmp_path, call):
    content, says = HOSTILE[what]
    path, out = tmp_path / "study.toml", tmp_path / "out"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    before = everything(tmp_path)
    for command in (["validate", path], ["run", path, "--out", out], ["run", path, "--out", out, "--dry-run"]):
        began = time.process_time()
        code, said, err = call(*command)
        took = time.process_time() - began
        assert code == 2 and said == "" and took < 1.0, (code, said, err, took)
        lines = err.splitlines()
        assert all(line.startswith(f"error: {path}: ") and len(line) < 1000 for line in lines), err
        assert all(any(words in line for line in lines) for words in says), err
        assert len(lines) <= 102
    assert everything(tmp_path) == before


def everything(folder):
    return {path: path.stat().st_mtime_ns for path in [folder, *folder.rglob("*")]}


def test_all_that_is_wrong_is_named_at_once(tmp_path, call):
    (tmp_path / "s.toml").write_text("""
name = "../x"
knobs = { buget = 3, lr = nan }
[[grids]]
name = "g"
axes = { cell = ["lsmt"], gap = [-3, 1.5] }
[selection]
rates = [-1.0]
sedes = 2
""")
    code, _, err = call("run", tmp_path / "s.toml", "--out", tmp_path / "out")
    paths = {line.split(": ")[2] for line in err.splitlines()}
    assert code == 2 and paths == {
        "name", "knobs.lr", "knobs.buget", "grids.0.axes.cell.0", "grids.0.axes.gap.0", "grids.0.axes.gap.1",
        "selection.rates.0", "selection.seeds", "selection.gap", "selection.sedes"}


@pytest.mark.parametrize("what", ["folder", "fifo", "device", "socket", "link to a device", "dangling link", "endless link"])
def test_what_is_no_regular_file_is_refused_without_reading_it(what, tmp_path, call):
    path = tmp_path / "study.toml"
    if what == "folder":
        path.mkdir()
    elif what == "fifo":
        os.mkfifo(path)  # opening it for reading would wait for ever
    elif what == "socket":
        import socket
        socket.socket(socket.AF_UNIX).bind(str(path))
    elif what == "device":
        path = "/dev/zero"
    else:
        path.symlink_to({"link to a device": "/dev/zero", "dangling link": tmp_path / "none", "endless link": path}[what])
    began = time.process_time()
    code, _, err = call("validate", path)
    assert code == 2 and time.process_time() - began < 1.0
    assert f"error: {path}: " in err and err.count("\n") == 1


def test_a_link_to_a_study_file_is_a_study_file(tmp_path, call):
    (tmp_path / "link.toml").symlink_to(toy.study_file(tmp_path))
    assert call("validate", tmp_path / "link.toml")[0] == 0


def test_a_byte_order_mark_is_ignored(tmp_path):
    path = tmp_path / "study.toml"
    path.write_bytes(b"\xef\xbb\xbf" + grids().encode())
    assert len(toml.load(path, TASKS).points) == 1


def test_dots_in_numbers_strings_and_comments_do_not_count_as_depth(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text("# " + "." * 80 + "\n" + grids(lr=many(99, "0.{:03}")).replace('"g"', f'"{"." * 99}"'))
    assert len(toml.load(path, TASKS).points) == 99


def test_a_folder_whose_plan_or_table_is_hostile_is_refused(ran, call):
    _, _, folder = ran
    for name, content in (("selection.json", "[" * 100_000), ("plan.toml", ".".join("a" * 100_000) + " = 1")):
        before = (folder / name).read_bytes()
        (folder / name).write_text(content)
        for command in ("status", "export", "verify", "compact"):
            code, _, err = call(command, folder)
            assert code == 2 and name in err
        (folder / name).write_bytes(before)


def test_no_study_is_resolved_by_evaluating_it(tmp_path, call):
    for content in ("!!python/object/apply:os.system ['touch x']", "__import__('os').system('touch x')", "cos\nsystem\n(S'x'\ntR."):
        (tmp_path / "s.toml").write_text(content)
        with pytest.raises(SpecError):
            toml.load(tmp_path / "s.toml", TASKS)
    assert [path.name for path in tmp_path.iterdir()] == ["s.toml"]
