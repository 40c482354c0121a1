"""Histograms of gate values over a batch of sequences that nobody trained on."""

import pandas as pd
from matplotlib.lines import Line2D

from study.report import probed
from study.report.style import GREY, start

PLACE = 24
TITLE = "How far the gates stand open"
CAPTION = (
    "Share of the values of each gate in each twentieth of 0 (shut) to 1 (open), over all units, steps and 32 sequences, summed over "
    "seeds; upwards for the first start, downwards for the second. i, f, o: input, forget and output gate; z, r: update and reset "
    "gate, as each cell's file has them (a GRU keeps 1 - z of its state, `gru_after` z, an MGU 1 - f)."
)
COLOURS = {"i": "#009E73", "f": "#D55E00", "o": "#0072B2", "z": "#CC79A7", "r": "#000000"}
LINES = {"i": (0, (6, 2)), "f": "-", "o": (0, (1, 1.2)), "z": (0, (6, 2, 1, 2)), "r": (0, (3, 1.5))}


def data(frame):
    rows = []
    for (cell, init), probes in probed.arms(frame):
        for gate in probes[0]["gates"]:
            counts = pd.DataFrame([probe["gates"][gate] for probe in probes]).sum()
            rows += [{"cell": cell, "init": init, "gate": gate, "from": k / len(counts), "share": share}
                     for k, share in (counts / counts.sum()).items()]
    found = pd.DataFrame(rows)
    return found[found["init"].isin(probed.two(found["init"]))] if len(found) else found


def draw(data, figure):
    inits, gates = probed.two(data["init"]), [gate for gate in COLOURS if gate in set(data["gate"])]
    for cell, axes in probed.grid(figure, data["cell"], height=1.15).items():
        axes.axhline(0, color=GREY, linewidth=0.8)
        for init, sign in zip(inits, (1, -1)):
            for gate in gates:
                some = data[(data["cell"] == cell) & (data["init"] == init) & (data["gate"] == gate)]
                if len(some):
                    axes.stairs(sign * some["share"], [*some["from"], 1], color=COLOURS[gate], linestyle=LINES[gate], linewidth=1.3)
        axes.set_xticks([0, 0.5, 1], ["0", "½", "1"])
        axes.set_yticks([-0.5, 0, 0.5], ["50 %", "0", "50 %"])
    figure.supxlabel("value of the gate", fontsize=9)
    figure.supylabel("   |   ".join([f"down: {start(init)}" for init in inits[1:]] + [f"up: {start(inits[0])}"]), fontsize=8.5)
    figure.legend(handles=[Line2D([], [], color=COLOURS[gate], linestyle=LINES[gate], label=gate) for gate in gates],
                  loc="outside upper left", ncols=5)
