"""Tables of a record: every number (frame), the table for readers (shown), and sentences that sum it up (summary)."""

import numpy as np
import pandas as pd

import kernels
from study.bench.memory import LIMIT
from study.bench.operations import multiply_adds
from study.bench.peers import EARLIER
from study.bench.suites import COPY

KEYS = ["work", "cell", "T", "B", "I", "H", "dtype", "threads", "task", "gap", "seed"]
TWIN = "numpy"  # shown, but never the best peer
NO_PEERS = ("ours", TWIN, EARLIER)


def frame(record):
    """One row for each case and peer: the case, quartiles of seconds, speed and share of the peak, difference from ours."""
    if record["suite"] == "memory":
        return pd.DataFrame(record["cases"])
    rows = []
    for case in record["cases"]:
        best = fastest(case)
        for name, result in case["peers"].items():
            seconds = result.get("median", result.get("seconds"))
            row = {key: case.get(key) for key in KEYS} | {"peer": name, **result}
            if case.get("operations") and seconds:
                row |= {"gflops": case["operations"] / seconds / 1e9, "peak": case["peak"]["median"] / 1e9}
                row |= {"share": row["gflops"] / row["peak"], "limit": limit(case, "median")}
            net = {"net": _net(case)} if record["suite"] == "nets" else {}
            rows.append(row | net | {"best_peer": name == best})
    return pd.DataFrame(rows)


def fastest(case, at="median"):
    """The fastest of the timed peers, the twin and the earlier commit left out; None if there is none."""
    seconds = {name: result[at] for name, result in case["peers"].items() if name not in NO_PEERS and at in result}
    return min(seconds, key=seconds.get, default=None)


def limit(case, at):
    """The seconds that a case must take: its multiply-adds at the peak, or the dependent chain of one row if that is longer.

    at : "median", or "fast" for the fastest tenth of the rounds
    """
    chain = case.get("chain")
    return max(case["operations"] / case["peak"][at], case["T"] * chain[at] if chain else 0)


def ratio(case, peer, at="median"):
    """How many times as long as ours a peer takes; None if it was not timed."""
    result = case["peers"].get(peer, {})
    return result[at] / case["peers"]["ours"][at] if at in result else None


def shown(record):
    """The table for readers, as texts."""
    if record["suite"] == "row":
        rows = [_row(*pair) for pair in row_pairs(record)]
    else:
        rows = [_SHOWN.get(record["suite"], _speeds)(record, case) for case in record["cases"]]
    return pd.DataFrame(rows).fillna("").astype(str)


def _size(case):
    return {"cell": case["cell"], **{key: case[key] for key in ("T", "B", "I", "H")}}


def _both(case, number, form):
    """The texts of a number by the medians and, where the record has them, by the fastest tenth of the rounds."""
    texts = [form(number(case, at)) for at in ("median", "fast") if at in case["peers"]["ours"]]
    return texts[0] + (f" ({texts[1]})" if texts[1:] else "")


def _ratios(case):
    """Columns that compare with the best peer and with the earlier commit."""
    best, columns = fastest(case), {}
    if best is not None:
        columns |= {"best peer": best, "ratio": _both(case, lambda case, at: ratio(case, fastest(case, at), at), "{:.2f}".format)}
    if ratio(case, EARLIER):
        columns["over earlier"] = _both(case, lambda case, at: ratio(case, EARLIER, at), "{:.2f}".format)
    return columns


def _share(case):
    """The share of the limit; nothing in older records of iterations, which do not count their operations."""
    return "" if case["operations"] is None else _both(case, lambda case, at: limit(case, at) / case["peers"]["ours"][at], "{:.0%}".format)


def _row_step(case, at="median"):
    """Nanoseconds of ours for a step of a row."""
    return case["peers"]["ours"][at] / case["T"] / case["B"] * 1e9


def _speeds(record, case):
    """GFLOP/s of each peer, our share of the limit, and the time of the best peer over ours."""
    speeds = {name: case["operations"] / result["median"] / 1e9 for name, result in case["peers"].items() if "median" in result}
    more = {"threads": {"threads": case["threads"]}, "gap": {"ns a row-step": f"{_row_step(case):.1f}"}}.get(record["suite"], {})
    own = {"peak": f"{case['peak']['median'] / 1e9:.0f}", "ours": f"{speeds.pop('ours'):.0f}", "share": _share(case)}
    return {**_size(case), **more, **own, **{name: f"{speed:.0f}" for name, speed in speeds.items()}, **_ratios(case)}


def _long(record, case):
    """Nanoseconds a step and row, and how many times those of the shortest sequences of the same layer."""
    first = next(other for other in record["cases"] if (other["cell"], other["H"]) == (case["cell"], case["H"]))
    flat = _both(case, lambda case, at: _row_step(case, at) / _row_step(first, at), "{:.2f}".format)
    return {**_size(case), "ns a row-step": _both(case, _row_step, "{:.1f}".format), f"over T = {first['T']}": flat,
            "share": _share(case), **_ratios(case)}


def row_pairs(record):
    """(shorter case, longer case) for each layer of the suite `row`."""
    layers = {}
    for case in record["cases"]:
        layers.setdefault((case["cell"], case["H"]), []).append(case)
    return [cases for cases in layers.values() if len(cases) == 2]


def step(shorter, longer, at, peer="ours"):
    """Seconds of a step: the difference between two lengths, so without what a call takes."""
    return (longer["peers"][peer][at] - shorter["peers"][peer][at]) / (longer["T"] - shorter["T"])


def _row(shorter, longer):
    """Nanoseconds a step, beside the dependent chain and the limit."""
    def text(number, form="{:.2f}"):
        return " ".join(shape.format(number(at)) for at, shape in (("median", form), ("fast", f"({form})")))

    columns = {"cell": longer["cell"], "H": longer["H"], "ns a step": text(lambda at: step(shorter, longer, at) * 1e9, "{:.0f}"),
               "chain, ns": text(lambda at: longer["chain"][at] * 1e9, "{:.0f}"),
               "over the chain": text(lambda at: step(shorter, longer, at) / longer["chain"][at]),
               "over the limit": text(lambda at: step(shorter, longer, at) * longer["T"] / limit(longer, at))}
    if ratio(longer, EARLIER):
        columns["over earlier"] = text(lambda at: step(shorter, longer, at, EARLIER) / step(shorter, longer, at))
    return columns


def _cells(record, case):
    """Parameters of the layer, multiply-adds of a step of a row forward, and the measured time of one in training."""
    return {"cell": case["cell"], "I": case["I"], "H": case["H"],
            "parameters": f"{kernels.RNN(case['cell'], case['I'], case['H']).size:,}",
            "multiply-adds a row-step": f"{multiply_adds(case['cell'], case['I'], case['H']):,}",
            "training, ns a row-step": f"{_row_step(case):.1f}"}


def _microseconds(number):
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def _iteration(record, case):
    """Microseconds of each peer, our share of the limit, and the time of the best peer and of the earlier commit over ours."""
    times = {f"{name}, us": _both(case, lambda case, at, name=name: case["peers"][name][at] * 1e6, _microseconds)
             for name, result in case["peers"].items() if "median" in result}
    return {"cell": case["cell"], **{key: case[key] for key in ("T", "B", "H")}, **times, **_ratios(case), "share": _share(case)}


def _module(record, case):
    """Microseconds of each peer, and its time over ours."""
    ratios = {f"over {name}": _both(case, lambda case, at, name=name: ratio(case, name, at), "{:.1f}".format)
              for name, result in case["peers"].items() if name != "ours" and "median" in result}
    times = {f"{name}, us": f"{result['median'] * 1e6:,.0f}" for name, result in case["peers"].items() if "median" in result}
    return {**_size(case), **times, **ratios}


def _net(case):
    """A net with layers and a head in words."""
    net = dict(case["net"])
    layers = f"{net['layers']} layers" if "layers" in net else "1 layer"
    each = "answers at each step" if case["task"] == COPY else None
    return ", ".join(filter(None, [layers, net.get("stack"), net.get("head"), each]))


def _nets(record, case):
    """As _iteration, with the time over that of the first net of as many units, which has one layer and one answer."""
    plain = next(other for other in record["cases"] if other["H"] == case["H"])
    more = _both(case, lambda case, at: case["peers"]["ours"][at] / plain["peers"]["ours"][at], "{:.2f}".format)
    cell, *others = _iteration(record, case).items()
    return dict([cell, ("net", _net(case)), *others, ("over the plain net", more)])


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


_SHOWN = {"cells": _cells, "long": _long, "trial": _iteration, "online": _iteration, "nets": _nets, "modules": _module, "study": _trial, "memory": _memory}


def summary(record):
    """Lines that sum the table up."""
    return list(_SUMMARIES.get(record["suite"], lambda record: ())(record))


def _means(record):
    """Geometric means of the ratios of an iteration's times."""
    for name, values in mean_ratios(record).items():
        yield f"Geometric mean over {len(values)} cases: {np.exp(np.log(values).mean()):.2f} times as fast as {name}."


def mean_ratios(record):
    """{peer, or "the best peer": [its time over ours in each case]}"""
    ratios = {}
    for case in record["cases"]:
        for name in case["peers"]:
            if name != "ours" and (value := ratio(case, name)):
                ratios.setdefault(name, []).append(value)
        if best := fastest(case):
            ratios.setdefault("the best peer", []).append(ratio(case, best))
    return ratios


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


_SUMMARIES = {"trial": _means, "online": _means, "nets": _means, "modules": _means, "study": _totals, "memory": _footprint}
