"""REPORT.md of a folder of timing records."""

import json

from study.bench import floors, tables
from study.bench.figures import FIGURES
from study.bench.suites import FLOORS, TITLES
from study.bench.timing import WIDE
from study.report.page import table as markdown

LEGEND = f"""T steps, B rows, I inputs, H units. A number is the median of all rounds; in brackets, the fastest tenth of them. Columns `ours` and
those of peers: GFLOP/s where no unit is named. `peak`: multiply-adds on numbers that stay in registers, in the same rounds. `share`: the
time at that peak over ours; with one row, the time of the operations that have to wait for each other (the chain), if that is longer.
`ratio`: the time of the best peer over ours. `loop`: the cell's equations in Python, by torch's autograd. `earlier`: the commit of this
project that is named. A peer without numbers has no such cell or net. Where rounds vary by more than {WIDE:.0%}, a line below the table says so."""


def page(folder):
    """The text of REPORT.md, from all records in the folder."""
    paths = (folder / f"{suite}.json" for suite in TITLES)
    sections = [_section(folder, json.loads(path.read_text("utf-8"))) for path in paths if path.exists()]
    reached = _reached(folder) if (folder / f"{FLOORS[0]}.json").exists() else ()
    return "\n".join([f"# Speed and memory on {folder.name}", "", LEGEND, "", *reached, *(line for section in sections for line in section)])


def _reached(folder):
    table = floors.table(folder)
    asked = table[table["met"] != ""]
    yield from ("## Floors", "", f"A floor is a figure that the project set itself. {(asked['met'] == 'yes').sum()} of {len(asked)} are met.", "")
    yield from (markdown(table), "")


def _section(folder, record):
    suite, facts = record["suite"], record["machine"]["processor"]
    yield from (f"## {TITLES[suite]}", "", f"`{record['command']}`", "")
    peers = ", ".join(f"{name} {version}" for name, version in record["peers"].items() if name != "ours")
    yield (f"On {facts['name'] or facts['architecture']}, {record['threads']} of {facts['processors']} processors, pinned. "
           f"Peers: {peers or 'none'}.")
    if not record["finished"]:
        yield "It was interrupted before its end."
    yield from ("", markdown(tables.shown(record)), "")
    for line in tables.summary(record):
        yield from (line, "")
    if (folder / "figures" / f"{suite}.svg").exists():
        figure = FIGURES[suite]
        yield from (f"![{figure.TITLE}](figures/{suite}.svg)", "")
        yield from (f"*{figure.TITLE}.* {figure.CAPTION} Numbers: `figures/{suite}.csv`.", "")
    for line in warnings(record):
        yield f"- {line}"
    yield ""


def warnings(record):
    """The warnings of single cases: times that vary widely, peers that were refused."""
    return [line for case in record["cases"] for line in case.get("warnings", ())]
