"""Trials, their ids, and study files: what is refused, and that nothing depends on order or position."""

import itertools
import tomllib
from types import SimpleNamespace

import pytest
import toy
from pydantic import ValidationError

from kernels import CELLS
from study import claims
from study.errors import SpecError
from study.plan import subset, toml
from study.plan.arm import arm_of
from study.plan.plan import Plan, missing
from study.plan.spec import Selection, read
from study.tasks import TASKS
from study.trial import knobs as trial_
from study.trial.knobs import DEFAULTS, Trial
from study.trial.result import Result

LSTM = {"cell": "lstm", "gap": 50, "lr": 0.01}


def study(**more):
    data = {"name": "s", "grids": [{"name": "g", "seeds": 2, "axes": {"cell": ["rnn", "lstm"], "gap": [12, 25]}}]}
    return data | {"knobs": {"lr": 0.01}} | more


def refused(data):
    with pytest.raises(SpecError) as caught:
        read(data, TASKS)
    return str(caught.value).splitlines()


def test_ids_are_for_ever(monkeypatch):
    """A default that changes, or a knob that enters the hash unasked, would orphan every record."""
    monkeypatch.setattr(trial_, "NUMERICS", 1)
    assert [trial.id for trial in [
        Trial(**LSTM),
        Trial(**LSTM, init="long", horizon=200, direction="both", merge="learned", seed=3),
        Trial(cell="rnn", gap=12, method="guess", task="temporal_order/6a"),
        Trial(cell="gru", gap=50, lr=0.001, purpose="select", units=37, dtype="float64", clip=2.5, optimizer="sgd"),
    ]] == [
        "recall-past-lstm-forward-standard-gap50-seed0-d6592e0a5154c05c",
        "recall-past-lstm-both-learned-long-gap50-seed3-2bfdb4fa8e76cfbb",
        "temporal_order-6a-rnn-guess-forward-standard-gap12-seed0-3480671edf6a1688",
        "select-recall-past-gru-forward-standard-gap50-seed0-a0c01529232a55b2",
    ]


def test_numerics_are_in_the_hash(monkeypatch):
    now = Trial(**LSTM).id
    monkeypatch.setattr(trial_, "NUMERICS", trial_.NUMERICS + 1)
    assert Trial(**LSTM).id != now


def test_every_knob_is_in_the_hash():
    other = {"cell": "gru", "units": 33, "direction": "reverse", "task": "digits", "gap": 51, "init": "long", "lr": 0.02,
             "seed": 1, "purpose": "select", "budget": 127_999, "batch": 31, "optimizer": "sgd", "clip": 2.0,
             "method": "guess", "dtype": "float64", "scheme": "orthogonal", "forget_bias": 5.0, "chrono": 200,
             "clipping": "value", "truncated": True, "window": 100, "beta1": 0.8, "beta2": 0.99, "epsilon": 1e-6, "layers": 2,
             "head": "attention", "output": "sigmoid", "test_gap": 8,
             "block": 2, "record": "brief"}
    ids = [Trial(**LSTM).id, Trial(**LSTM, optimizer="sgd", momentum=0.9).id]
    ids += [Trial(**LSTM | {knob: value} | ({"horizon": 200} if knob == "init" else {})).id for knob, value in other.items()]
    ids += [Trial(**LSTM, direction="both", merge=merge).id for merge in ("concat", "sum", "mean", "learned")]
    ids += [Trial(**LSTM, head="attention", attention=score).id for score in ("general", "dot")]
    ids += [Trial(**LSTM, layers=2, stack=stack).id for stack in ("residual", "grid")] + [Trial(**LSTM, layers=2, stack="grid", tied=True).id]
    ids += [Trial(**LSTM, init="long", horizon=horizon).id for horizon in (100, 300)]
    ids += [Trial(**LSTM, method="probe", after=after).id for after in (0, 1)]
    ids += [Trial(**LSTM | {"task": "reber_continual"}, lr_decay=decay).id for decay in (0.9, 0.99)]
    assert len(set(ids)) == len(ids)
    assert set(other) | {"merge", "stack", "tied", "attention", "horizon", "after", "momentum", "lr_decay"} == set(Trial.model_fields)


@pytest.mark.parametrize("spelled", [
    {"merge": "sum"}, {"head": "last", "attention": "dot"}, {"output": "task"}, {"layers": 1, "stack": "residual"}, {"tied": True}, {"after": 3}, {"momentum": 0.9}, {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}, {"chrono": None, "forget_bias": 1, "scheme": "uniform"}, {"horizon": 100}, {"units": 32, "dtype": "float32"}, {"direction": "forward", "clip": 1},
])
def test_knobs_without_meaning_leave_the_id_alone(spelled):
    assert Trial(**LSTM | spelled) == Trial(**LSTM)
    assert Trial(**LSTM | spelled).id == Trial(**LSTM).id


def test_knobs_of_an_optimizer_mean_something_to_it_alone():
    betas, plain = {"beta1": 0.5, "beta2": 0.5, "epsilon": 0.1}, Trial(**LSTM, optimizer="sgd").id
    assert Trial(**LSTM, optimizer="sgd", **betas).id == plain == Trial(**LSTM, optimizer="sgd", momentum=-0.0).id
    for fresh in ({"cell": "lstm", "gap": 12, "method": "probe"}, {"cell": "lstm", "gap": 12, "method": "guess"}):
        assert Trial(**fresh, **betas).id == Trial(**fresh).id == Trial(**fresh, optimizer="sgd", momentum=0.5).id


def test_an_rnn_knows_no_horizon():
    rnn = LSTM | {"cell": "rnn", "init": "long"}
    assert Trial(**rnn, horizon=100).id == Trial(**rnn, horizon=1000).id == Trial(**rnn).id
    for cell in CELLS.values():
        if cell.retains:
            with pytest.raises(ValidationError, match="horizon"):
                Trial(**LSTM | {"cell": cell.name, "init": "long"})


def test_guessing_has_no_rate_and_training_needs_one():
    assert Trial(cell="rnn", gap=12, method="guess", lr=0.1, batch=7).id == Trial(cell="rnn", gap=12, method="guess").id
    with pytest.raises(ValidationError, match="learning rate"):
        Trial(cell="rnn", gap=12)


def test_a_fresh_net_has_learned_nothing():
    fresh = {"cell": "lstm", "gap": 12, "method": "probe"}
    assert Trial(**fresh, lr=0.1, batch=7, clip=2.0, truncated=True, budget=5).id == Trial(**fresh).id
    assert Trial(**fresh, after=64, lr=0.1, budget=5).id == Trial(**fresh, after=64, lr=0.1).id != Trial(**fresh).id
    with pytest.raises(ValidationError, match="learning rate"):
        Trial(**fresh, after=64)


def test_clipping_that_is_off_has_no_bound():
    assert Trial(**LSTM, clipping="off", clip=3.0).id == Trial(**LSTM, clipping="off").id != Trial(**LSTM).id


@pytest.mark.parametrize("knobs, start", [
    ({}, "standard"), ({"init": "long", "horizon": 9}, "long"), ({"scheme": "orthogonal"}, "orthogonal"), ({"scheme": "identity", "forget_bias": 5.0}, "identity-bias5"),
    ({"forget_bias": 0.0}, "uniform-bias0"), ({"chrono": 200, "scheme": "glorot"}, "glorot-chrono200"),
    ({"cell": "rnn_relu", "scheme": "identity"}, "identity")])
def test_a_start_has_a_name_that_rates_are_chosen_by(knobs, start):
    trial = Trial(**LSTM | knobs)
    assert trial.initialisation == start and f"-{start}-gap50-" in trial.id
    grid = {"name": "g", "axes": {knob: [value] for knob, value in ({"cell": "lstm", "gap": 12} | knobs).items()}}
    (key, trials), = read(study(grids=[grid], knobs={}, selection=SELECTION), TASKS).selecting.items()
    assert key == ("recall/past", trial.cell, start) and {t.initialisation for t in trials} == {start}


@pytest.mark.parametrize("knobs, says", [
    ({"cell": "rnn", "chrono": 200}, "chrono: rnn has no gate"), ({"cell": "nfg", "forget_bias": 0.0}, "forget_bias: nfg has no gate"),
    ({"cell": "gru", "truncated": True}, "truncated: gru has no state but h"),
    ({"cell": "gru", "block": 2}, "block: cells of gru share no gates"), ({"cell": "peephole", "block": 2}, "block: cells of peephole share no gates"),
    ({"block": 5}, "block: expected a divisor of 32"), ({"block": 2, "scheme": "identity"}, "scheme: with blocks of 2"),
    ({"cell": "lru", "truncated": True}, "truncated: lru has no path but its states' own"),
    ({"cell": "mingru", "scheme": "orthogonal"}, "scheme: mingru has no U"),
    ({"init": "long", "horizon": 9, "scheme": "orthogonal"}, "scheme: init 'long' says it already"),
    ({"init": "long", "horizon": 9, "forget_bias": 0.0}, "forget_bias: init 'long' says it already"),
    ({"chrono": 200, "forget_bias": 2.0}, "forget_bias: chrono sets that bias"), ({"chrono": 2}, "chrono"),
    ({"scheme": "sparse"}, "scheme"), ({"clipping": "hard"}, "clipping"), ({"after": -1}, "after"),
    ({"cell": "gru", "stack": "grid"}, "stack: a grid needs a cell with the states h and c alone, got gru"),
    ({"cell": "fgr", "stack": "grid", "layers": 2}, "stack: a grid needs a cell"),
    ({"stack": "grid", "direction": "both"}, "direction: a grid reads forward, got 'both'"),
    ({"stack": "grid", "layers": 7}, "layers: a grid has 1 to 6, got 7"),
    ({"method": "probe", "direction": "both"}, "direction: a probe looks at forward nets"),
])
def test_what_means_nothing_for_a_cell_is_refused_by_name(knobs, says):
    with pytest.raises(ValidationError, match=says):
        Trial(**LSTM | knobs)
    knobs = {knob: [value] for knob, value in ({"cell": "lstm", "gap": 12} | knobs).items()}
    assert any(says in line for line in refused(study(grids=[{"name": "g", "axes": knobs}])))


@pytest.mark.parametrize("knob, value", [
    ("units", 0), ("units", 4097), ("units", 32.0), ("units", True), ("units", "32"), ("gap", -1), ("gap", 1_000_001),
    ("gap", 1.5), ("lr", 0), ("lr", -0.1), ("lr", float("nan")), ("lr", float("inf")), ("lr", "0.1"), ("batch", 0),
    ("budget", 0), ("budget", 10**30), ("seed", -1), ("direction", "backward"), ("cell", "lsmt"), ("cell", 3), ("layers", 0), ("layers", 9), ("layers", 2.0), ("stack", "skip"),
    ("head", "first"), ("attention", "multiplicative"), ("output", "softmax"),
    ("clip", 0), ("lr", 1e39), ("lr", 1e-50), ("clip", 1e300), ("forget_bias", float("nan")), ("forget_bias", 1e-60), ("beta1", 1.0), ("beta2", 1 - 1e-9),
    ("beta1", -0.1), ("beta1", float("nan")), ("epsilon", -1e-8), ("epsilon", 1e-50), ("momentum", 1.0), ("momentum", True), ("dtype", "float16"), ("purpose", "test"), ("units_", 3),
])
def test_a_trial_refuses(knob, value):
    with pytest.raises(ValidationError, match=knob):
        Trial(**LSTM | {knob: value})


def test_a_trial_is_frozen():
    with pytest.raises(ValidationError):
        Trial(**LSTM).gap = 3


def test_a_record_spells_a_trial_out():
    trial = Trial(**LSTM, units=48, seed=3)
    assert Trial(**trial.knobs()) == trial
    assert not set(trial.knobs()) & {knob for knob, default in DEFAULTS.items() if getattr(trial, knob) == default}


def test_grids_cross_in_one_order_and_overlaps_collapse():
    whole = read(study(), TASKS)
    assert [(t.cell, t.gap, t.seed) for t in Plan(whole, {}).training] == list(itertools.product(["rnn", "lstm"], [12, 25], [0, 1]))
    twice = read(study(grids=study()["grids"] * 2), TASKS)
    assert Plan(twice, {}).training == Plan(whole, {}).training
    axes = {"gap": [12, 25], "cell": ["rnn", "lstm"], "merge": ["sum", "mean"]}
    turned = read(study(grids=[{"name": "g", "seeds": 2, "axes": axes}]), TASKS)
    assert Plan(turned, {}).training == Plan(whole, {}).training


def test_the_horizon_is_the_largest_gap_whatever_is_run():
    grids = [{"name": "a", "axes": {"cell": ["lstm"], "gap": [12], "init": ["long"]}},
             {"name": "b", "axes": {"cell": ["rnn"], "gap": [300]}}]
    assert {trial.horizon for trial in Plan(read(study(grids=grids), TASKS), {}).training} == {300, None}


SELECTION = {"rates": [0.001, 0.01], "seeds": 3, "gap": {"recall/past": 25}}


def test_rates_are_chosen_forward_at_equal_units_on_seeds_of_their_own():
    axes = {"cell": ["lstm"], "task": ["recall/both", "recall/past"], "gap": [12], "units": [48], "direction": ["both"],
            "budget": [100]}
    chosen = read(study(grids=[{"name": "g", "seeds": 2, "axes": axes}], knobs={}, selection=SELECTION), TASKS)
    (key, trials), = chosen.selecting.items()
    assert key == ("recall/past", "lstm", "standard")
    assert {(t.task, t.gap, t.units, t.direction, t.purpose, t.budget) for t in trials} == {
        ("recall/past", 25, 32, "forward", "select", 100)}
    assert [(t.lr, t.seed) for t in trials] == list(itertools.product([0.001, 0.01], range(3)))
    assert Plan(chosen, {}).training == () and len(Plan(chosen, {}).waiting) == 4
    rated = Plan(chosen, {key: {"lr": 0.01, "from": None}}).training
    assert {t.lr for t in rated} == {0.01}
    assert len(rated) == 4


def test_more_seeds_extend_and_fewer_do_not_shrink():
    assert len(read(study(), TASKS).with_seeds(5).points) == 20
    assert read(study(), TASKS).with_seeds(1).points == read(study(), TASKS).points


def test_a_study_survives_its_file(tmp_path):
    for name in ("quick", "default", "full"):
        whole = claims.resolve("gap", name)
        (tmp_path / "plan.toml").write_text(toml.dumps(whole))
        again = toml.load(tmp_path / "plan.toml", TASKS)
        assert again.points == whole.points
        assert again.selecting == whole.selecting
        assert toml.dumps(again) == toml.dumps(whole)


def test_all_errors_at_once_each_with_its_path():
    axes = {"cel": ["lstm"], "cell": ["lsmt", "rnn"], "gap": [1.5, -3], "task": ["recall/pst"]}
    lines = refused(study(name="../x", grids=[{"name": "a", "axes": axes}], knobs={"buget": 3, "lr": float("nan")},
                          selection=SELECTION | {"rates": [-1], "sedes": 2}, foo=1))
    starts = ["name:", "knobs.lr:", "knobs.buget: unknown key 'buget'; did you mean 'budget'?",
              "grids.0.axes.cell.0: unknown cell 'lsmt'; did you mean 'lstm'?", "grids.0.axes.gap.0:", "grids.0.axes.gap.1:",
              "grids.0.axes.cel: unknown key 'cel'; did you mean 'cell'?",
              "grids.0.axes.task.0: unknown task 'recall/pst'; did you mean 'recall/past'?", "selection.rates.0:",
              "selection.sedes: unknown key 'sedes'; did you mean 'seeds'?", "foo: unknown key 'foo'"]
    assert len(lines) == len(starts)
    for start in starts:
        assert any(line.startswith(start) for line in lines), (start, lines)


def test_a_rate_is_chosen_on_the_task_itself_or_on_one_that_differs_in_the_last_part():
    chosen = Selection(rates=(0.01,), seeds=1, gap={"language/country": 5, "language/number/0": 5, "recall/past": 5})
    tasks = ["language/country", "language/number/0", "language/number/3", "language/gender", "recall/both"]
    assert [chosen.task_for(task) for task in tasks] == ["language/country", *["language/number/0"] * 2, "language/country", "recall/past"]
    with pytest.raises(SpecError, match="one task of its family"):
        chosen.task_for("temporal_order/6a")


def test_combinations_that_cannot_be_are_named():
    assert "grids.g: lr: training needs a learning rate" in refused(study(knobs={}))[0]
    assert "recall/past needs at least 1, got 0" in refused(
        study(grids=[{"name": "g", "axes": {"cell": ["lstm"], "gap": [0]}}]))[0]
    assert "either seeds or the axis seed" in refused(
        study(grids=[{"name": "g", "seeds": 1, "axes": {"cell": ["lstm"], "gap": [3], "seed": [1]}}]))[0]
    assert "selection.gap" in refused(study(knobs={}, selection=SELECTION | {"gap": {"digits": 3}}))[0]
    assert "purpose" in refused(study(knobs={"purpose": "select", "lr": 0.1}))[0]
    assert "digits has no pass rule to guess by" in refused(
        study(grids=[{"name": "g", "axes": {"task": ["digits"], "cell": ["lstm"], "gap": [0], "method": ["guess"]}}]))[0]
    assert "valid list, got 3" in refused(study(grids=[{"name": "g", "axes": {"cell": ["lstm"], "gap": 3}}]))[0]


def test_a_file_may_be_an_ablation_but_not_take_its_name(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(toml.dumps(claims.resolve("gap", "quick")))
    assert claims.resolve(str(path)) == claims.resolve("gap", "quick")
    path.write_text(path.read_text().replace("64000", "640"))
    with pytest.raises(SpecError, match="use another name"):
        claims.resolve(str(path))


@pytest.mark.parametrize("knob, value, axes", [
    ("tied", True, {"layers": [2], "stack": ["grid", "plain"]}),
    ("attention", "dot", {"head": ["last", "attention"]}),
    ("merge", "sum", {"direction": ["forward", "both"]}),
    ("momentum", 0.9, {"optimizer": ["sgd", "adam"]}),
])
def test_a_file_sets_no_knob_in_vain(tmp_path, knob, value, axes):
    """Where one trial of a crossing depends on the knob, the others may go without."""
    path = tmp_path / "study.toml"

    def written(axes, knobs):
        grid = {"name": "g", "seeds": 2, "axes": {"cell": ["lstm"], "gap": [12]} | axes}
        path.write_text(toml.dumps(read(study(grids=[grid], knobs={"lr": 0.01} | knobs), TASKS)))
        return str(path)

    assert claims.resolve(written(axes, {knob: value})) and claims.resolve(written(axes | {knob: [DEFAULTS[knob], value]}, {}))
    assert claims.resolve(written({}, {knob: DEFAULTS[knob]}))
    for place, *grids_and_knobs in ((f"knobs.{knob}", {}, {knob: value}), (f"grids.0.axes.{knob}", {knob: [value]}, {})):
        with pytest.raises(SpecError, match=rf"study.toml: {place}: no trial depends on it .* to be left out, got {value!r}"):
            claims.resolve(written(*grids_and_knobs))


@pytest.mark.parametrize("name, preset", [(name, preset) for name in claims.NAMES for preset in claims.find(name).PRESETS])
def test_no_ablation_sets_a_knob_in_vain(name, preset):
    assert not claims.resolve(name, preset).idle()


def test_toml_that_we_write_is_toml():
    title = 'a "quoted" \\ title, ü and 日本'
    assert tomllib.loads(toml.dumps(read(study(title=title), TASKS)))["title"] == title


def test_ablations_and_presets_are_known_by_name():
    with pytest.raises(SpecError, match="did you mean 'gap'"):
        claims.resolve("gpa")
    with pytest.raises(SpecError, match="did you mean 'quick'"):
        claims.resolve("gap", "quik")
    assert claims.resolve("gap", "quick").selection.committed == "gap/default"


def test_trials_that_differ_in_the_seed_alone_are_what_they_are_when_made_one_by_one():
    axes = {"cell": ["rnn", "lstm"], "seed": [3, 1, 2], "lr": [0.01, 0.1], "gap": [25]}
    grids = [{"name": "g", "axes": axes}, {"name": "g", "seeds": 2, "axes": {"cell": ["gru"], "gap": [9], "lr": [0.1]}},
             {"name": "g", "axes": {"cell": ["gru"], "gap": [9], "lr": [0.1]}}]
    trials = [point.trial for point in read({"name": "s", "knobs": {"seed": 7}, "grids": grids}).points]
    assert [trial.seed for trial in trials] == [3, 1, 2] * 4 + [0, 1, 7]
    alone = [Trial.model_validate(trial.model_dump()) for trial in trials]
    assert trials == alone and [trial.id for trial in trials] == [trial.id for trial in alone]


def contents_of(trials, *failed):
    """What Plan asks of a folder's contents in which all `trials` are done, the others in `failed` crashed."""
    results = {trial.id: Result(True, 9, final_loss=trial.lr) for trial in trials}
    failures = {trial.id: {"status": "crashed"} for trial in failed}
    return SimpleNamespace(lines=results, brief=results, failures=failures, result=results.get)


def test_a_plan_says_what_is_recorded_missing_and_waiting():
    axes = {"cell": ["rnn", "lstm"], "gap": [12, 25]}
    whole = read(study(grids=[{"name": "g", "seeds": 2, "axes": axes}], knobs={}, selection=SELECTION), TASKS)
    begun = Plan.from_records(whole, contents_of([]))
    assert (len(begun.choosing), len(begun.training), len(begun.waiting)) == (12, 0, 8)
    contents = contents_of(begun.choosing[:6], begun.choosing[6])
    half = Plan.from_records(whole, contents)
    assert {key[1]: choice["lr"] for key, choice in half.choices.items()} == {"rnn": 0.001}
    assert {(t.cell, t.lr) for t in half.training} == {("rnn", 0.001)}
    assert [(t.gap, t.seed) for t in half.training] == list(itertools.product((12, 25), (0, 1)))
    assert {t.cell for t in half.waiting} == {"lstm"} and half.trials == half.choosing + half.training
    assert half.recorded(contents) == list(begun.choosing[:6]) and half.failed(contents) == [begun.choosing[6]]
    assert len(missing(half.trials, contents)) == 9 and len(missing(half.trials, contents, retry=True)) == 10
    assert half.counts(contents) == {"done": 6, "for learning rates": 6, "crashed": 1, "missing": 9}
    assert half.outside(contents_of(toy.trials(1, gap=7))) == [toy.trials(1, gap=7)[0].id]
    taken = Plan(whole, {key: choice | {"from": "gap/default"} for key, choice in half.choices.items()})
    assert {t.cell for t in taken.choosing} == {"lstm"}
    part = Plan(whole, half.choices, subset.parse(["cell=rnn", "lr=0.001", "gap=12"], None, whole))
    assert {t.cell for t in part.choosing} == {"rnn"} and [t.seed for t in part.training] == [0, 1] and not part.waiting


def test_a_part_of_a_plan_by_the_names_of_its_grids():
    grids = [{"name": name, "seeds": 1, "axes": {"cell": ["rnn"], "gap": gaps, "lr": [0.01]}} for name, gaps in (
        ("near", [5, 6]), ("far, and near", [6, 50]), ("near", [7]))]
    whole = read({"name": "s", "grids": grids}, TASKS)

    def gaps_of(*texts):
        return [trial.gap for trial in Plan(whole, {}, subset.parse(texts, None, whole)).training]

    assert whole.places[whole.points[1]] == ("near", "far, and near") and len(whole.points) == 4
    assert gaps_of("grid=near") == [5, 6, 7] and gaps_of("grid=far, and near") == [6, 50] and gaps_of("grid=near", "gap=6") == [6]
    with pytest.raises(SpecError, match="--only grid: unknown grid 'nearr'; did you mean 'near'"):
        subset.parse(["grid=nearr"], None, whole)


def test_an_arm_is_the_trials_that_differ_in_gap_and_seed_alone():
    one = Trial(**LSTM)
    assert arm_of(one) == arm_of(Trial(**LSTM | {"gap": 9, "seed": 3}))
    for change in ({"lr": 0.1}, {"units": 9}, {"cell": "gru"}, {"budget": 9}):
        assert arm_of(one) != arm_of(Trial(**LSTM | change))
