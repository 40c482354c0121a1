"""What nets write and answer: probabilities, draws, the command, and the same text on every instruction set."""

import dataclasses
import re
import subprocess
import sys

import numpy as np
import pytest
import toy
from writing import PARROT, right

import kernels
from study.nets.architecture import Architecture
from study.nets.heads import HEADS
from study.nets.net import Net
from study.records import store
from study.run import engine
from study.tasks import TASKS, _symbols
from study.trial import sample
from study.trial.knobs import Trial
from study.trial.run import run

GAP = 3
WRITER = {"cell": "lstm", "units": 12, "task": "parrot", "gap": GAP, "lr": 0.02, "budget": 6400}


@pytest.fixture(autouse=True)
def _parrot(monkeypatch):
    monkeypatch.setitem(TASKS, "parrot", PARROT)


@pytest.fixture
def recorded(tmp_path):
    """A function from knobs to (the trial, its theta, the folder of all results) of a trial that was run and recorded."""
    def record(keep=True, **knobs):
        trial = Trial(**WRITER | knobs)
        outcome = engine.attempt(run_with_weights, trial)
        weights = outcome["result"].weights
        theta = np.concatenate([array.ravel() for array in weights.values()])
        outcome["result"] = dataclasses.replace(outcome["result"], weights=weights if keep else None)
        with store.Driver(tmp_path / "results" / "a" / "default", {}) as driver:
            driver.record(trial, outcome)
        return trial, theta, tmp_path / "results"
    return record


def run_with_weights(trial):
    return run(trial, weights=True)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("cell", ["lstm", "gru", "mut1"])
@pytest.mark.parametrize("made_of", [*({"head": head} for head in HEADS), *({"head": "attention", "attention": score} for score in ("general", "dot")), {"layers": 3}, {"layers": 2, "stack": "residual"}], ids=str)
def test_a_net_step_by_step_has_the_bits_of_its_forward_pass(made_of, cell, dtype):
    net = Net(PARROT, Architecture(cell, 7, **made_of), dtype)
    theta, batch = net.init(0), PARROT.sample(kernels.Stream("steps"), 5, 20)
    step = net.stepper(theta, 5)
    logits = np.stack([step(x) for x in batch.x.astype(dtype)], axis=1).reshape(-1, 6)
    assert np.array_equal(kernels.cross_entropy(logits, batch.target)[1], net.forward(theta, batch).output)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_symbols_are_drawn_by_the_softmax_at_a_temperature(temperature):
    logits = np.array([0.5, -1.0, 2.0, 0.0], np.float32)
    p = np.exp(logits.astype(float) / temperature)
    p /= p.sum()
    assert sample.probabilities(logits, temperature) == pytest.approx(p, rel=1e-14)
    draw = sample.Draw(kernels.Stream("draws"), temperature)
    drawn = np.bincount([draw(logits) for _ in range(4000)], minlength=4) / 4000
    assert np.abs(drawn - p).max() < 0.03


@pytest.mark.parametrize("temperature", [0.0, 1e-300])
def test_without_temperature_the_most_probable_symbol_is_taken(temperature):
    draw = sample.Draw(kernels.Stream("draws"), temperature)
    assert {draw(np.array([0.5, -3e38, 2.0, 0.0], np.float32)) for _ in range(50)} == {2}


def test_a_draw_uses_all_symbols_that_have_a_probability_and_no_others():
    words = type("Words", (), {"uniform": lambda self, n: np.full(n, self.at)})()
    draw = sample.Draw(words, 1.0)
    for at, symbol in ((0.0, 1), (0.4999, 1), (0.5001, 3), (1 - 2.0**-53, 3)):
        words.at = at
        assert draw(np.array([-3e38, 0.0, -3e38, 0.0, -3e38], np.float32)) == symbol


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_outputs_that_are_not_finite_are_refused(wrong):
    with pytest.raises(ValueError, match="outputs: expected finite"):
        sample.Draw(kernels.Stream("draws"), 1.0)(np.array([0.0, wrong], np.float32))


def test_a_net_writes_what_it_has_learned_and_stops():
    trial = Trial(**WRITER)
    result = run(trial, weights=True)
    net, theta = Net(PARROT, Architecture.of(trial)), np.concatenate([array.ravel() for array in result.weights.values()])
    texts = []
    for seed in range(30):
        first = sample.symbols_of(sample.sequence(trial, PARROT, seed))[:1]
        written = sample.write(net, theta, first, sample.Draw.of(trial, seed, 0.5), length=50, stop=[[1, 5], [2, 5]])
        texts.append(_symbols.text(PARROT.symbols, first + written))
    assert sum(right(text, GAP) for text in texts) >= 28 and len(set(texts)) > 8, texts
    assert sample.write(net, theta, [0, 2, 3], sample.Draw.of(trial, 0, 0.0), length=2) == written_by_hand(net, theta, [0, 2, 3], 2)


def written_by_hand(net, theta, symbols, length):
    """The most probable symbols, from a forward pass over the whole text each time."""
    text = list(symbols)
    for _ in range(length):
        text.append(int(sample.answers(net, theta, sample.prompt(text, 6))[-1].argmax()))
    return text[len(symbols) :]


def test_the_command_writes_with_kept_weights_as_with_trained_ones(recorded, call):
    trial, _, out = recorded(keep=True)
    code, kept, err = call("sample", trial.id, "--out", out, "--seed", 3)
    assert code == 0 and kept.startswith("B") and kept.strip().endswith("E") and err == ""
    store.weights_of(out / "a" / "default", trial.id).unlink()
    code, trained, err = call("sample", trial.id[-16:], "--out", out, "--seed", 3)
    assert (code, trained) == (0, kept) and "is trained again" in err
    texts = {call("sample", trial.id, "--out", out, "--prompt", "BT", "--length", 2, "--temperature", 9, "--seed", n)[1]
             for n in range(3)}
    assert len(texts) > 1 and all(re.fullmatch(r"BT[BTPxyE]{1,2}\n", text) for text in texts)


def test_the_command_shows_the_answers_of_a_net_that_does_not_write(recorded, call):
    trial, theta, out = recorded(task="recall/past", budget=64)
    code, text, _ = call("sample", trial.id, "--out", out, "--prompt", "Aww?")
    head, *rows = (line.split() for line in text.splitlines())
    assert code == 0 and head == ["step", "symbol", *"ABCD", "right"] and [row[1] for row in rows] == [*"Aww?"]
    net = Net(TASKS["recall/past"], Architecture.of(trial))
    p = net.forward(theta, sample.prompt([0, 4, 4, 8], 9)).output[0]
    assert rows[-1][2:] == [f"{value:.4f}" for value in p]
    rows = [line.split() for line in call("sample", trial.id, "--out", out, "--seed", 1)[1].splitlines()]
    assert rows[-1][1] == "?" and rows[-1][-1] == next(row[1] for row in rows[1:] if row[1] in "ABCD")


def test_a_net_of_both_directions_answers_and_does_not_write(recorded, call):
    trial, _, out = recorded(task="recall/both", budget=64, direction="both")
    code, text, _ = call("sample", trial.id, "--out", out)
    assert code == 0 and "AA" in text.splitlines()[0] and any(re.search(r"\?.* [A-D]{2}$", line) for line in text.splitlines())
    trial, _, out = recorded(budget=64, direction="both")
    code, _, err = call("sample", trial.id, "--out", out)
    assert code == 2 and "direction: expected 'forward'" in err and "both" in err


@pytest.mark.parametrize("knobs, arguments, says", [
    ({}, ["--prompt", "BQ"], "--prompt: unknown symbol 'Q'"), ({}, ["--prompt", ""], "--prompt: expected one symbol"),
    ({}, ["--temperature", "-1"], "--temperature"), ({}, ["--temperature", "nan"], "--temperature"),
    ({}, ["--length", "0"], "--length"), ({}, ["--seed", "-1"], "--seed"),
    ({"task": "adding/hs97", "gap": 40}, [], "expected a task that has symbols, got adding/hs97"),
    ({"task": "recall/past"}, ["--length", "3"], "--length: recall/past"),
    ({"task": "recall/past"}, ["--temperature", "0.5"], "--temperature: recall/past"),
    ({"task": "recall/past"}, ["--prompt", "A?", "--seed", "1"], "--seed: recall/past"),
])
def test_mistakes_are_one_message_before_anything_is_trained(recorded, call, monkeypatch, knobs, arguments, says):
    trial, _, out = recorded(keep=False, budget=64, **knobs)
    monkeypatch.setattr("study.run.trained.run", None)
    code, said, err = call("sample", trial.id, "--out", out, *arguments)
    assert code == 2 and says in err and not said


def test_trials_without_a_net_of_this_version_are_refused(recorded, call, monkeypatch):
    trial, _, out = recorded(budget=64)
    monkeypatch.delitem(TASKS, "parrot")
    assert "unknown task 'parrot'" in call("sample", trial.id, "--out", out)[2]
    monkeypatch.setattr("study.trial.knobs.NUMERICS", 2)
    monkeypatch.setitem(TASKS, "parrot", PARROT)
    assert "expected a trial of this version" in call("sample", trial.id, "--out", out)[2]
    ended = {status: Trial(**WRITER, seed=seed) for seed, status in enumerate(("failed", "crashed", "diverged"))}
    with store.Driver(out / "b" / "default", {}) as driver:
        for status in ("failed", "crashed"):
            driver.failure(ended[status], toy.outcome(trial) | {"status": status, "reason": "no luck"})
        driver.record(ended["diverged"], toy.outcome(trial, diverged_at=2))
    for status, other in ended.items():
        code, _, err = call("sample", other.id, "--out", out)
        assert code == 2 and f"expected a trial that is done, got one that {status}" in err


def test_the_same_text_with_every_instruction_set(tmp_path):
    program = f"""import sys; sys.path[:0] = {sys.path!r}
from study.nets.architecture import Architecture
from study.nets.net import Net
from study.trial import sample
from study.trial.knobs import Trial
from writing import PARROT
trial = Trial(cell="gru", units=40, task="parrot", gap=5, lr=0.01)
net = Net(PARROT, Architecture.of(trial))
print(sample.write(net, net.init(1) * 4, [0], sample.Draw.of(trial, 0, 0.7), length=300))"""
    texts = [subprocess.run([sys.executable, "-c", program], env=toy.environment(LONGLAG_ISA=isa), capture_output=True, text=True,
                            check=True).stdout for isa in kernels.isas()]
    assert len(texts[0]) > 900 and set(texts) == {texts[0]}


def test_texts_of_words():
    words = ("the", "dog", "barks", ".")
    assert _symbols.numbers(words, " the dog\nbarks .") == [0, 1, 2, 3] and _symbols.text(words, [1, 3]) == "dog ."
    with pytest.raises(ValueError, match="unknown symbol 'dgo'; did you mean 'dog'"):
        _symbols.numbers(words, "the dgo")
