"""How far does a net carry the word that decides a later one? Texts of a small English grammar, five cells, growing distances.

The rules below were fixed before the trials ran, on seeds that nobody had looked at. All cells have long initialisation, without
which no cell learned the longer gaps in a first look.
"""

from study.plan.selection import doubt
from study.records.table import where
from study.statistics.arms import Arm, all_nets, nets_in_all, nets_within, reaches_further
from study.statistics.verdict import Claim, Verdict, settle

CLAIM = (
    "An LSTM that learns to predict the next word keeps a country, a gender or a number over many words, where a tanh RNN keeps it over "
    "a few; a new subject replaces the old one, and nouns of the other number between a subject and its verb raise the error (Linzen, "
    "Dupoux & Goldberg 2016; Lakretz et al. 2019)."
)

TERMS = (
    "*Far*: the cue and the word that it decides, gap words apart. *Near*: in each text of the country, a noun and its place "
    "(clouds, sky) are three words apart; it is a control.",
    "*Attractor*: a noun between the subject and its verb. In half of the texts all attractors have the number of the subject (same), in "
    "half the other one (opposite).",
    "*Minimal pair*: the right word against one wrong word that could stand in its place: `is` and `are`, `he` and `she`, two tongues.",
    "*One name, same gender, other gender before*: whether another name precedes the one that decides, and of which gender.",
)

NEAR_RIGHT, LEARNED, ALIKE, GUESSED = 0.99, 0.9, 0.05, 0.4

CLAIMS = {
    "L1": Claim(
        "An LSTM keeps the word that decides over more words than a tanh RNN does.",
        "the field's textbooks (France and French); Linzen, Dupoux & Goldberg 2016",
        "For the country, the gender and the number without attractors: the probability that a seed of the LSTM solves more of the gaps "
        "than one of the RNN has an interval above one half (Newcombe's method 5; p: Mann-Whitney)."),
    "L2": Claim(
        "A near dependency is no problem for any cell, in the same texts.",
        "the field's textbooks (the clouds are in the sky)",
        f"For each cell: every net of the country, at any gap, has the place three words after its noun right in {NEAR_RIGHT:.0%} of the "
        "test texts (share of nets, Wilson's interval above one half; p: sign test; one exception decides nothing)."),
    "L3": Claim(
        "Attractors of the other number raise the error more than attractors of the same number.",
        "Linzen, Dupoux & Goldberg 2016; Lakretz et al. 2019",
        "For each cell: over the nets with attractors that have a minimal pair wrong in the test, but with attractors of the same number at "
        f"most {GUESSED:.0%} of them, which is better than to guess: the share wrong with opposite attractors minus that with the same ones "
        "has a median above 0 (interval between order statistics; p: sign test)."),
    "L4": Claim(
        "A new subject replaces the old one.",
        "Lakretz et al. 2019",
        f"For each cell: over the nets that have the pronoun of a single name right in {LEARNED:.0%} of the minimal pairs, the share that is "
        "wrong after a name of the other gender minus that of the single name has a median between "
        f"-{ALIKE} and {ALIKE} (interval between order statistics; p: sign test)."),
}

CELLS = {"rnn": "tanh RNN", "lstm": "LSTM", "peephole": "peephole LSTM", "coupled": "coupled LSTM", "gru": "GRU"}
GAPS, WIDE = [5, 10, 20, 40], [10, 20, 40]  # gaps that have room for one attractor, and for two or three
KEPT = {"country": "country", "gender": "gender", "number/0": "number"}
LONGER = 80_000  # sequences for the country and the gender, which are learned later than the number
WITH_ATTRACTORS = [f"language/number/{n}" for n in (1, 2, 3)]
SEEDS = list(range(20, 25))


def _grid(name, versions, gaps, **more):
    tasks = [f"language/{version}" for version in versions]
    return {"name": name, "axes": {"task": tasks, "cell": list(CELLS), "gap": gaps, "seed": SEEDS, **more}}


PRESETS = {
    "default": {
        "title": "Over how many words does a net keep a country, a name or a number?",
        "knobs": {"budget": 64_000, "init": "long", "record": "brief"},
        "grids": [_grid("country and gender", ["country", "gender"], GAPS, budget=[LONGER]),
                  _grid("number, up to one attractor", ["number/0", "number/1"], GAPS),
                  _grid("number, more attractors", ["number/2", "number/3"], WIDE)],
        "selection": {"rates": [0.003, 0.01, 0.03], "seeds": 2, "gap": {f"language/{version}": 10 for version in KEPT}},
    },
}

TAKES = {"default": "20 to 30 minutes"}
"""An estimate for two cores with AVX2."""


def judge(frame, choices):
    """Verdicts on L1 to L4 from trials that are done or diverged, Holm-corrected. A comparison without trials is left out.

    Parameters
    ----------
    frame : DataFrame, one row a trial, as `study.load` gives it
    choices : {(task, cell, init): choice of a learning rate}, as study.plan.selection gives them
    """
    runs = where(frame, purpose="train", method="bptt", init="long", direction="forward")
    runs = runs[runs["task"].str.startswith("language/")]
    verdicts = [_kept(runs, choices, version) for version in KEPT]
    for compare in (_near, _attractors, _replaced):
        verdicts += [compare(where(runs, cell=cell), cell) for cell in CELLS]
    return settle(verdicts)


def _kept(runs, choices, version):
    task = f"language/{version}"
    arms = [Arm(CELLS[cell], where(runs, task=task, cell=cell), doubt(choices.get((task, cell, "long")))) for cell in ("lstm", "rnn")]
    statement = f"the LSTM keeps the {KEPT[version]} over more words than the tanh RNN"
    return Verdict("L1", statement, reaches_further(*arms), len(SEEDS), {"task": (task,), "cell": ("lstm", "rnn")})


def _near(nets, cell):
    shares = [_right(tested, "near") for tested in _of(nets, ["language/country"])["test_conditions"].dropna()]
    comparison = all_nets("nets that know the place", [share >= NEAR_RIGHT for share in shares])
    return Verdict("L2", f"{CELLS[cell]}: the near word is right", comparison, len(SEEDS) * len(GAPS), _only(["language/country"], cell))


def _attractors(nets, cell):
    runs = _of(nets, WITH_ATTRACTORS)
    differences = by_attractors(runs)
    planned = nets_in_all(differences, runs, len(SEEDS) * (len(GAPS) + 2 * len(WIDE)))
    comparison = nets_within("wrong pairs, opposite minus same", differences, (0.0, 1.0))
    return Verdict("L3", f"{CELLS[cell]}: attractors of the other number raise the error", comparison, planned, _only(WITH_ATTRACTORS, cell))


def by_attractors(nets):
    """Share of wrong minimal pairs with attractors of the other number, minus that with the same, of each net that does not guess."""
    pairs = [[_wrong(tested, f"{kind} attractors") for kind in ("opposite", "same")] for tested in nets["test_conditions"].dropna()]
    return [opposite - same for opposite, same in pairs if 0 < opposite + same and same <= GUESSED]


def _replaced(nets, cell):
    runs = _of(nets, ["language/gender"])
    after = after_another(runs)
    comparison = nets_within(f"wrong pairs, after the other gender minus after one name (expected within {ALIKE})", after, (-ALIKE, ALIKE))
    statement = f"{CELLS[cell]}: after a name of the other gender the pronoun is wrong no more often than after one name"
    return Verdict("L4", statement, comparison, nets_in_all(after, runs, len(SEEDS) * len(GAPS)), _only(["language/gender"], cell))


def after_another(nets):
    """Share of wrong minimal pairs after a name of the other gender, minus that of a single name, of each net that has this learned."""
    pairs = [[_wrong(tested, f"{kind} before") for kind in ("other gender", "no name")] for tested in nets["test_conditions"].dropna()]
    return [other - single for other, single in pairs if single <= 1 - LEARNED]


def _of(nets, tasks):
    return nets[nets["task"].isin(tasks)]


def _only(tasks, cell):
    return {"task": tuple(tasks), "cell": (cell,)}


def _right(tested, name):
    """The share of a condition's texts in which the right word is the first choice."""
    pairs, right, _ = tested[name]
    return right / pairs


def _wrong(tested, kind):
    """The share of minimal pairs that are wrong, over the conditions of that kind."""
    counts = [counts for name, counts in tested.items() if name.endswith(kind)]
    return 1 - sum(above for *_, above in counts) / sum(pairs for pairs, *_ in counts)
