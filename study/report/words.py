"""Nets that explain their words: which of them a report shows."""

from study.records.table import where
from study.report.names import cell_place
from study.report.trials import trained
from study.statistics.carrier import noun

ENOUGH = 0.9  # of the sentences are right: a net knows the cue
LSTM = "lstm"
BESIDE = (LSTM, "rnn")  # cells that are shown beside the one that keeps a cue farthest
ARM = ["kind", "task", "cell"]


def known(frame):
    """Trained trials whose words were explained, with the kind of their cue, the accuracy of the record, and whether they know the cue."""
    runs = trained(frame if "words" in frame else frame.assign(words=None))
    runs = runs[runs["words"].notna()]
    accuracy = [found["accuracy"] for found in runs["words"]]
    return runs.assign(kind=[noun(task) for task in runs["task"]], accuracy=accuracy, knows=[right >= ENOUGH for right in accuracy])


def counted(runs):
    """One row for each task, cell and gap, the farthest first: how many nets there are, and how many of them know their cue.

    `far` is the gap if most of them do, else 0.
    """
    groups = runs.assign(place=runs["cell"].map(cell_place)).groupby([*ARM, "place", "gap"], sort=False)
    counts = groups.agg(nets=("knows", "size"), knowing=("knows", "sum"), accuracy=("accuracy", "mean")).reset_index()
    counts["far"] = counts["gap"].where(2 * counts["knowing"] > counts["nets"], 0)
    return counts.sort_values(["far", "knowing", "accuracy", "task", "place"], ascending=[False, False, False, True, True], kind="stable")


def reached(runs):
    """The rows of `counted` that keep the cue farthest, one for each task and cell."""
    return counted(runs).drop_duplicates(ARM)


def blocks(runs):
    """Trials of nets that read the same sentence: for each kind of cue, and of an LSTM that knows its cue, if none of these does."""
    found = [_shown(of_kind, of_kind) for _, of_kind in runs.groupby("kind")]
    lstm = where(runs, cell=LSTM)
    drawn = any(where(nets, cell=LSTM)["knows"].any() for nets in found)
    return found if drawn or not lstm["knows"].any() else [*found, _shown(runs, lstm)]


def _shown(runs, leading):
    """Of the trials `leading`: of the cell that keeps its cue farthest; and of the cells BESIDE it, on the same sentence.

    As many as can be are typical: they know the cue if most nets of their cell do at this gap. `knowing` and `nets` count these.
    """
    counts, first = counted(runs), counted(leading).iloc[0]
    cells = [first["cell"], *(cell for cell in BESIDE if cell != first["cell"])]
    nets = where(runs, task=first["task"], gap=first["gap"]).merge(counts[[*ARM, "gap", "far", "nets", "knowing"]], on=[*ARM, "gap"])
    nets = nets[nets["cell"].isin(cells)]
    nets = nets.assign(typical=nets["knows"] == (nets["far"] > 0))
    seeds = nets[nets["seed"].isin(where(nets, cell=first["cell"])["seed"])].groupby("seed")["typical"].sum()
    return where(nets, seed=seeds.idxmax()).sort_values("cell", key=lambda names: names.map(cells.index))
