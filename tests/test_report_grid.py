"""Where several tasks have one initialisation, a report has a grid of tasks by cells; trials are counted once, in words."""

import pandas as pd
import pytest
import synthetic

import study
from kernels import CELLS
from study.records.table import where
from study.report import drawing, page, sentences, tables
from study.report.figures import FIGURES


@pytest.fixture(scope="module")
def frame(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gap") / "default"
    synthetic.write(folder, "default", keep=lambda trial: trial.purpose == "train" and trial.cell in ("rnn", "lstm"))
    return study.load(folder)


def test_several_tasks_with_one_initialisation_share_a_grid(frame):
    one = where(frame, init="long", direction="forward")
    half = tables.half_success(one)
    row, = where(half, task="recall/past", cell="rnn", units=32).itertuples()
    grid = page.gaps(half, one)
    past = grid[grid["task"].str.startswith("recall, cue in the past, gaps 12, ")].iloc[0]
    assert past[CELLS["rnn"].title] == f"{row.shown}: {', '.join(row.solved.split())} of {row.seeds}"
    assert "half-success gap" in page.gaps(tables.half_success(frame), frame)


def test_their_cells_share_a_panel_of_success(frame):
    success = FIGURES["success"]
    together, apart = success.data(where(frame, init="long")), success.data(frame)
    panels = []
    for shown in (together, apart):
        figure = drawing.Figure()
        success.draw(shown, figure)
        panels.append(sum(axes.get_visible() and axes.axison for axes in figure.axes))
    assert panels[0] == together["task"].nunique() > 1 and panels[1] == len(apart[["task", "cell"]].drop_duplicates())
    assert "Wilson" in success.caption(apart) and "Hollow" in success.caption(apart)
    assert "Wilson" not in success.caption(together) and "Hollow" not in success.caption(together)


def test_all_trials_are_counted_once_in_words(frame):
    runs = pd.concat([frame, frame[:3].assign(purpose="select", solved=[True, False, True], status="done")], ignore_index=True)
    ended, text = tables.outcomes(frame[frame["method"] != "probe"]), sentences.counts(runs)
    assert text.startswith(f"Of {ended['trials']:,} trials {ended['solved']:,} solved their task, {ended['censored']:,} did not")
    assert text.endswith("3 more chose learning rates; 2 of these solved it.")
