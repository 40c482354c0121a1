"""Tasks whose data lie in other packages: the data, what is refused without them, and what a trial records."""

import itertools
import shutil
import subprocess
import sys
from importlib.machinery import ModuleSpec

import numpy as np
import pandas as pd
import pytest

import kernels
from study import tasks
from study.plan import spec
from study.records.machine import PROJECT
from study.records.table import _row
from study.report.tables import real
from study.tasks import LEFT_OUT, TASKS, _data, characters, chorales, vowels
from study.trial.knobs import Trial
from study.trial.run import run

NAMES = ("characters", "chorales", "vowels")
each = pytest.mark.parametrize("name", NAMES)


def need(*names):
    for name in names:
        if name in LEFT_OUT:
            pytest.skip(LEFT_OUT[name])


def study(name, gap=8):
    return {"name": "real", "knobs": {"lr": 0.01, "budget": 64, "units": 4},
            "grids": [{"name": "g", "seeds": 1, "axes": {"task": [name], "cell": ["lstm"], "gap": [gap]}}]}


# ------------------------------------------------------------------------------------------------------------- the data


def test_vowels_are_as_published():
    """The numbers are those of the archive's description."""
    need("vowels")
    x, lengths, speakers = vowels.utterances()
    assert x.shape == (29, 640, 12) and (lengths.min(), lengths.max()) == (7, 29)
    assert np.bincount(speakers[:270]).tolist() == [30] * 9
    assert np.bincount(speakers[270:]).tolist() == [31, 35, 88, 44, 29, 24, 40, 50, 29]
    assert x[:2, 0, 0].tolist() == [np.float32(1.860936), np.float32(1.891651)] and x[19, 0, 11] == np.float32(-0.175986)
    assert not x[np.arange(29)[:, None] >= lengths].any() and len(np.unique(x, axis=1)[0]) == 640


def test_vowels_learn_from_one_part_and_are_tested_on_the_other():
    need("vowels")
    x, _, _ = vowels.utterances()
    learned, tested = TASKS["vowels"].sample(kernels.Stream("all"), 5000, 0).x, TASKS["vowels"].test(0).x
    rows, known = learned.transpose(1, 0, 2), x[: len(learned), :270].transpose(1, 0, 2)
    assert {row.tobytes() for row in rows} == {row.tobytes() for row in known} and np.array_equal(tested, x[:, 270:])


def test_characters_learn_from_one_part_and_are_tested_on_the_other():
    need("characters")
    learned, tested = characters.text()
    text = "".join(characters.ALPHABET[symbol] for symbol in np.concatenate([learned, tested]))
    assert (len(learned), len(tested)) == (114_075, 12_675) and "".join(sorted(set(text))) == characters.ALPHABET
    assert text.startswith("LADY SUSAN by Jane Austen I LADY SUSAN VERNON TO MR. VERNON") and "Gutenberg" not in text
    assert text.endswith("defrauded of her due by a woman ten years older than herself.") and "  " not in text

    length, border = 1000, len(learned)
    drawn = TASKS["characters"].draw(kernels.Stream("all"), 2000, length)
    firsts = {"".join(characters.ALPHABET[symbol] for symbol in row) for row in drawn.x.symbols[:40].T}
    starts = [text.index(first) for first in firsts]
    assert min(starts) < 300 and border - length - 300 < max(starts) < border - length
    test = TASKS["characters"].test(length)
    assert np.array_equal(test.x.argmax(axis=2).T.ravel(), tested[:12_000]) and np.array_equal(test.target, tested[1:12_001])


def chords(frames):
    """The successions of three chords in frames (beats, keys), as intervals from the lowest key of the first."""
    sets = [frame.nonzero()[0] for frame in frames]
    return {tuple(tuple(chord - three[0][0]) for chord in three) for three in zip(sets, sets[1:], sets[2:]) if len(three[0])}


def test_no_chorale_of_the_test_part_is_one_to_learn_from():
    need("chorales")
    frames, begins = chorales.chorales()
    learned, tested = chorales.parts()
    assert (len(learned), len(tested)) == (282, 70) and sorted([*learned, *tested]) == list(range(352))
    kinds = [chords(frames[start:end]) for start, end in itertools.pairwise(begins)]
    alike = [len(kinds[a] & kinds[b]) / min(len(kinds[a]), len(kinds[b])) for a, b in itertools.product(learned, tested)]
    assert 0.3 < max(alike) <= 0.6
    assert frames[:, 0].any() and frames[:, -1].any() and frames.sum(axis=1).max() == 4 and not frames[-1].any()


def test_excerpts_of_chorales():
    need("chorales")
    task, (frames, begins), (learned, tested) = TASKS["chorales"], chorales.chorales(), chorales.parts()
    every, whole = [frames[start:end] for start, end in itertools.pairwise(begins)], task.test(1000)
    assert whole.lengths.tolist() == [len(every[n]) - 1 for n in tested]
    assert all(np.array_equal(whole.x[: len(every[n]) - 1, row], every[n][:-1]) for row, n in enumerate(tested))
    assert np.array_equal(whole.target, np.concatenate([every[n][1:] for n in tested]))
    assert np.array_equal(task.test(10).target, whole.target)  # each frame is predicted once
    drawn, all_learned = task.sample(kernels.Stream("all"), 300, 24), [every[n].astype(np.uint8).tobytes() for n in learned]
    excerpts = [drawn.x[:length, row].astype(np.uint8).tobytes() for row, length in enumerate(drawn.lengths)]
    assert all(any(excerpt in chorale for chorale in all_learned) for excerpt in excerpts)


NOTE = "<note><pitch><step>{}</step><alter>{}</alter><octave>{}</octave></pitch><duration>{}</duration></note>"
REST = "<note><rest /><duration>{}</duration></note>"


def test_frames_are_what_sounds_at_the_beginning_of_each_beat():
    """Four beats of 2 ticks: C4 and a half, D4 between two beats, E flat 4 for one and a half, a grace note, a rest."""
    grace = NOTE.format("A", 0, 5, 0).replace("<duration>0</duration>", "")
    high = NOTE.format("C", 0, 4, 2) + NOTE.format("D", 0, 4, 1) + NOTE.format("E", -1, 4, 3) + grace + REST.format(2)
    low = NOTE.format("B", 0, 2, 3) + "<forward><duration>1</duration></forward>" + NOTE.format("F", 1, 3, 4)
    parts = "".join(f"<part id='P'><measure><divisions>2</divisions>{notes}</measure></part>" for notes in (high, low))
    frames = chorales.frames_of(f"<score>{parts}</score>".encode())
    assert [(chorales.LOWEST + frame.nonzero()[0]).tolist() for frame in frames] == [[47, 60], [47, 62], [54, 63], [54]]


# ----------------------------------------------------------------------------------------------- missing and damaged data


@each
def test_a_damaged_or_a_missing_file_is_refused_by_name(name, tmp_path, monkeypatch):
    need(name)
    task = TASKS[name]
    (folder,) = _data.util.find_spec(_data.package(task.data)).submodule_search_locations
    for _, path in _data.listed(task.data):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(f"{folder}/../{path}", tmp_path / path)
    copied = ModuleSpec(_data.package(task.data), None, is_package=True)
    copied.submodule_search_locations = [str(tmp_path / copied.name)]
    monkeypatch.setattr(_data.util, "find_spec", lambda _: copied)
    _data.check.cache_clear()
    assert _data.read(task.data) and spec.read(study(name), TASKS)
    _, path = _data.listed(task.data)[-1]
    whole = (tmp_path / path).read_bytes()
    for damage, got in ((whole[:-1], "[0-9a-f]{64}"), (whole.replace(b"1", b"2", 1), "[0-9a-f]{64}"), (None, "none")):
        (tmp_path / path).write_bytes(damage) if damage else (tmp_path / path).unlink()
        _data.check.cache_clear()
        with pytest.raises(ValueError, match=f"{path}: expected the file with the SHA-256 [0-9a-f]{{64}}, got {got}: "):
            _data.read(task.data)
        with pytest.raises(spec.SpecError, match=f"^grids.0.axes.task.0: .*{path}: expected the file"):
            spec.read(study(name), TASKS)
    _data.check.cache_clear()


WITHOUT = """
import importlib.util as util, os, sys

find = util.find_spec
util.find_spec = lambda name, *rest: None if name == "music21" else find(name, *rest)
from study.__main__ import main

main(sys.argv[1:])
"""


def without_music21(*arguments):
    done = subprocess.run([sys.executable, "-c", WITHOUT, *map(str, arguments)], cwd=PROJECT, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def test_without_its_package_a_task_is_left_out_and_refused_in_one_line(tmp_path):
    code, out, _ = without_music21("list", "tasks")
    left_out = [line for line in out.splitlines() if line.startswith("left out: ")]
    assert code == 0 and "recall/past" in out and 'pip install "longlag[data]"' in left_out[0]
    assert [line.split()[2] for line in left_out if "music21" in line] == ["characters", "chorales"]
    path = tmp_path / "real.toml"
    path.write_text('name = "real"\n[[grids]]\nname = "g"\nseeds = 1\naxes = { task = ["chorales"], cell = ["lstm"], gap = [8], lr = [0.01] }\n')
    for command in (["validate", path], ["run", path, "--out", tmp_path / "out"]):
        code, out, err = without_music21(*command)
        assert code == 2 and out == "" and not (tmp_path / "out").exists()
        (line,) = err.splitlines()
        assert "grids.0.axes.task.0: chorales needs data of the package music21, which is not installed: pip install" in line


def test_the_error_of_get_says_what_to_install(monkeypatch):
    monkeypatch.setitem(LEFT_OUT, "chorales", "chorales needs more")
    with pytest.raises(ValueError, match="^chorales needs more$"):
        tasks.get("chorales")


# -------------------------------------------------------------------------------------------------------------- a trial


@pytest.mark.parametrize("name", ["characters", "chorales"])
def test_what_comes_next_is_not_shown_to_the_net(name):
    need(name)
    looking = study(name)
    looking["knobs"]["direction"] = "both"
    with pytest.raises(spec.SpecError, match=f"direction: {name} asks for the next step, which a net must not have seen"):
        spec.read(looking, TASKS)


@pytest.fixture(scope="module")
def results():
    need(*NAMES)
    return {name: run(Trial(task=name, cell="lstm", units=4, gap=8, lr=0.01, budget=64)) for name in NAMES}


def test_a_trial_records_the_loss_on_the_test_part(results):
    parts = {"characters": (1584, 8 * 1584), "chorales": (None, 3731), "vowels": (370, None)}
    for name, result in results.items():
        n, answers = parts[name]
        assert result.solved is None and result.test.n == n or n is None
        assert result.test.answers == answers and 0.5 < result.test.loss / TASKS[name].chance["loss"] < 3


def test_a_binary_answer_is_right_if_each_number_is_on_its_side():
    need("chorales")
    task, batch = TASKS["chorales"], TASKS["chorales"].sample(kernels.Stream("one"), 1, 3)
    output = 0.2 + 0.6 * batch.target
    output[1, 7] = 1 - output[1, 7]
    assert task.scored(output, batch).tolist() == [True, False, True] and task.score(output, batch).tolist() == [False]


PLAIN = {"search": "", "drawn": "", "lr_chosen": None, "lr_doubt": ""}  # of a trial that its grid sets


def test_the_table_of_real_sequences(results):
    rows = [_row(Trial(task=name, cell="lstm", units=4, gap=8, lr=0.01, budget=64), {"status": "done", "result": result.as_dict()}, PLAIN)
            for name, result in results.items()]
    table = real(pd.DataFrame(rows)).set_index("task")
    assert list(table.index) == list(NAMES)
    for name, result in results.items():
        row = table.loc[name]
        assert row["loss"] == row["lowest"] == row["highest"] == result.test.loss
        assert row["bits"] == pytest.approx(result.test.loss / np.log(2)) and row["chance"] == TASKS[name].chance["loss"]
        share = result.test.correct / result.test.n if name == "vowels" else result.test.answers_correct / result.test.answers
        assert row["right"] == share
