"""REPORT.md of a folder of timing records."""

import json

from study.bench import floors, tables
from study.bench.figures import FIGURES
from study.bench.suites import FLOORS, TITLES
from study.report.page import table as markdown


def page(folder):
    """The text of REPORT.md, from all records in the folder."""
    paths = (folder / f"{suite}.json" for suite in TITLES)
    sections = [_section(folder, json.loads(path.read_text("utf-8"))) for path in paths if path.exists()]
    started = (folder / f"{FLOORS[0]}.json").exists()
    reached = ["## Floors", "", markdown(floors.table(folder)), ""] if started else []
    return "\n".join([f"# Speed and memory on {folder.name}", "", *reached, *(line for section in sections for line in section)])


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
