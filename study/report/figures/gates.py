"""Histograms of gate values over a batch of sequences that no net was trained on."""

import pandas as pd

from study.records.table import where
from study.report import probes
from study.report.names import by_family, init_label
from study.report.panels import small_multiples
from study.report.style import GREY, key

PLACE = 24
TITLE = "How far the gates stand open"
CAPTION = (
    "Share of each gate's values in each twentieth of the range from 0 (shut) to 1 (open), over all units and steps of 32 "
    "sequences, summed over seeds: upwards for one initialisation, downwards for the other. The part of its state that a "
    "cell keeps in a step is f in an LSTM, 1 - z in a GRU, z in `gru_after`, 1 - f in an MGU."
)
NAMES = {"i": "i (input)", "f": "f (forget)", "o": "o (output)", "z": "z (update)", "r": "r (reset)"}
COLOURS = {"i": "#009E73", "f": "#D55E00", "o": "#0072B2", "z": "#CC79A7", "r": "#000000"}
LINES = {"i": (0, (6, 2)), "f": "-", "o": (0, (1, 1.2)), "z": (0, (6, 2, 1, 2)), "r": (0, (3, 1.5))}


def data(frame):
    rows = []
    for (cell, init), nets in probes.groups(frame, inits=2):
        for gate in nets[0]["gates"]:
            counts = pd.DataFrame([net["gates"][gate] for net in nets]).sum()
            rows += [{"cell": cell, "init": init, "gate": gate, "from": k / len(counts), "share": share}
                     for k, share in (counts / counts.sum()).items()]
    return pd.DataFrame(rows)


def draw(data, figure):
    inits, gates = by_family(data["init"]), [gate for gate in COLOURS if gate in set(data["gate"])]
    for cell, axes in small_multiples(figure, data["cell"], height=1.15).items():
        axes.axhline(0, color=GREY, linewidth=0.8)
        for init, sign in zip(inits, (1, -1)):
            for gate in gates:
                bins, style = where(data, cell=cell, init=init, gate=gate), {"color": COLOURS[gate], "linestyle": LINES[gate]}
                if len(bins):
                    axes.stairs(sign * bins["share"], [*bins["from"], 1], linewidth=1.3, **style)
        axes.set_xticks([0, 0.5, 1], ["0", "½", "1"])
        axes.set_yticks([-0.5, 0, 0.5], ["50 %", "0", "50 %"])
    figure.supxlabel("value of the gate", fontsize=9)
    sides = [f"{side}: {init_label(init)}" for side, init in zip(("up", "down"), inits)]
    figure.supylabel("share of values   (" + ",   ".join(sides[::-1]) + ")", fontsize=8.5)
    figure.legend(handles=[key(NAMES[gate], color=COLOURS[gate], linestyle=LINES[gate]) for gate in gates],
                  loc="outside upper left", ncols=5)
