"""Why a net knows a word: units, word by word, linear read-out; the command explain."""

import dataclasses
import json
import re
from io import StringIO

import numpy as np
import pandas as pd
import pytest
from speaking import ANIMALS, CAT, MEOWS, WORDS

import kernels
from study import report
from study.nets.architecture import Architecture
from study.nets.net import Net
from study.probes import held, linear, words
from study.records import store
from study.report import drawing, samples, short_answer
from study.report import words as chosen
from study.report.figures import FIGURES
from study.run import engine
from study.statistics.carrier import carrier
from study.tasks import TASKS
from study.tasks._grammar import WOMEN
from study.trial.knobs import Trial
from study.trial.run import run

GAP = 6
KNOBS = {"cell": "gru", "units": 8, "task": "sounds/animal", "gap": GAP, "lr": 0.02, "budget": 6400}


@pytest.fixture(autouse=True)
def _animals(monkeypatch):
    monkeypatch.setitem(TASKS, "sounds/animal", ANIMALS)


def drawn(gap=GAP):
    return ANIMALS.draw(kernels.Stream("explained"), words.SENTENCES, gap)


def by_hand(cell="rnn", layers=1, units=5, carries=3):
    """(its Architecture, theta) of a net whose one unit is 1 after a cat and -1 after a dog, until the end; the head reads it."""
    made_of = Architecture(cell, units, layers=layers)
    net = Net(ANIMALS, made_of, "float64")
    theta = np.zeros(net.size)
    view = net.view(theta)
    for layer in range(layers):
        of_layer = f"layer{layer}" if layer else "recurrent"
        view[f"{of_layer}/forward/W"][0, CAT : CAT + 2, carries] = 9, -9
        if layer:
            view[f"{of_layer}/forward/W"][0, :, carries] = 0
            view[f"{of_layer}/forward/W"][0, carries, carries] = 5
        view[f"{of_layer}/forward/W"][0, -1 if layer else 0, 1] = 2  # of a unit that nobody needs
        view[f"{of_layer}/forward/U"][0, carries, carries] = 3
    view["head/v"][MEOWS : MEOWS + 2] = 1
    view["head/V"][carries, MEOWS : MEOWS + 2] = 4, -4
    return made_of, theta


@pytest.mark.parametrize("layers", [1, 2])
def test_with_the_unit_held_that_carries_the_cue_answers_are_chance_and_with_others_all_right(layers):
    found = words.explain(ANIMALS, *by_hand(layers=layers), GAP, drawn())
    units = found["units"]
    assert found["accuracy"] == 1 and found["chance"] == 0.5 and units["unit"][0] == 3
    assert found["together"]["right"][0] == pytest.approx(0.5, abs=0.1)
    assert units["drop"][0] == pytest.approx(0.5, abs=0.1) and units["drop"][1:] == [0] * 4
    assert units["worst_drop"][0] == 1 and units["worst"][0] in WORDS[MEOWS : MEOWS + 2]
    assert carrier(found, "sounds/animal").startswith("Unit 3 carries most of the animal: without it 100 % -> ")


@pytest.mark.parametrize("made_of", [{}, {"cell": "lru"}, {"cell": "mut1"}, {"layers": 2}, {"layers": 2, "stack": "residual"}], ids=str)
def test_units_are_held_at_their_means_from_the_cue_on(made_of, monkeypatch):
    monkeypatch.setattr(held, "ROWS", 20)
    net = Net(ANIMALS, Architecture(**{"cell": "lstm", "units": 5} | made_of), "float64")
    theta, batch = net.init(0), words.effects(drawn().part(0, 8))
    layer = net.layers(net.forward(theta, batch))[-1]
    outputs = held.Held(net, theta, batch, GAP).outputs(np.concatenate([np.eye(5), [[0, 1, 0, 1, 0]]]).astype(bool))
    now, free = None, None
    for t, x in enumerate(layer.x):
        now, free = (layer.rnn.forward(theta[layer.where], x[None], state=state).state for state in (now, free))
        for name in free if t > 0 else ():
            now[name][0][:, [1, 3]] = free[name][0][:, [1, 3]].mean(axis=0)
    y = now["h"][0] + (layer.x[-1] if net.made_of.stack == "residual" else 0)
    view = net.view(theta)
    assert np.abs(outputs[5] - (y @ view["head/V"] + view["head/v"])).max() < 1e-12
    assert (np.abs(outputs[1] - outputs[5]).max(axis=1) > 1e-6).all()


def test_a_net_that_knows_nothing_has_no_unit_that_carries_the_cue():
    made_of, theta = by_hand()
    theta[:] = 0
    found = words.explain(ANIMALS, made_of, theta, GAP, drawn())
    assert found["accuracy"] == pytest.approx(0.5, abs=0.1) and set(found["units"]["drop"]) == {0}
    assert carrier(found, "sounds/animal").startswith("This net does not know the animal: ")


@pytest.mark.parametrize("right, says", [
    ([0.6, 0.5], "Unit 7 carries most of the cue: without it 100 % -> 60 % right, chance is 50 %."),
    ([0.9, 0.5], "No single unit carries most of the cue. Units 7 and 3 together carry most of the cue: without them 100 % -> 50 % right, "
                 "chance is 50 %."),
    ([0.9, 0.8], "No few units carry the cue: without the 2 that matter most, 100 % -> 80 % right."),
])
def test_what_is_said_of_units(right, says):
    assert carrier({"accuracy": 1.0, "chance": 0.5, "units": {"unit": [7, 3]}, "together": {"units": [1, 2], "right": right}}, "cue") == says


def test_units_with_equal_drops_are_in_the_order_in_which_cues_move_them():
    made_of, theta = by_hand()
    net = Net(ANIMALS, made_of, "float64")
    net.view(theta)["recurrent/forward/W"][0, CAT : CAT + 2, 1] = 0.1, -0.1
    found = words.explain(ANIMALS, made_of, theta, GAP, drawn())
    assert found["units"]["unit"][:2] == [3, 1] and found["units"]["drop"][1:] == [0] * 4


def test_the_sentence_and_its_pair_part_at_the_cue():
    net = Net(ANIMALS, Architecture("lstm", 5), "float32")
    theta = net.init(1)
    found = words.explain(ANIMALS, net.made_of, theta, GAP, drawn())
    text, pair, (one, other, next_) = found["text"], found["pair"], found["traces"]
    assert text["steps"] == list(range(GAP + 2)) and (text["cue"], text["read"]) == (1, GAP + 1) and text["words"][0] == "the"
    assert text["words"][1] == pair["cue"][0] and set(pair["cue"]) == {"cat", "dog"}
    assert pair["right"] == ["meows" if cue == "cat" else "barks" for cue in pair["cue"]]
    assert one["unit"] == other["unit"] != next_["unit"] and [one["of"], other["of"], next_["of"]] == [0, 1, 0]
    assert {*one} == {"unit", "of", "i", "f", "o", "h", "c"} and one["c"][0] == other["c"][0] and one["c"][1] != other["c"][1]
    symbols = np.array([[WORDS.index(word)] for word in text["words"]])
    out = net.layer.forward(theta[net.slices["recurrent"]], np.eye(len(WORDS), dtype=np.float32)[symbols])
    assert {*next_} == {"unit", "of", "c"}
    for name, values, form in (("f", net.layer.gates(out.tape)["f"][0], ".2f"), ("h", out.y, ".3g"), ("c", out.state["c"], ".3g")):
        digits = [float(f"{value:{form}}") for value in values[:, 0, one["unit"]]]
        assert one[name][-len(digits) :] == digits, name


def test_a_record_of_a_long_sentence_and_many_units_is_small(monkeypatch):
    monkeypatch.setattr(words, "READ", 64)
    net = Net(ANIMALS, Architecture("lstm", words.RANKED + 1), "float32")
    found = words.explain(ANIMALS, net.made_of, net.init(0), 100, ANIMALS.draw(kernels.Stream("long"), 32, 100))
    assert len(json.dumps(found, separators=(",", ":"))) < 10_000
    assert found["text"]["words"][found["text"]["steps"].index(1)] in ("cat", "dog") and found["text"]["steps"][-1] == 101
    assert len(found["units"]["unit"]) == words.RANKED and found["sentences"] == words.FEWEST


@pytest.mark.parametrize("knobs", [{"head": "attention"}, {"direction": "both"}, {"cell": "lstm", "layers": 2, "stack": "grid"}])
def test_nets_that_are_not_explained(knobs):
    net = Net(ANIMALS, Architecture(**{"cell": "gru", "units": 3} | knobs))
    assert words.explain(ANIMALS, net.made_of, net.init(0), GAP, drawn()) is None


# The linear read-out


def test_a_state_that_holds_the_class_tells_it_and_noise_does_not():
    random = np.random.default_rng(0)
    classes = random.integers(4, size=1024)
    states = random.normal(size=(3, 1024, 20))
    states[1, :, :4] += 20 * np.eye(4)[classes]
    states[2] = 1e-6 * random.normal(size=(4, 20))[classes]  # a trace far below NOISE, beside large numbers that tell nothing
    states[2, :, 0] = random.normal(size=1024)
    noise, held, faint = linear.decodable(states, classes)
    assert held == 1 and abs(noise - 0.25) < 0.05 and faint < 0.4


def test_the_read_out_is_ridge_regression():
    random = np.random.default_rng(1)
    a, b = random.normal(size=(3, 40, 7)), random.normal(size=(40, 2))
    for matrix, w in zip(a, linear.ridge(a, b, 0.3)):
        wide = np.concatenate([matrix, np.sqrt(0.3) * np.eye(7)]), np.concatenate([b, np.zeros((7, 2))])
        assert np.abs(w - np.linalg.lstsq(*wide)[0]).max() < 1e-12
    orthogonal = np.eye(4)[None, :, :2] * [3.0, 4.0]
    assert linear.ridge(orthogonal, np.array([[6.0], [8], [5], [5]]), 0.0).ravel().tolist() == [2.0, 2.0]


# Trials and the command


@pytest.fixture
def recorded(tmp_path):
    """A function from knobs to (the trial, the folder of all results) of a trial that was run and recorded, its weights kept or not."""
    def record(keep=True, **knobs):
        trial = Trial(**KNOBS | knobs)
        outcome = engine.attempt(lambda trial: run(trial, weights=True), trial)
        if not keep:
            outcome["result"] = dataclasses.replace(outcome["result"], weights=None)
        with store.Driver(tmp_path / "results" / "a" / "default", {}) as driver:
            driver.record(trial, outcome)
        return trial, tmp_path / "results"
    return record


def test_a_trained_trial_explains_its_words_and_no_other_does():
    result = run(Trial(**KNOBS))
    assert result.words["accuracy"] == 1 and result.words["together"]["right"][-1] < 0.7 and result.words["decodable"]["right"][-1] == 1
    assert "words" in result.as_dict()
    for knobs in ({"purpose": "select"}, {"task": "recall/past"}, {"method": "probe"}):
        assert "words" not in run(Trial(**KNOBS | {"budget": 64} | knobs)).as_dict()


def test_the_command_says_why_without_training(recorded, call, monkeypatch):
    trial, out = recorded(keep=False)
    monkeypatch.setattr("study.run.trained.run", None)
    code, text, err = call("explain", trial.id[-16:], "--out", out)
    assert code == 0 and err == "", err
    unit = run(trial).words["units"]["unit"][0]
    assert f"nit {unit} " in text and "the animal: without" in text and "<- cue" in text and "-> meows" in text or "-> barks" in text
    assert text.count("the net says \"") == 2 and "chance 50 %" in text
    found = json.loads(call("explain", trial.id, "--out", out, "--json")[1])
    assert found["id"] == trial.id and found["units"]["unit"][0] == unit and "sentence" not in found


def test_a_sentence_of_the_users_own(recorded, call):
    trial, out = recorded()
    code, text, err = call("explain", trial.id, "--out", out, "--sentence", "the dog softly and barks here")
    assert code == 0 and err == "" and "a cue of barks" in text and "an effect word" in text and "No word" not in text
    assert [line.split()[1] for line in text.splitlines() if line.strip()[:1].isdigit()][:6] == "the dog softly and barks here".split()
    text = call("explain", trial.id, "--out", out, "--sentence", "today . softly")[1]
    assert "No word of the sentence is a cue of this task." in text and "No word of the sentence is an effect word" in text
    own = json.loads(call("explain", trial.id, "--out", out, "--sentence", "the cat", "--json")[1])["sentence"]
    assert own["cues"] == {"1": "meows"} and own["effects"] == [] and len(own["trace"]["h"]) == 2
    store.weights_of(out / "a" / "default", trial.id).unlink()
    code, again, err = call("explain", trial.id, "--out", out, "--sentence", "today . softly")
    assert (code, again) == (0, text) and "is trained again" in err


@pytest.mark.parametrize("knobs, arguments, says", [
    ({"task": "recall/past"}, [], "expected a task with a cue and an effect word"),
    ({"purpose": "select"}, [], "its record explains nothing"),
    ({}, ["--sentence", "the dag"], "--sentence: unknown symbol 'dag'; did you mean 'dog'"),
    ({}, ["--sentence", " "], "--sentence: expected one symbol"),
])
def test_mistakes_are_one_message_before_anything_is_trained(recorded, call, monkeypatch, knobs, arguments, says):
    trial, out = recorded(keep=False, budget=64, **knobs)
    monkeypatch.setattr("study.run.trained.run", None)
    code, said, err = call("explain", trial.id, "--out", out, *arguments)
    assert code == 2 and says in err and not said and len(err.splitlines()) == 1


# Figures


def test_the_sentence_is_of_the_largest_gap_that_most_nets_of_a_cell_know_and_the_rnn_reads_the_same(spoken_frame):
    data = FIGURES["words"].data(spoken_frame)
    assert {(cell, gap, seed) for cell, gap, seed in zip(data["cell"], data["gap"], data["seed"])} == {("lstm", 12, 0), ("rnn", 12, 0)}
    assert set(data["name"]) == {*"ifoch"} and set(data["of"]) == {0, 1} and not (data["name"].eq("h") & data["cell"].eq("lstm")).any()
    texts = data.groupby(["cell", "name", "of"])["word"].agg(" ".join)
    assert texts.nunique() == 1 and data[data["from_cue"] == 0]["word"].nunique() == 1
    none = FIGURES["words"].data(spoken_frame.assign(words=[found and found | {"accuracy": 0.5} for found in spoken_frame["words"]]))
    assert set(none["name"]) == {"c", "h"}  # gates are drawn of nets that know the cue
    other = FIGURES["words"].data(spoken_frame.assign(cell=spoken_frame["cell"].replace("lstm", "gru")))
    assert set(other["cell"]) == {"gru", "rnn"} and set(other["gap"]) == {12}


def nets_of(cells, gap=12):
    """Trials of {cell: (accuracy of seed 0, of seed 1, ...)} at a gap, as `known` gives them."""
    rows = [{"kind": "gender", "task": "language/gender", "cell": cell, "gap": gap, "seed": seed, "accuracy": right, "knows": right >= 0.9}
            for cell, shares in cells.items() for seed, right in enumerate(shares)]
    return pd.DataFrame(rows)


def test_a_cell_keeps_a_cue_where_most_of_its_nets_know_it():
    runs = pd.concat([nets_of({"gru": (1, 1, 0.5), "lstm": (1, 1, 1)}), nets_of({"gru": (1, 1, 0.6), "lstm": (1, 0.5, 0.5)}, 20)])
    rows = chosen.reached(runs).set_index("cell")[["far", "knowing", "nets"]]
    assert rows.loc["gru"].tolist() == [20, 2, 3] and rows.loc["lstm"].tolist() == [12, 3, 3]


def test_nets_that_are_drawn_are_typical_and_an_lstm_that_knows_comes_at_the_end():
    runs = pd.concat([nets_of({"gru": (0.5, 1, 1), "lstm": (0.5, 1, 0.5), "rnn": (0.5, 0.5, 0.5)}, 20), nets_of({"lstm": (0.5, 1, 1)}, 5)])
    first, lstm = chosen.blocks(runs)
    assert list(first["cell"]) == ["gru", "lstm", "rnn"] and set(first["seed"]) == {2} and list(first["knowing"]) == [2, 1, 0]
    assert list(lstm["cell"]) == ["lstm"] and set(lstm["gap"]) == {5} and set(lstm["seed"]) == {1}


def test_memories_that_differ_in_the_last_digit_of_the_record_are_not_apart():
    one, other = np.array([12.3, 12.3, 0.0, -0.913, 0.0]), np.array([12.4, 12.6, 0.0, 0.959, 0.001])
    assert FIGURES["words"]._apart(one, other) == pytest.approx([0, 0.3, 0, 1.872, 0.001])


def test_the_short_answer_is_that_of_the_records(spoken_frame):
    answer = short_answer.short_answer(spoken_frame.assign(init="long"))
    text = " ".join(answer.sentences)
    assert "The LSTM keeps the gender over 12 words; the RNN (tanh) keeps the gender over no gap tried" in text
    net = spoken_frame.iloc[1]["words"]
    assert f"at `{net['pair']['cue'][0]}` its input gate i is {net['traces'][0]['i'][net['text']['cue']]:g}" in text
    cells = answer.table.set_index("cell")["name and pronoun"]
    assert cells["LSTM"] == "12 (2 of 2)" and cells["RNN (tanh)"] == "< 12 (0 of 2 at 12)"
    assert short_answer.short_answer(spoken_frame.assign(words=None)) is None


def test_sentences_of_a_report_have_cue_and_effect_in_bold(spoken_frame):
    sample, = samples.samples(spoken_frame)
    cue, effect = re.findall(r"\*\*(\w+)\*\*", sample.sentence)
    words = sample.sentence.replace("*", "").split()
    assert effect == ("she" if cue in WOMEN else "he") and (sample.gap, sample.effects) == (6, 2)
    assert words.index(effect) - words.index(cue) == sample.gap + 1


def test_lines_are_medians_over_the_seeds_at_the_largest_gap(spoken_frame):
    told = FIGURES["decodable"].data(spoken_frame)
    assert set(told["gap"]) == {40} and set(told["cell"]) == {"lstm", "rnn"} and set(told["seeds"]) == {1}
    units = FIGURES["units"].data(spoken_frame)
    assert set(units["cell"]) == {"lstm"} and set(units["gap"]) == {12} and set(units["seeds"]) == {2}
    assert units.set_index("held")["right"][0] == 0.975


@pytest.mark.parametrize("name", ["words", "decodable", "units"])
def test_figures_of_words_are_drawn_from_what_is_written(spoken_frame, name):
    figure = FIGURES[name]
    assert "<svg" in drawing.svg(figure.draw, pd.read_csv(StringIO(report.csv(figure.data(spoken_frame)))))
    assert not len(figure.data(spoken_frame.assign(words=None))) and not len(figure.data(spoken_frame.drop(columns="words")))
