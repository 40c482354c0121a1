"""A trial is a pure function of its knobs: what it counts, what it reports, and what it is paired by."""

import dataclasses
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from single_steps import one_by_one
from study_hashes import TRIALS, golden, record

import kernels
from kernels import Clip, processor
from study.nets.initialisation import Initialisation
from study.nets.architecture import Architecture
from study.nets.net import Net
from study.records.contents import unpacked
from study.tasks import LEFT_OUT, TASKS
from study.tasks._rule import Rule
from study.trial import guess, run, streams, train
from study.trial.curve import History
from study.trial.evaluate import evaluate
from study.trial.knobs import Trial
from study.trial.result import Result

HERE = Path(__file__).parent
GOLDEN = json.loads((HERE / "golden" / "study.json").read_text())
SMALL = {"cell": "lstm", "units": 8, "gap": 3, "init": "long", "horizon": 10, "lr": 0.01, "budget": 320}
SOLVED = SMALL | {"units": 16, "gap": 5, "budget": 25_600}


def trial(**knobs):
    return Trial(**SMALL | knobs)


@pytest.fixture(scope="module")
def solved():
    return run.run(Trial(**SOLVED))


def test_a_trial_gives_the_same_record_again_and_through_json():
    one, other = run.run(trial()), run.run(trial())
    assert one == other == Result.of(json.loads(json.dumps(one.as_dict(), allow_nan=False)))


def test_a_solved_trial(solved):
    result = solved
    assert result.status == "done" and result.solved is True
    assert 2000 <= result.sequences < SOLVED["budget"]
    assert result.test.n == 2560 and result.test.correct > 2500 and result.test.loss < 0.2
    assert result.parameters == 4 * 16 * (9 + 16 + 1) + 16 * 4 + 4
    curve = result.curve
    assert len(curve["sequences"]) == len(curve["loss"]) == len(curve["score"]) <= 64
    assert curve["score"][-1] == 1 and curve["score"][0] < 0.6 and 0 < curve["loss"][-1] < curve["loss"][0]
    assert 0 <= curve["sequences"][-1] - result.sequences < 32
    assert set(result.norms) == {"start", "end"} and result.norms["start"] != result.norms["end"]
    assert len(json.dumps(solved.as_dict())) < 8000


def test_a_result_reads_back_from_every_recorded_schema():
    paths = [path for folder in (HERE / "golden" / "records", HERE.parent / "results") for path in folder.rglob("runs.jsonl*")]
    records = [json.loads(line) for path in paths for line in unpacked(path).splitlines()]
    for record in records:
        result = Result.of(record["result"])
        assert (result.status, json.dumps(result.as_dict())) == (record["status"], json.dumps(record["result"]))
    kinds = {tuple(name for name in record["result"] if name not in ("alpha", "words")) for record in records}
    assert len(kinds) == 5  # trained, the same in brief, diverged, guessed, probed


def test_the_budget_does_not_change_what_is_learned(solved):
    longer = run.run(Trial(**SOLVED | {"budget": 2 * SOLVED["budget"]}))
    assert dataclasses.replace(longer, curve=solved.curve) == solved and longer.curve != solved.curve


def test_an_unsolved_trial_is_counted_at_its_budget():
    result = run.run(trial(budget=330))
    assert result.solved is False and result.sequences == 330
    assert result.curve["sequences"] == [*range(32, 330, 32), 330]


def test_solved_counts_to_the_row_and_before_the_update(solved):
    """An independent loop, row by row: the last 2,000 right, each batch answered with the weights it found."""
    knobs = Trial(**SOLVED)
    task = TASKS[knobs.task]
    net = Net(task, Architecture(knobs.cell, knobs.units))
    theta = net.init(knobs.seed, Initialisation(knobs.init, knobs.horizon))
    optimizer = kernels.Adam(net.size, knobs.lr)
    stream, right = streams.stream(knobs), []
    while True:
        batch = task.sample(stream, knobs.batch, knobs.gap)
        forward = net.forward(theta, batch)
        for output, target in zip(forward.output, batch.target, strict=True):
            right.append(int(output.argmax()) == target)
            if len(right) >= 2000 and all(right[-2000:]):
                break
        else:
            grad = net.backward(theta, forward).theta
            kernels.clip_by_norm(grad, knobs.clip)
            optimizer.step(theta, grad)
            continue
        break
    assert len(right) == solved.sequences
    assert hashlib.sha256(theta.tobytes()).hexdigest() == solved.digest


@pytest.mark.parametrize("knobs", [{"lr": 1e38}, {"lr": 1e38, "optimizer": "sgd", "clip": 1e30}])
def test_a_diverged_trial_stops_and_says_so(knobs):
    result = run.run(trial(cell="lstm", **knobs))
    assert result.status == "diverged" and result.solved is False and result.sequences == 320
    assert 0 < result.diverged_at < 320 and result.curve["sequences"][-1] == result.diverged_at
    assert result.test is None and set(result.norms) == {"start"}
    json.dumps(result.as_dict(), allow_nan=False)


def test_digits_has_no_pass_rule_and_a_fixed_test_part():
    result = run.run(trial(task="digits", gap=1, budget=96))
    assert result.solved is None and result.sequences == 96 and result.test.n == 360


def test_tests_at_multiples_of_the_gap_are_those_of_trials_at_these_gaps():
    knobs = {"task": "parity", "gap": 5, "budget": 640, "horizon": 40}
    result, without = run.run(trial(**knobs, test_gap=4)), run.run(trial(**knobs))
    assert result.longer["gap"] == [10, 20] and result.test == without.test and without.longer is None
    assert result.digest == without.digest and "longer" not in without.as_dict()
    task = TASKS["parity"]
    net = run.net_of(trial(**knobs), task)
    theta = np.concatenate([array.ravel() for array in run.run(trial(**knobs), weights=True).weights.values()])
    for n, gap in enumerate(result.longer["gap"]):
        test = evaluate(trial(**knobs | {"gap": gap}), task, net, theta)
        assert {name: values[n] for name, values in result.longer.items()} == {"gap": gap} | _given(test)


def _given(test):
    return {name: value for name, value in dataclasses.asdict(test).items() if value is not None}


@pytest.mark.parametrize("knobs, says", [
    ({"task": "lag_free", "gap": 10, "test_gap": 2}, "test_gap: lag_free has 11 inputs at gap 10 and 21 at 20; expected 1"),
    ({"task": "reber", "gap": 1}, "gap: reber has at most 0, got 1"),
])
def test_gaps_that_a_task_does_not_have_are_refused(knobs, says):
    with pytest.raises(ValidationError, match=says):
        Trial.model_validate(SMALL | knobs, context={"tasks": TASKS})


@pytest.mark.parametrize("name", TASKS)
def test_every_task_trains_in_both_directions(name):
    task = TASKS[name]
    direction = {"direction": "both", "merge": "learned"} if task.segment is None else {}
    result = run.run(trial(task=name, gap=task.smallest_gap, budget=64, cell="gru", **direction))
    assert np.isfinite(result.final_loss)
    json.dumps(result.as_dict(), allow_nan=False)


def test_streams_are_paired_across_arms_and_apart_across_data():
    def words(part="learn", **knobs):
        return tuple(streams.stream(trial(**knobs), part).words(4))

    same = [words(), words(cell="rnn"), words(lr=0.1), words(init="standard"), words(units=3), words(budget=64)]
    assert len(set(same)) == 1
    apart = [words(), words("test"), words("probe"), words(gap=4), words(seed=1), words(purpose="select"), words(task="recall/both")]
    assert len(set(apart)) == len(apart)


def test_a_selection_trial_starts_from_weights_of_its_own():
    digests = {run.run(trial(budget=1, lr=1e-30, **knobs)).digest for knobs in ({}, {"seed": 1}, {"purpose": "select"})}
    assert len(digests) == 3


def test_what_comes_after_the_read_out_matters_to_no_forward_net():
    task = TASKS["recall/both"]
    batch = task.sample(kernels.Stream("after"), 32, 6)
    for direction, indifferent in (("forward", True), ("both", False), ("reverse", False)):
        net = Net(task, Architecture("gru", 8, direction))
        theta = net.init(0)
        whole, cut = (net.forward(theta, part).loss for part in (batch, batch.until_read()))
        assert np.array_equal(whole, cut) == indifferent


def test_batches_are_the_streams_sequences_in_order():
    task = TASKS["recall/past"]
    knobs = trial(gap=9, direction="both")
    whole = task.sample(streams.stream(knobs), 700, 9)
    parts = list(streams.batches(knobs, task, 32, 700))
    assert [len(part.read) for part in parts] == [32] * 21 + [28]
    assert np.array_equal(np.concatenate([part.read for part in parts]), whole.read)
    assert np.array_equal(np.concatenate([part.target for part in parts]), whole.target)
    at = 0
    for part in parts:
        assert np.array_equal(part.x, whole.x[: len(part.x), at : at + len(part.read)])
        at += len(part.read)


def test_a_curve_is_cut_short_but_not_moved_by_an_early_end():
    values = np.arange(3200, dtype=np.float32)
    whole, short = History(3200, 10), History(3200, 10)
    for start in range(0, 3200, 10):
        whole.add(values[start : start + 10], values[start : start + 10] % 2 == 0)
        if start < 1230:
            short.add(values[start : start + 10], values[start : start + 10] % 2 == 0)
    curve, cut = whole.curve(), short.curve()
    assert curve["sequences"] == list(range(50, 3201, 50)) and curve["loss"][:2] == [24.5, 74.5] and set(curve["score"]) == {0.5}
    assert cut["sequences"][:-1] == curve["sequences"][:24] and cut["sequences"][-1] == 1230 == short.seen
    assert cut["loss"][:-1] == curve["loss"][:24] and cut["loss"][-1] == 1214.5
    assert whole.final_loss() == 2199.5 and short.final_loss() == 614.5 and History(10, 1).final_loss() is None


@pytest.mark.parametrize("cell", [name for name, cell in kernels.CELLS.items() if cell.direct])
def test_an_embedding_stands_before_a_cell_that_has_x_itself(cell):
    task = TASKS["recall/past"]
    net, layer = Net(task, Architecture(cell, 7), "float64"), kernels.RNN(cell, 7, 7, dtype="float64")
    assert net.size == layer.size + 7 * 4 + 4 + 9 * 7 + 7
    theta = net.init(3)
    weights, embedding = theta[net.slices["recurrent"]], theta[net.slices["embedding"]]
    assert np.array_equal(weights, layer.init(3)) and np.abs(embedding).max() <= 1 / 3
    batch = task.sample(kernels.Stream("embedding"), 5, 4)
    E, e = embedding[:63].reshape(9, 7), embedding[63:]
    (layer,) = net.layers(net.forward(theta, batch))
    assert layer.x == pytest.approx(batch.x @ E + e, abs=1e-14)
    result = run.run(trial(cell=cell, horizon=10, budget=96))
    assert result.parameters == Net(task, Architecture(cell, 8)).size and np.isfinite(result.final_loss)


def test_a_trial_starts_trains_and_clips_as_its_knobs_say():
    norm, standard = Clip(norm=1.0), {"init": "standard", "horizon": None}
    digests = {}
    for knobs, clip in (
        ({}, norm), ({"clip": 0.01}, Clip(norm=0.01)), ({"clipping": "off"}, Clip()), ({"truncated": True}, norm),
        ({"clipping": "value", "clip": 0.001}, Clip(value=0.001)),
        (standard | {"scheme": "orthogonal", "chrono": 10}, norm), (standard | {"forget_bias": 5.0}, norm),
    ):
        tried = trial(optimizer="sgd", **knobs)
        task = TASKS[tried.task]
        net = Net(task, Architecture(tried.cell, tried.units))
        how = Initialisation(tried.init, tried.horizon, tried.scheme, tried.forget_bias, tried.chrono)
        theta, block = net.init(tried.seed, how), task.draw(streams.stream(tried), tried.budget, tried.gap).usable("forward")
        one_by_one(net, theta, kernels.SGD(net.size, tried.lr), block, tried.batch, clip, tried.truncated)
        digests[str(knobs)] = run.run(tried).digest
        assert digests[str(knobs)] == hashlib.sha256(theta.tobytes()).hexdigest()
    digests.pop(str({"clipping": "off"}))  # no gradient of this trial is longer than 1
    assert len(set(digests.values())) == len(digests)


def test_the_optimizer_is_the_one_of_the_knobs():
    adam, sgd = ({"optimizer": name, "budget": 96} for name in ("adam", "sgd"))
    every = [adam, adam | {"beta1": 0.8}, adam | {"beta2": 0.9}, adam | {"epsilon": 0.1}, sgd, sgd | {"momentum": 0.9}]
    assert len({run.run(trial(**knobs)).digest for knobs in every}) == len(every)
    optimizer = train.optimizer_of(trial(beta1=0.8, beta2=0.9, epsilon=0.1, dtype="float64"), 3)
    assert (optimizer.lr, optimizer.beta1, optimizer.beta2, optimizer.eps, optimizer.m.dtype) == (0.01, 0.8, 0.9, 0.1, np.float64)
    optimizer = train.optimizer_of(trial(**sgd, momentum=0.9), 3)
    assert (optimizer.lr, optimizer.momentum, optimizer.v.dtype) == (0.01, 0.9, np.float32)


def test_crossed_starts_are_the_layers():
    net, layer = Net(TASKS["recall/past"], Architecture("lstm", 16)), kernels.RNN("lstm", 9, 16)
    for crossed in ({"scheme": "glorot"}, {"scheme": "orthogonal", "forget_bias": 0.0}, {"scheme": "identity", "chrono": 50}):
        theta = net.init(2, Initialisation(**crossed))
        assert np.array_equal(theta[net.slices["recurrent"]], layer.init(2, **crossed))


def views(net, how=Initialisation()):
    return net.layer.view(net.init(0, how)[net.slices["recurrent"]])


def test_families_set_what_they_say():
    task = TASKS["recall/past"]
    lstm, rnn = Net(task, Architecture("lstm", 16)), Net(task, Architecture("rnn", 16))
    bias = views(lstm, Initialisation("long", 50))["forward/b"]
    assert np.array_equal(bias[0], -bias[1]) and (bias[1] >= 0).all() and (bias[1] <= np.log(49) + 1e-6).all()
    U = views(rnn, Initialisation("long"))["forward/U"][0].astype(float)
    assert np.allclose(U @ U.T, np.eye(16), atol=1e-6)
    standard = views(lstm)
    assert np.abs(standard["forward/U"]).max() <= 0.25 and abs(standard["forward/b"][1].mean() - 1) < 0.25


def guessed_row_by_row(knobs, task, net):
    """The baseline as its definition reads: one sequence at a time."""
    weights, stream = kernels.Stream("guess", knobs.seed), streams.stream(knobs)
    shown = guesses = 0
    while shown < knobs.budget:
        theta = weights.uniform(net.size, -100, 100).astype(np.float32)
        guesses, wrong = guesses + 1, []
        while sum(wrong) <= task.rule.wrong and shown < knobs.budget:
            batch = task.sample(stream, 1, knobs.gap)
            wrong.append(not task.right(net.forward(theta, batch).output, batch)[0])
            shown += 1
            if len(wrong) >= task.rule.window and sum(wrong[-task.rule.window :]) <= task.rule.wrong:
                return theta, shown, guesses
    return theta, None, guesses


@pytest.mark.parametrize("window, wrong, met", [(3, 0, True), (40, 0, False), (7, 2, True), (40, 3, False)])
def test_guessing_counts_every_sequence_shown(window, wrong, met):
    knobs = trial(method="guess", cell="rnn", budget=1100)
    task = dataclasses.replace(TASKS[knobs.task], rule=Rule(window=window, wrong=wrong))
    net = Net(task, Architecture(knobs.cell, knobs.units))
    theta, solved_at, guesses = guess.guess(knobs, task, net)
    expected, expected_at, expected_guesses = guessed_row_by_row(knobs, task, net)
    assert np.array_equal(theta, expected) and (solved_at, guesses) == (expected_at, expected_guesses)
    assert (solved_at is not None) == met


def test_a_guessing_trial_reports_its_guesses():
    result = run.run(trial(method="guess", budget=200))
    assert result.solved is False and result.sequences == 200 and 100 < result.guesses < 200
    with pytest.raises(ValueError, match="digits has no pass rule"):
        run.run(trial(method="guess", task="digits", budget=200))


@pytest.mark.parametrize("name", TRIALS)
def test_golden_trials(name):
    """Where a number changes on purpose, NUMERICS is raised and tests/study_hashes.py writes these anew. A new field of a record changes these alone."""
    assert GOLDEN["NUMERICS"] == kernels.NUMERICS
    assert hashlib.sha256(record(TRIALS[name]).encode()).hexdigest()[:16] == golden("trials", name)


@pytest.mark.parametrize("isa", processor.isas())
def test_the_same_trials_on_every_instruction_set(isa):
    command = [sys.executable, str(HERE / "study_hashes.py")]
    done = subprocess.run(command, env=os.environ | {"LONGLAG_ISA": isa}, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    hashes = json.loads(done.stdout)
    for kind in ("tasks", "trials"):
        assert {name: golden(kind, name) for name in hashes[kind]} == hashes[kind]
    assert hashes["trials"] == GOLDEN["trials"] and GOLDEN["tasks"].keys() - hashes["tasks"].keys() <= LEFT_OUT.keys()


def test_a_shorter_window_of_the_rule_is_met_sooner_on_the_same_way():
    knobs = {"cell": "gru", "gap": 2, "units": 16, "lr": 0.01, "budget": 12_000}
    whole, short = (run.run(Trial(**knobs, window=window)) for window in (None, 100))
    assert whole.solved and short.solved and short.sequences <= whole.sequences - 1900
    assert short.curve["loss"][:-1] == whole.curve["loss"][: len(short.curve["loss"]) - 1]
    assert Trial(**knobs).id == Trial(**knobs, window=None).id != Trial(**knobs, window=100).id
