"""Grids that draw knobs: what is drawn, by which law, what is refused; a random search that is killed, continued and reported."""

import itertools
import math
import signal
import subprocess
import sys

import pandas as pd
import pytest
import toy
from scipy import stats

import kernels
import study
from study.errors import SpecError
from study.plan import subset, toml
from study.plan.draws import Draws
from study.plan.plan import Plan
from study.plan.spec import read
from study.records import store
from study.tasks import TASKS

KNOBS = {"lr": {"log_uniform": [1e-4, 1e-1]}, "units": {"choice": [16, 32, 64]}, "forget_bias": {"uniform": [0, 5]}}
LUCK = 1e-4  # the p-value below which draws do not follow their law


def search(knobs=KNOBS, axes=None, fixed=None, **draws):
    axes = {"cell": ["lstm", "gru"], "gap": [5]} if axes is None else axes
    grid = {"name": "random search", "seeds": 2, "axes": axes, "draws": {"n": 25, "knobs": knobs} | draws}
    return read({"name": "s", "knobs": fixed or {}, "grids": [grid]}, TASKS)


def drawn(whole, *knobs, **where):
    """The values of the knobs in each draw, of the points with the given values and seed 0."""
    trials = [point.trial for point in whole.points]
    return [tuple(getattr(trial, knob) for knob in knobs) for trial in trials
            if all(getattr(trial, knob) == value for knob, value in ({"seed": 0} | where).items())]


def values(source, n, knob="lr"):
    """n draws of one knob."""
    return [draw[knob] for draw in Draws.model_validate({"n": n, "knobs": {knob: source}}).points({})]


# What is drawn


def test_draws_are_crossed_with_axes_and_seeds():
    whole = search()
    assert whole.grids[0].size() == len(whole.points) == 2 * 25 * 2
    assert drawn(whole, *KNOBS, cell="lstm") == drawn(whole, *KNOBS, cell="gru") == drawn(whole, *KNOBS, cell="lstm", seed=1)
    assert len(set(drawn(whole, "lr", cell="lstm"))) == 25 and not whole.selecting


def test_a_draw_is_what_its_words_say():
    """By Python's own exp and log, from the words of each knob's stream."""
    def unit(knob):
        return [(int(word) >> 11) / 2**53 for word in kernels.Stream("draws", 7, knob, "{}").words(25)]

    knobs = KNOBS | {"batch": {"log_uniform": [1, 64]}, "layers": {"uniform": [2, 5]}}
    whole = search(knobs, seed=7)
    by_hand = {
        "lr": [float(f"{math.exp(math.log(1e-4) + math.log(1e3) * u):.6g}") for u in unit("lr")],
        "forget_bias": [float(f"{5 * u:.6g}") for u in unit("forget_bias")],
        "batch": [math.floor(math.exp(math.log(65) * u)) for u in unit("batch")],
        "layers": [math.floor(2 + 4 * u) for u in unit("layers")],
        "units": [(16, 32, 64)[place] for place in kernels.Stream("draws", 7, "units", "{}").integers(25, 3)],
    }
    assert drawn(whole, *by_hand, cell="lstm") == list(zip(*by_hand.values()))


def test_the_first_draws_of_a_study_are_for_ever():
    assert drawn(search(), *KNOBS, cell="lstm")[:3] == [
        (0.0313361, 16, 2.34285), (0.000385878, 16, 3.64061), (0.00159508, 64, 2.27903)]


def test_more_draws_keep_the_first_and_other_knobs_change_nothing():
    few, many = search(n=10), search(n=40)
    assert drawn(many, *KNOBS, cell="lstm")[:10] == drawn(few, *KNOBS, cell="lstm")
    assert drawn(search({"lr": KNOBS["lr"]}), "lr", cell="gru") == drawn(search(), "lr", cell="gru")
    assert drawn(search(seed=1), "lr", cell="gru") != drawn(search(), "lr", cell="gru")
    axes = {"gap": [5], "cell": ["gru"], "budget": [100, 200]}
    assert drawn(search(axes=axes), "lr", budget=200) == drawn(search(), "lr", cell="gru")


def test_each_combination_may_have_draws_of_its_own():
    whole = search(shared=False)
    turned = search({"lr": KNOBS["lr"]}, axes={"gap": [5], "cell": ["gru", "lstm", "rnn"]}, shared=False)
    lstm, gru = (drawn(whole, "lr", cell=cell) for cell in ("lstm", "gru"))
    assert not set(lstm) & set(gru) and drawn(whole, "lr", cell="lstm", seed=1) == lstm
    assert drawn(turned, "lr", cell="lstm") == lstm
    assert drawn(search(shared=False, n=3), "lr", cell="gru") == gru[:3]


def test_numbers_have_six_digits_and_stay_within_their_ends():
    ends = [0.1234561, 0.1234569]
    assert set(values({"uniform": ends}, 500)) == set(ends)
    assert all(float(f"{lr:.6g}") == lr for lr in values(KNOBS["lr"], 500))


@pytest.mark.parametrize("kind, law", [
    ("uniform", stats.uniform(0.001, 0.099)), ("log_uniform", stats.loguniform(0.001, 0.1))])
def test_numbers_follow_their_law(kind, law):
    rates = values({kind: [0.001, 0.1]}, 4000)
    assert stats.kstest(rates, law.cdf).pvalue > LUCK and 0.001 <= min(rates) < max(rates) <= 0.1


@pytest.mark.parametrize("source, chances", [
    ({"uniform": [3, 6]}, {k: 1 / 4 for k in (3, 4, 5, 6)}),
    ({"log_uniform": [1, 7]}, {k: math.log((k + 1) / k, 8) for k in range(1, 8)}),
    ({"choice": [1, 4, 8]}, {k: 1 / 3 for k in (1, 4, 8)})])
def test_whole_numbers_reach_both_ends(source, chances):
    layers = values(source, 4000, "layers")
    counts = [layers.count(k) for k in chances]
    assert sum(counts) == 4000 and stats.chisquare(counts, [4000 * p for p in chances.values()]).pvalue > LUCK


def test_two_knobs_are_drawn_independently():
    lr, bias = values({"uniform": [1, 2]}, 4000), values({"uniform": [1, 2]}, 4000, "forget_bias")
    assert abs(stats.spearmanr(lr, bias).statistic) < 0.05


def test_names_and_booleans_are_drawn_by_choice():
    knobs = {"cell": {"choice": ["rnn", "gru"]}, "init": {"choice": ["standard", "long"]}, "lr": {"choice": [0.1]}}
    whole = search(knobs, axes={"gap": [5]}, n=50)
    assert set(drawn(whole, "cell", "init")) == set(itertools.product(["rnn", "gru"], ["standard", "long"]))


def test_the_horizon_is_the_largest_gap_that_can_be_drawn():
    axes = {"cell": ["lstm"], "init": ["long"]}
    few, many = (search({"lr": KNOBS["lr"], "gap": {"log_uniform": [4, 300]}}, axes, n=n) for n in (2, 40))
    assert {point.trial.horizon for point in (*few.points, *many.points)} == {300}
    assert drawn(many, "gap", "lr")[:2] == drawn(few, "gap", "lr")


def test_without_a_drawn_rate_the_selection_chooses():
    grid = {"name": "g", "axes": {"cell": ["lstm"], "gap": [5]}, "draws": {"n": 3, "knobs": {"units": {"choice": [8, 16]}}}}
    chosen = read({"name": "s", "grids": [grid], "selection": {"rates": [0.01], "seeds": 1, "gap": {"recall/past": 5}}}, TASKS)
    assert len(chosen.selecting) == 1 and {point.rate_key for point in chosen.points} == set(chosen.selecting)


# Study files


@pytest.mark.parametrize("knobs, more", [
    (KNOBS, {"shared": False, "seed": 3}),
    ({"lr": KNOBS["lr"], "horizon": {"uniform": [3, 9]}}, {"axes": {"cell": ["lstm", "gru"], "init": ["long"], "gap": [5]}})])
def test_a_search_survives_its_file(tmp_path, knobs, more):
    whole = search(knobs, **more)
    path = tmp_path / "plan.toml"
    path.write_text(toml.dumps(whole))
    again = toml.load(path, TASKS)
    assert again.points == whole.points and again.searches == whole.searches and toml.dumps(again) == toml.dumps(whole)
    assert len(whole.with_seeds(3).points) == 2 * 25 * 3 and set(whole.points) < set(whole.with_seeds(3).points)


def refused(knobs=KNOBS, **more):
    with pytest.raises(SpecError) as caught:
        search(knobs, **more)
    return str(caught.value).splitlines()


PATH = "grids.0.draws.knobs"


@pytest.mark.parametrize("knobs, more, says", [
    ({"lr": {"log_uniform": [0.2, 0.1]}}, {}, f"{PATH}.lr.log_uniform: expected two ends, the smaller one first, got [0.2, 0.1]"),
    ({"lr": {"uniform": [0.1, 0.1]}}, {}, f"{PATH}.lr.uniform: expected two ends, the smaller one first, got [0.1, 0.1]"),
    ({"forget_bias": {"log_uniform": [0, 5]}}, {}, f"{PATH}.forget_bias.log_uniform: expected ends above 0"),
    ({"forget_bias": {"log_uniform": [-2, 5]}}, {}, f"{PATH}.forget_bias.log_uniform: expected ends above 0"),
    ({"lr": {"uniform": [0, 1]}}, {}, f"{PATH}.lr.uniform.0: Input should be greater than 0, got 0"),
    ({"lr": {"uniform": [0.1]}}, {}, f"{PATH}.lr.uniform.1: Field required"),
    ({"lr": {"uniform": [0.1, 0.2, 0.3]}}, {}, f"{PATH}.lr.uniform: List should have at most 2 items"),
    ({"lr": {"uniform": [0.1, float("nan")]}}, {}, f"{PATH}.lr.uniform.1: Input should be a finite number, got nan"),
    ({"lr": {"uniform": [0.1, float("inf")]}}, {}, f"{PATH}.lr.uniform.1: Input should be a finite number, got inf"),
    ({"lr": {"uniform": [0.1, None]}}, {}, f"{PATH}.lr.uniform.1: Input should be a valid number, got None"),
    ({"units": {"uniform": [1, 4097]}}, {}, f"{PATH}.units.uniform.1: Input should be less than or equal to 4096, got 4097"),
    ({"units": {"uniform": [1.5, 4]}}, {}, f"{PATH}.units.uniform.0: Input should be a valid integer, got 1.5"),
    ({"units": {"choice": []}}, {}, f"{PATH}.units.choice: List should have at least 1 item"),
    ({"units": {"choice": [16, 0]}}, {}, f"{PATH}.units.choice.1: Input should be greater than or equal to 1, got 0"),
    ({"scheme": {"choice": ["glorto"]}}, {}, f"{PATH}.scheme.choice.0: Input should be 'uniform', 'glorot'"),
    ({"task": {"choice": ["recall/pst"]}}, {}, f"{PATH}.task.choice.0: unknown task 'recall/pst'; did you mean 'recall/past'?"),
    ({"scheme": {"uniform": [1, 2]}}, {}, f"{PATH}.scheme.uniform: unknown key 'uniform' (known: choice)"),
    ({"test_gap": {"uniform": [1, 8]}}, {}, f"{PATH}.test_gap.uniform: unknown key 'uniform' (known: choice)"),
    ({"lr": {"log_unifrom": [0.1, 1]}}, {}, f"{PATH}.lr.log_unifrom: unknown key 'log_unifrom'; did you mean 'log_uniform'?"),
    ({"lrr": {"uniform": [0.1, 1]}}, {}, f"{PATH}.lrr: unknown key 'lrr'; did you mean 'lr'?"),
    ({"lr": {}}, {}, f"{PATH}.lr: expected one of log_uniform, uniform, choice, got none"),
    ({"lr": {"uniform": [0.1, 1], "choice": [1]}}, {},
     f"{PATH}.lr: expected one of log_uniform, uniform, choice, got uniform and choice"),
    ({"lr": [0.1, 1]}, {}, f"{PATH}.lr: Input should be a valid dictionary"),
    ({}, {}, "grids.0.draws: knobs: expected a knob to draw, got none"),
    ({"seed": {"uniform": [1, 9]}}, {}, f"{PATH}.seed: seeds are crossed with the draws"),
    (KNOBS, {"fixed": {"units": 8}}, f"{PATH}.units: fixed in [knobs], too"),
    (KNOBS, {"axes": {"cell": ["lstm"], "gap": [5], "lr": [0.1]}}, f"{PATH}.lr: crossed in axes, too"),
    (KNOBS, {"n": 10**9}, "grids.0.draws.n: Input should be less than or equal to 10000, got 1000000000"),
    (KNOBS, {"n": 0}, "grids.0.draws.n: Input should be greater than or equal to 1, got 0"),
    (KNOBS, {"seed": -1}, "grids.0.draws.seed: Input should be greater than or equal to 0, got -1"),
    (KNOBS, {"shared": "no"}, "grids.0.draws.shared: Input should be a valid boolean, got 'no'"),
    (KNOBS, {"sed": 1}, "grids.0.draws.sed: unknown key 'sed'; did you mean 'seed'?"),
    (KNOBS, {"n": 10_000, "axes": {"cell": ["lstm"], "gap": list(range(1, 101))}}, "grids: 2,000,000 trials; at most 1,000,000"),
    (KNOBS, {"axes": {"cell": ["rnn"], "gap": [5]}}, "grids.random search: forget_bias: rnn has no gate whose bias could be set, at"),
])
def test_mistakes_are_named_by_their_path(knobs, more, says):
    assert refused(knobs, **more)[0].startswith(says)


def test_all_conflicts_are_named_at_once():
    assert len(refused(KNOBS, fixed={"units": 8}, axes={"cell": ["lstm"], "gap": [5], "lr": [0.1]})) == 2


def test_a_knob_is_not_drawn_in_vain():
    whole = search(KNOBS | {"momentum": {"uniform": [0.1, 0.9]}})
    assert whole.idle()[0].startswith(f"{PATH}.momentum: no trial depends on it")
    sometimes = search({"lr": KNOBS["lr"], "momentum": {"uniform": [0.1, 0.9]}, "optimizer": {"choice": ["adam", "sgd"]}})
    assert not sometimes.idle()


def test_only_takes_drawn_values():
    whole = search(n=120)
    (lr, units), *_ = drawn(whole, "lr", "units", cell="lstm")
    part = Plan(whole, {}, subset.parse([f"lr={lr}", "cell=gru"], None, whole))
    assert [(trial.lr, trial.units, trial.cell) for trial in part.training] == [(lr, units, "gru")] * 2
    with pytest.raises(SpecError, match=r"--only lr=0.5: the plan has .*, and 110 more"):
        subset.parse(["lr=0.5"], None, whole)
    other = next(other for other, in drawn(whole, "units", cell="lstm") if other != units)
    with pytest.raises(SpecError, match="no trial of the plan is left"):
        subset.parse([f"lr={lr}", f"units={other}"], None, whole)


# A search that runs

FILE = """
name = "toy"
knobs = { budget = 64, batch = 64 }
[[grids]]
name = "random search"
seeds = 1
axes = { cell = ["lstm"], gap = [2] }
draws = { n = 12, knobs = { lr = { log_uniform = [1e-4, 1e-1] }, units = { choice = [4, 8] } } }
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "toy.toml"
    path.write_text(FILE)
    return path


def test_a_search_that_was_killed_goes_on_to_the_same_bytes(file, tmp_path, call):
    """Each trial of toy work takes as many milliseconds as its batch is larger than 32."""
    file.write_text(FILE.replace("batch = 64", "batch = 132"))
    out, folder = tmp_path / "out", tmp_path / "out" / "toy" / "default"
    command = [sys.executable, toy.__file__, "run", str(file), "--out", str(out), "--workers", "1"]
    process = subprocess.Popen(command, env=toy.environment(), stderr=subprocess.DEVNULL)
    toy.until(lambda: folder.exists() and len(store.read(folder).lines) > 2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert 2 < len(store.read(folder).lines) < 12
    assert call("run", file, "--out", out)[0] == call("run", file, "--out", tmp_path / "again")[0] == 0
    assert (folder / "runs.jsonl").read_bytes() == (tmp_path / "again" / "toy" / "default" / "runs.jsonl").read_bytes()
    assert "random search, cell lstm, gap 2: 12 of 12 finished" in call("status", folder)[1]


def test_a_search_runs_is_reported_and_verifies(file, tmp_path):
    def command(*arguments):
        command = [sys.executable, "-m", "study", *map(str, arguments)]
        return subprocess.run(command, env=toy.environment(), capture_output=True, text=True, check=True).stdout

    folder = tmp_path / "out" / "toy" / "default"
    assert "random search: 12 = 1 cell x 1 gap x 1 seed x 12 draws of units, lr" in command("validate", file)
    command("run", file, "--out", tmp_path / "out", "--workers", 1)
    text, table = (folder / "REPORT.md").read_text(), pd.read_csv(folder / "tables" / "importance.csv")
    assert "12 trials are draws of a random search (units, lr)" in text and "Each trial trains one small recurrent net" in text
    assert table["term"].tolist() == ["lr", "units", "lr x units", "rest"] and set(table["draws"]) == {12}
    assert {path.name for name in ("figures", "tables") for path in (folder / name).glob("*.csv")} == {"importance.csv"}
    frame = study.load(folder)
    assert set(frame["search"]) == {"random search, cell lstm, gap 2"} and set(frame["drawn"]) == {"units lr"}
    assert command("report", folder, "--check") and command("verify", folder, "--sample", 2)
