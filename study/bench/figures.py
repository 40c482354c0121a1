"""Figures of the timing studies: TITLE, CAPTION, data(frame) and draw(data, figure) for each suite that has one."""

from types import SimpleNamespace

import numpy as np

import kernels
from kernels import CELLS
from study.bench.suites import EQUAL, LONGEST_LEAD
from study.bench.tables import TWIN
from study.report.names import by_registry
from study.report.panels import log_axis, share_axis
from study.report.style import GREY, colour, key, line, marker

PEERS = {"ours": ("-", "o"), "torch": ((0, (4, 2)), "s"), "jax": ((0, (1, 1.2)), "^"), "onnxruntime": ("-.", "D")}
MOST_CELLS = 6  # in one panel


def _timed(frame, *columns):
    """The timed rows, without the twin: the columns of the case, the peer, and those named."""
    timed = frame[frame["median"].notna() & (frame["peer"] != TWIN)] if "median" in frame else frame[:0]
    return timed[["cell", "T", "B", "I", "H", "threads", "peer", *columns]]


def _ours(frame, *columns):
    timed = _timed(frame, *columns)
    return timed[timed["peer"] == "ours"].drop(columns="peer")


def _shapes(data):
    return list(dict.fromkeys(zip(data["T"], data["B"], data["I"], data["H"])))


def _cells_legend(figure, cells):
    handles = [key(CELLS[cell].title, color=colour(cell), linestyle=line(cell), marker=marker(cell)) for cell in cells]
    figure.legend(handles=handles, loc="outside upper left", ncols=4, fontsize=7.5)


def _peers_legend(figure, peers):
    handles = [key(peer, **_style(peer, "black")) for peer in PEERS if peer in set(peers)]
    figure.legend(handles=handles, loc="outside upper left", ncols=4)


def _draw_share(data, figure):
    cells = by_registry(data["cell"])
    panels = [cells[at : at + MOST_CELLS] for at in range(0, len(cells), MOST_CELLS)]
    figure.set_size_inches(figure.get_figwidth(), 3.8)
    for shown, axes in zip(panels, figure.subplots(1, len(panels), sharey=True, squeeze=False)[0], strict=True):
        for cell in shown:
            rows = data[data["cell"] == cell].sort_values("H")
            axes.plot(rows["H"], rows["share"], color=colour(cell), linestyle=line(cell), marker=marker(cell), markersize=4.5)
        log_axis(axes, [H for H in data["H"] if H.bit_count() == 1], "units H")  # all would not fit
        axes.tick_params(axis="x", labelsize=7)
    share_axis(axes)
    figure.axes[0].set_ylabel("share of the multiply-add peak")
    _cells_legend(figure, cells)


def _ratios(frame):
    timed = _timed(frame, "median", "best_peer")
    case = ["cell", "T", "B", "I", "H", "threads"]
    best = timed[timed["best_peer"]].drop(columns="best_peer")
    both = best.merge(timed[timed["peer"] == "ours"][[*case, "median"]], on=case, suffixes=("_peer", "_ours"))
    return both.assign(ratio=both["median_peer"] / both["median_ours"])


def _draw_ratio(data, figure):
    figure.set_size_inches(figure.get_figwidth(), 3.6)
    axes, shapes, cells = figure.subplots(), _shapes(data), by_registry(data["cell"])
    for at, cell in enumerate(cells):
        rows = data[data["cell"] == cell]
        shift = 0.1 * (at - (len(cells) - 1) / 2)
        places = [shapes.index(shape) + shift for shape in zip(rows["T"], rows["B"], rows["I"], rows["H"])]
        axes.plot(places, rows["ratio"], linestyle="", color=colour(cell), marker=marker(cell), label=CELLS[cell].title)
    axes.axhline(1, color=GREY, linestyle=":", linewidth=1.2)
    axes.set_yscale("log", base=2)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_xticks(range(len(shapes)), ["\n".join(f"{name} {n}" for name, n in zip("TBIH", shape)) for shape in shapes])
    axes.set_ylabel("times as fast as the best peer")
    figure.legend(loc="outside upper left", ncols=4)


def _speedups(frame):
    timed = _timed(frame, "median")
    case = ["cell", "T", "B", "I", "H", "peer"]
    alone = timed[timed["threads"] == 1][[*case, "median"]]
    both = timed.merge(alone, on=case, suffixes=("", "_alone"))
    return both.assign(speedup=both["median_alone"] / both["median"])


def _draw_threads(data, figure):
    cells, shapes, counts = by_registry(data["cell"]), _shapes(data), sorted(set(data["threads"]))
    figure.set_size_inches(figure.get_figwidth(), 0.8 + 1.4 * len(cells))
    for cell, row in zip(cells, figure.subplots(len(cells), len(shapes), sharex=True, sharey=True, squeeze=False), strict=True):
        for shape, axes in zip(shapes, row, strict=True):
            axes.plot(counts, counts, color=GREY, linewidth=0.8)
            rows = data[(data["cell"] == cell) & np.all(data[["T", "B", "I", "H"]].to_numpy() == shape, axis=1)]
            _by_peer(axes, rows, cell, "threads", "speedup")
            axes.set_xticks(counts)
            if cell == cells[0]:
                axes.set_title("T{} B{}\nI{} H{}".format(*shape), fontsize=7.5)
            if cell == cells[-1]:
                axes.set_xlabel("threads")
        row[0].set_ylabel(f"{CELLS[cell].title}\nspeed-up", fontsize=8)
    figure.axes[0].set_ylim(0, None)
    _peers_legend(figure, data["peer"])


def _costs(frame):
    timed = _ours(frame, "median")
    steps = timed["median"] / timed["T"] / timed["B"]
    parameters = [kernels.RNN(cell, I, H).size for cell, I, H in zip(timed["cell"], timed["I"], timed["H"], strict=True)]
    return timed.assign(nanoseconds=steps * 1e9, parameters=parameters).drop(columns=["threads", "median"])


def _draw_costs(data, figure):
    cells = by_registry(data["cell"])[::-1]
    figure.set_size_inches(figure.get_figwidth(), 0.9 + 0.24 * len(cells))
    panels = {"parameters": "parameters of the layer", "nanoseconds": "training, ns a step and row"}
    for (name, label), axes in zip(panels.items(), figure.subplots(1, 2, sharey=True), strict=True):
        for case in data.itertuples():
            equal = case.H == EQUAL
            axes.plot(getattr(case, name), cells.index(case.cell), "s" if equal else "o", color=colour(case.cell),
                      markerfacecolor=colour(case.cell) if equal else "white", markersize=6 if equal else 5)
        axes.set_xlim(0, None)
        axes.locator_params(axis="x", nbins=5)
        axes.set_xlabel(label)
    figure.axes[0].set_yticks(range(len(cells)), [CELLS[cell].title for cell in cells])
    handles = [key(text, linestyle="", marker=mark, color="black", markerfacecolor=fill) for mark, fill, text in
               (("s", "black", f"H = {EQUAL}"), ("o", "white", f"at most as many parameters as an LSTM of H = {EQUAL}"))]
    figure.legend(handles=handles, loc="outside upper left", ncols=2)


def _by_peer(axes, data, cell, x, y):
    for peer in PEERS:
        rows = data[data["peer"] == peer].sort_values(x)
        axes.plot(rows[x], rows[y], **_style(peer, colour(cell)))


def _style(peer, tint):
    """Line and marker of a peer: ours solid and filled in that colour, others grey and hollow."""
    linestyle, marker = PEERS[peer]
    ours = peer == "ours"
    return {"color": tint if ours else GREY, "linestyle": linestyle, "marker": marker, "markersize": 4,
            "markerfacecolor": tint if ours else "white"}


def _draw_sweep(x, label):
    def draw(data, figure):
        cells = by_registry(data["cell"])
        figure.set_size_inches(figure.get_figwidth(), 2.9)
        for cell, axes in zip(cells, figure.subplots(1, len(cells), sharey=True, squeeze=False)[0], strict=True):
            _by_peer(axes, data[data["cell"] == cell], cell, x, "gflops")
            log_axis(axes, data[x], label)
            axes.tick_params(axis="x", labelsize=7)
            axes.set_title(CELLS[cell].title)
        figure.axes[0].set_ylim(0, None)
        figure.axes[0].set_ylabel("GFLOP/s")
        _peers_legend(figure, data["peer"])

    return draw


def _row_steps(frame):
    ours = _ours(frame, "median")
    return ours.assign(gap=ours["T"] - 1 - LONGEST_LEAD, nanoseconds=ours["median"] / ours["T"] / ours["B"] * 1e9)


def _draw_gap(data, figure):
    figure.set_size_inches(figure.get_figwidth(), 3.2)
    axes = figure.subplots()
    for cell in by_registry(data["cell"]):
        rows = data[data["cell"] == cell].sort_values("gap")
        axes.plot(rows["gap"], rows["nanoseconds"], color=colour(cell), linestyle=line(cell), marker=marker(cell))
    log_axis(axes, data["gap"], "gap")
    axes.set_ylim(0, None)
    axes.set_ylabel("ns a step and row")
    _cells_legend(figure, by_registry(data["cell"]))


def _figure(title, caption, data, draw):
    return SimpleNamespace(TITLE=title, CAPTION=caption, data=data, draw=draw)


FIGURES = {
    "table": _figure(
        "Training step: how many times as fast as the best peer",
        "Forward, BPTT, dW, dU, db in float32: the time of the faster of torch and jax in the same rounds, divided by ours "
        "(onnxruntime runs only forward passes). Above the dotted line ours is faster.", _ratios, _draw_ratio),
    "double": _figure(
        "Training step in float64: how many times as fast as the best peer",
        "The time of the best peer divided by ours, as in float32.", _ratios, _draw_ratio),
    "forward": _figure(
        "Forward pass: how many times as fast as the best peer",
        "The time of the best of torch, jax and onnxruntime, divided by ours, in float32.", _ratios, _draw_ratio),
    "units": _figure(
        "Share of the processor's multiply-add peak, as units grow",
        "A training step of 100 steps, 32 rows, 2 inputs. Only the products with W and U count as work. The peak is measured in "
        "the same rounds, on numbers that stay in registers.", lambda frame: _ours(frame, "gflops", "peak", "share"), _draw_share),
    "threads": _figure(
        "Speed-up on several threads",
        "A training step: the time of the same peer on one thread, divided by its time on several. Grey line: speed-up equal to "
        "the number of threads.", _speedups, _draw_threads),
    "steps": _figure("Speed as steps grow", "A training step of 32 rows, 2 inputs, 128 units.",
                     lambda frame: _timed(frame, "gflops"), _draw_sweep("T", "steps T")),
    "rows": _figure("Speed as rows grow", "A training step of 100 steps, 128 inputs, 128 units.",
                    lambda frame: _timed(frame, "gflops"), _draw_sweep("B", "rows B")),
    "cells": _figure(
        "What each cell costs",
        f"Filled: at {EQUAL} inputs and units. Hollow: at the largest H with no more parameters than the LSTM then has. A "
        "training step of 100 steps and 32 rows, float32. (MUT1 and MUT2 have as many inputs as units.)", _costs, _draw_costs),
    "gap": _figure(
        "Time for one step of one row, as the gap grows",
        "A training step as long as recall makes it at each gap; 32 units. A flat line: the cost is proportional to the gap.",
        _row_steps, _draw_gap),
}
