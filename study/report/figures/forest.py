"""The effect of each comparison of each claim, with its interval, beside what the claim expects."""

import numpy as np

from study.report.style import DARK, GREY, PALE

PLACE = -2
TABLE = "verdicts"
TITLE = "All comparisons, and what their claims expect"
CAPTION = (
    "One row per comparison, with the effect and its 95 % interval. The grey band is where the claim expects the effect: an interval wholly inside "
    "speaks for the claim, one wholly outside against it. Filled circle: for the claim. Cross: against it. Hollow: it decides nothing "
    "(floor, ceiling, untuned or inconclusive). Squares repeat the paper's own protocol. Right: the outcome."
)
KINDS = {"success rate, difference": ("difference of success rates", (-1.05, 1.05)), "P(": ("probability of doing better", (-0.03, 1.03)),
         "sequences, ratio": ("ratio of sequences", None)}
OTHER = "share, or number of a net"
SHOWN = ["claim", "protocol", "statement", "effect", "value", "low", "high", "from", "to", "outcome", "speaks"]
FEWEST = 4  # claims; of fewer, the tables are enough
LONGEST = 78  # characters of a statement
HOLLOW = "white"


def data(verdicts):
    return verdicts[SHOWN] if len(verdicts) and verdicts["claim"].nunique() > FEWEST else verdicts[:0]


def draw(data, figure):
    kinds = data["effect"].map(kind)
    groups = [(name, data[kinds == name]) for name in dict.fromkeys([*(title for title, _ in KINDS.values()), OTHER]) if (kinds == name).any()]
    heights = [len(rows) + 1.6 for _, rows in groups]
    figure.set_size_inches(figure.get_figwidth() * 1.25, 0.6 + 0.21 * sum(heights))
    for (name, rows), axes in zip(groups, figure.subplots(len(groups), 1, squeeze=False, height_ratios=heights)[:, 0], strict=True):
        _panel(axes, name, rows)


def kind(effect):
    """What kind of effect a name stands for."""
    return next((title for start, (title, _) in KINDS.items() if effect.startswith(start)), OTHER)


def _panel(axes, name, rows):
    axes.set_title(name, loc="left")
    limits = dict(KINDS.values()).get(name) or _around(rows)
    if name == "ratio of sequences":
        axes.set_xscale("log")
        axes.set_xticks(ticks := [tick for tick in (0.1, 0.2, 0.5, 1, 2, 5, 10) if limits[0] <= tick <= limits[1]], [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
    axes.set_xlim(limits)
    for y, row in enumerate(rows.itertuples(index=False)):
        low, high, start, end = np.clip([row.low, row.high, row[SHOWN.index("from")], row[SHOWN.index("to")]], *limits)
        axes.fill_betweenx([y - 0.42, y + 0.42], start, end, color=PALE, linewidth=0, zorder=0)
        axes.plot([low, high], [y, y], color=DARK, linewidth=1.6, solid_capstyle="butt")
        shape = "x" if row.speaks < 0 else "s" if row.protocol == "as published" else "o"
        axes.plot(np.clip(row.value, *limits), y, shape, color=DARK, markersize=5.5, markerfacecolor=DARK if row.speaks else HOLLOW)
        axes.annotate(row.outcome, (1.01, y), xycoords=("axes fraction", "data"), va="center", fontsize=7, color=GREY)
    axes.set_yticks(range(len(rows)), [_label(row) for row in rows.itertuples()], fontsize=7)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)


def _around(rows):
    """Limits that hold all intervals."""
    ends = rows[["low", "high", "value"]].to_numpy(float)
    low, high = np.nanmin(ends), np.nanmax(ends)
    if low > 0 and kind(rows["effect"].iloc[0]) == "ratio of sequences":
        return min(low, 0.5) / 1.1, max(high, 2) * 1.1
    return low - 0.05, max(high, 1) + 0.05


def _label(row):
    text = f"{row.claim}  {row.statement}"
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"
