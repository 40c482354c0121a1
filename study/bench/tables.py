"""Tables of a record: every number (frame), the table for readers (shown), and sentences that sum it up (summary)."""

import numpy as np
import pandas as pd

import kernels
from study.bench.memory import LIMIT
from study.bench.operations import multiply_adds

KEYS = ["work", "cell", "T", "B", "I", "H", "dtype", "threads", "gap", "seed"]
TWIN = "numpy"  # shown, but never the best peer


def frame(record):
    """One row for each case and peer: the case, quartiles of seconds, speed and share of the peak, difference from ours."""
    if record["suite"] == "memory":
        return pd.DataFrame(record["cases"])
    rows = []
    for case in record["cases"]:
        best = fastest(case)
        for name, result in case["peers"].items():
            seconds = result.get("median", result.get("seconds"))
            row = {key: case[key] for key in KEYS} | {"peer": name, **result}
            if case.get("operations") and seconds:
                row |= {"gflops": case["operations"] / seconds / 1e9, "peak": case["peak"]["median"] / 1e9}
                row["share"] = row["gflops"] / row["peak"]
            rows.append(row | {"best_peer": name == best, "inside": case.get("inside") if name == "ours" else None})
    return pd.DataFrame(rows)


def fastest(case):
    """The fastest of the timed peers, the twin left out; None if there is none."""
    seconds = {name: result["median"] for name, result in case["peers"].items()
               if name not in ("ours", TWIN) and "median" in result}
    return min(seconds, key=seconds.get, default=None)


def shown(record):
    """The table for readers, as texts."""
    return pd.DataFrame([_SHOWN.get(record["suite"], _speeds)(record, case) for case in record["cases"]]).fillna("").astype(str)


def _size(case):
    return {"cell": case["cell"], **{key: case[key] for key in ("T", "B", "I", "H")}}


def _ratio(case):
    best = fastest(case)
    if best is None:
        return {}
    return {"best peer": best, "ratio": f"{case['peers'][best]['median'] / case['peers']['ours']['median']:.2f}"}


def _speeds(record, case):
    """GFLOP/s of each peer, our share of the peak, and the time of the best peer over ours."""
    speeds = {name: case["operations"] / result["median"] / 1e9 for name, result in case["peers"].items() if "median" in result}
    share = speeds["ours"] * 1e9 / case["peak"]["median"]
    step = case["peers"]["ours"]["median"] / case["T"] / case["B"]
    more = {"threads": {"threads": case["threads"]}, "gap": {"ns a row-step": f"{step * 1e9:.1f}"}}.get(record["suite"], {})
    own = {"peak": f"{case['peak']['median'] / 1e9:.0f}", "ours": f"{speeds.pop('ours'):.0f}", "share": f"{share:.0%}"}
    return {**_size(case), **more, **own, **{name: f"{speed:.0f}" for name, speed in speeds.items()}, **_ratio(case)}


def _cells(record, case):
    """Parameters of the layer, multiply-adds of a step of a row forward, and the measured time of one in training."""
    step = case["peers"]["ours"]["median"] / case["T"] / case["B"]
    return {"cell": case["cell"], "I": case["I"], "H": case["H"],
            "parameters": f"{kernels.RNN(case['cell'], case['I'], case['H']).size:,}",
            "multiply-adds a row-step": f"{multiply_adds(case['cell'], case['I'], case['H']):,}",
            "training, ns a row-step": f"{step * 1e9:.1f}"}


def _iteration(record, case):
    milliseconds = {name: f"{result['median'] * 1e3:.3g}" for name, result in case["peers"].items() if "median" in result}
    return {"cell": case["cell"], "T": case["T"], "H": case["H"], **{f"{name}, ms": text for name, text in milliseconds.items()},
            **_ratio(case), "inside": f"{case['inside']:.0%}"}


def _trial(record, case):
    seconds = {f"{name}, s": f"{result['seconds']:.2f}" for name, result in case["peers"].items()}
    sequences = {f"{name}, sequences": result["sequences"] for name, result in case["peers"].items()}
    return {"cell": case["cell"], "gap": case["gap"], "seed": case["seed"], **seconds, **sequences}


def _memory(record, case):
    if "checkpoint" not in case:
        return {"cell": case["cell"], "H": case["units"], "tape, bytes a row-step": f"{case['bytes']:.0f}",
                "numbers a unit": f"{case['numbers']:.2f}"}
    return {"cell": f"{case['cell']}, T={case['T']}, B={case['B']}, checkpoint={case['checkpoint']}", "H": case["H"],
            "peak, GiB": f"{case['after'] / 2**30:.2f}"}


_SHOWN = {"cells": _cells, "trial": _iteration, "study": _trial, "memory": _memory}


def summary(record):
    """Lines that sum the table up."""
    return list(_SUMMARIES.get(record["suite"], lambda record: ())(record))


def _means(record):
    """Geometric means of the ratios of an iteration's times, and where its time goes."""
    ratios = {}
    for case in record["cases"]:
        ours = case["peers"]["ours"]["median"]
        for name, result in case["peers"].items():
            if name != "ours" and "median" in result:
                ratios.setdefault(name, []).append(result["median"] / ours)
        if best := fastest(case):
            ratios.setdefault("the best peer", []).append(case["peers"][best]["median"] / ours)
    for name, values in ratios.items():
        yield f"Geometric mean over {len(values)} cases: {np.exp(np.log(values).mean()):.2f} times as fast as {name}."
    inside = [case["inside"] for case in record["cases"]]
    if inside:
        yield f"Spent in the time loop and weight-gradient products: {min(inside):.0%} to {max(inside):.0%} of an iteration."


def _totals(record):
    """Wall time of the grid for each peer, and of a thousand sequences, since peers may solve a trial at another step."""
    totals = {}
    for case in record["cases"]:
        for name, result in case["peers"].items():
            seconds, sequences = totals.get(name, (0, 0))
            totals[name] = seconds + result["seconds"], sequences + result["sequences"]
    for name, (seconds, sequences) in totals.items():
        ratio = "" if name == "ours" else f"; {seconds / totals['ours'][0]:.2f} times ours"
        yield f"{name}: {seconds:.1f} s in all, {seconds / sequences * 1e6:.0f} ms for a thousand sequences{ratio}."


def _footprint(record):
    for case in record["cases"]:
        if "checkpoint" in case:
            gib = {key: f"{case[key] / 2**30:.2f}" for key in ("before", "after", "whole_tape")}
            side = "under" if case["after"] < LIMIT else "over"
            size = f"T={case['T']:,}, B={case['B']}, H={case['H']}, checkpoint={case['checkpoint']}"
            yield (f"Training {case['cell']}, {size}: peak {gib['after']} GiB resident ({side} {LIMIT / 2**30:.0f} GiB), "
                   f"{gib['before']} of it before; {case['seconds']:.1f} s. A whole tape would take {gib['whole_tape']} GiB.")


_SUMMARIES = {"trial": _means, "study": _totals, "memory": _footprint}
