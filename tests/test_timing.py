"""Rounds of a timing study: who is timed when, medians, and peers that are left out; no peer here computes anything."""

import numpy as np

from study.bench import timing
from study.bench.case import Case
from study.bench.peer_process import Lost

CASE = Case("table", "training", "lstm", 12, 5, 3, 7)
EFFORT = timing.Effort(seconds=0.0)


class Fake:
    """A peer that answers without computing; `log` collects who was timed when."""

    def __init__(self, name, log, seconds=(1.0,), off=0.0, works=("training",)):
        self.name, self.log, self.seconds, self.off, self.works = name, log, iter(seconds * 9), off, works

    def ask(self, method, *arguments):
        return getattr(self, method)(*arguments)

    def can(self, case):
        return case.work in self.works

    def prepare(self, case, given):
        return {"y": np.array([1.0 + self.off])}

    def calls(self, seconds):
        return 4

    def once(self, function, *arguments):
        return 100e9, 0.0

    def block(self, calls):
        self.log.append(self.name)
        return next(self.seconds)


def measured(*others, **ours):
    log = []
    found = {"ours": Fake("ours", log, **ours)} | {name: Fake(name, log, **given) for name, given in others}
    return timing.Timer(found, EFFORT).measure(CASE, [name for name, _ in others], 4), log


def test_rounds_are_interleaved_and_begin_with_different_peers():
    case, log = measured(("torch", {}), ("jax", {}))
    assert log == ["ours", "torch", "jax", "torch", "jax", "ours", "jax", "ours", "torch", "ours", "torch", "jax"]
    assert case["peers"]["torch"] == {"median": 1, "q1": 1, "q3": 1, "fast": 1, "calls": 4, "difference": 0, "difference64": 0}
    assert case["peak"]["median"] == 100e9 and case["chain"] is None and case["warnings"] == []


def test_a_second_visit_goes_on_where_the_first_ended():
    log = []
    timer = timing.Timer({"ours": Fake("ours", log, seconds=(1.0, 2.0, 9.0)), "jax": Fake("jax", log)}, EFFORT)
    first, second = timer.measure(CASE, ["jax"], 1), timer.measure(CASE, ["jax"], 2)
    assert log == ["ours", "jax", "jax", "ours", "ours", "jax"]
    assert (first["rounds"], first["peers"]["ours"]["median"]) == (1, 1.0)
    assert (second["rounds"], second["peers"]["ours"]["median"]) == (3, 2.0)


def test_rounds_are_shared_evenly_among_visits():
    assert timing.Effort(9, 3).shares(20) == [3, 3, 3] and timing.Effort(5, 3).shares(20) == [1, 2, 2]
    assert timing.Effort(2, 3).shares(20) == [1, 1] and timing.Effort(20, 3).shares(6) == [2, 2, 2]


def test_fast_is_the_slowest_of_the_fastest_tenth():
    assert timing.summed_up(range(11))["fast"] == 1 and timing.summed_up(range(11), 0.9)["fast"] == 9


def test_medians_quartiles_and_a_warning_where_they_are_wide():
    case, _ = measured(seconds=(1.0, 2.0, 3.0, 4.0))
    assert case["peers"]["ours"]["median"] == 2.5 and case["peers"]["ours"]["q1"] == 1.75
    assert [line for line in case["warnings"] if "ours varies by 60%" in line]


def test_a_peer_that_disagrees_is_not_timed():
    case, log = measured(("torch", {"off": 0.01}), ("jax", {}))
    assert "disagrees with ours" in case["peers"]["torch"]["refused"] and "torch" not in log and "jax" in log
    assert any("torch: disagrees" in line for line in case["warnings"])


def test_a_peer_without_the_work_is_left_out():
    case, _ = measured(("onnxruntime", {"works": ("forward",)}))
    assert list(case["peers"]) == ["ours"]


def test_a_peer_whose_process_ended_is_left_out():
    class Dead(Fake):
        def can(self, case):
            raise Lost("its process ended (exit code -9)")

    found = {"ours": Fake("ours", []), "torch": Dead("torch", [])}
    assert list(timing.Timer(found, EFFORT).measure(CASE, ["torch"], 1)["peers"]) == ["ours"]
