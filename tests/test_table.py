"""The table of cells: what a row and a cell's file say together, and the source that the build writes from it."""
from pathlib import Path

import pytest

import kernels
from kernels.cell import describe
from kernels.layer import MERGE
from kernels.table import TABLE
from kernels.wrappers import forms, sources

FILES = Path(kernels.__file__).parent / "cells"
LIMITS = dict(MOST_BLOCKS=8, MOST_STATES=6, MOST_STAGES=2, MOST_FEEDS=4, ROW_WIDTHS=3, WIDEST=4)
TWO_STAGES = "cdef enum: Z, R, N  # blocks\ncdef enum: H, X # states\ncdef enum: RH    # operands\n"


def cell(text, **row):
    return describe(text, name="made_up", title="Made up", source="nobody", **row)


def test_the_compiled_cells_are_those_of_the_table():
    assert [row["name"] for row in TABLE if row["name"] != MERGE] == list(kernels.CELLS)
    assert {row["name"] for row in TABLE} == {path.stem for path in FILES.glob("*.pxd")}
    for row in TABLE:
        described = describe((FILES / f"{row['name']}.pxd").read_text(), **row)
        assert kernels.CELLS.get(row["name"], described) == described


@pytest.mark.parametrize("name, stages", [
    ("rnn", [(0, 1, (0, 1), (0, 1), (0, 1), [(0, 0, 1)])]),
    ("gru_after", [(0, 4, (0, 3), (0, 4), (0, 1), [(0, 1, 4)])]),
    ("fgr", [(0, 4, (0, 4), (0, 4), (0, 5), [(0, 0, 4), (2, 0, 3), (3, 0, 3), (4, 0, 3)])]),
    ("gru", [(0, 2, (0, 2), (0, 2), (0, 0), [(0, 0, 2)]), (2, 3, (2, 3), (2, 3), (0, 1), [("OPERAND + 0", 2, 3)])]),
    ("mut1", [(0, 2, (0, 2), (0, 2), (0, 0), [(0, 1, 2)]), (2, 3, (2, 2), (2, 3), (0, 1), [("OPERAND + 0", 2, 3)])]),
    ("mut3", [(0, 1, (0, 1), (0, 1), (0, 0), [(0, 0, 1)]),
              (1, 3, (1, 3), (1, 3), (0, 1), [("OPERAND + 0", 1, 2), ("OPERAND + 1", 2, 3)])]),
    ("lstm_gers", [(0, 4, (0, 4), (1, 4), (0, 2), [(0, 0, 4)])]),
    ("mingru", [(0, 2, (0, 2), (0, 2), (0, 1), [])]),
    ("lru", [(0, 2, (0, 2), (0, 0), (1, 3), []),
             (2, 4, (2, 3), (2, 2), (0, 1), [("NEW + 1", 2, 3), ("NEW + 2", 3, 4)])]),
    ("lem", [(0, 3, (0, 3), (0, 3), (1, 2), [(0, 0, 3)]), (3, 4, (3, 4), (3, 4), (0, 1), [("NEW + 1", 3, 4)])]),
])
def test_stages(name, stages):
    """First block, last + 1, the ranges that W feeds, with a bias, and of states, and (factor, first, last) of each recurrent product."""
    assert forms(kernels.CELLS[name]) == stages


def test_a_row_and_a_file_make_a_cell():
    made = cell(TWO_STAGES, recurrent="z r n:rh", retains="+z -n")
    assert made.blocks == made.inputs == made.recurrent == ("z", "r", "n")
    assert made.states == ("h",) and made.direct and made.operands == ("rh",) and made.factors == ("h'", "h'", "rh")
    assert made.retains == (("z", 1), ("n", -1))
    made = cell("cdef enum: F, O    # blocks\ncdef enum: H, C, F_     # states\ncdef enum: PF, PO     # peepholes\n", reads="c' c", feedback="o:f")
    assert made.states == ("h", "c", "f") and made.peepholes == ("f", "o") and made.reads == ("c'", "c") and made.feedback == (("o", "f"),)


def test_a_peephole_leads_to_the_longest_block_of_its_name():
    made = cell("cdef enum: A, A_B    # blocks\ncdef enum: H    # states\ncdef enum: PA, PA_C, PA_B, PA_B_C    # peepholes\n",
                reads="h' h' h' h'")
    assert made.peepholes == ("a", "a", "a_b", "a_b")
    with pytest.raises(ValueError, match="gates: a memory cell block shares no gate with peepholes"):
        cell("cdef enum: A    # blocks\ncdef enum: H    # states\ncdef enum: PA    # peepholes\n", reads="h'", gates="a")


@pytest.mark.parametrize("row, words", [
    (dict(recurrent="z r q"), "expected blocks of its file (z, r, n), got q"),
    (dict(retains="+q"), "got q"),
    (dict(recurrent="z n:hr"), "expected operands of its file (rh), got hr"),
    (dict(recurrent="z n:h"), "expected operands of its file (rh), got h"),
    (dict(feedback="z:c"), "expected states of its file (h), got c"),
    (dict(reads="h'"), "expected 0 states"),
    (dict(blocks="z r n"), "unknown keys blocks"),
])
def test_a_wrong_row_is_refused(row, words):
    with pytest.raises(ValueError) as error:
        cell(TWO_STAGES, **row)
    assert "kernels/table.py, made_up" in str(error.value) and words in str(error.value)


def test_a_file_without_names_is_refused():
    with pytest.raises(ValueError, match="kernels/cells/made_up.pxd: expected an enum with the comment # states"):
        cell("cdef enum: A    # blocks\n")


def test_a_cell_that_tiles_cannot_hold_is_refused():
    wide = cell("cdef enum: A, B, C, D, E    # blocks\ncdef enum: H    # states\n")
    with pytest.raises(ValueError, match="made_up: 5 is above WIDEST = 4"):
        sources([wide], LIMITS)
    with pytest.raises(ValueError, match="side by side"):
        sources([cell(TWO_STAGES, inputs="z n", recurrent="z r")], LIMITS)
    with pytest.raises(ValueError, match="blocks of a stage with a bias must lie side by side"):
        sources([cell(TWO_STAGES, biases="z n", recurrent="z r")], LIMITS)
