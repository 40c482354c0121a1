"""The report of a preset's folder, and the page of all of them.

A report is a function of the folder's plan, chosen learning rates and records: figures with the numbers they draw, tables,
verdicts, REPORT.md, REPRODUCE.md and a page, report.html. The page index.html has the reports of all folders. Numbers are written
to six significant digits and figures are drawn from what is written, so the same records give the same CSV files and tables on any
machine, and the same pictures and pages wherever Matplotlib and zlib are the same. A report trains nothing and writes no record.
"""

from pathlib import Path

from study.errors import SpecError
from study.plan.plan import PLAN
from study.records import store
from study.report import drawing  # imports Matplotlib first, whatever MPLBACKEND is
from study.report import findings, page, site
from study.report.findings import csv
from study.report.trials import pooled

INDEX, PAGES = "index.html", ("report.html", "index.html")  # pages are not for git


def write(folder):
    """Write the report into the folder; returns the table of half-success gaps as text for a terminal."""
    files, text = _contents(folder)
    _put(Path(folder), files)
    return text


def write_all(results):
    """Write the reports of all preset folders below `results`, and index.html, whose path is returned."""
    found = _everything(results)
    for folder, one in found.items():
        _put(folder, _files(one))
    index = Path(results, INDEX)
    store.put(index, site.html(list(found.values())))
    return index


def check(folder):
    """One line for each file that is not what the records give.

    Pictures of another Matplotlib and pages of another zlib are not compared, and pages, which are not for git, need not be there.
    """
    files, _ = _contents(folder)
    return _differing(Path(folder), files)


def check_all(results):
    """As `check`, of all preset folders below `results`, and of its index.html."""
    found = _everything(results)
    wrong = [line for folder, one in found.items() for line in _differing(folder, _files(one))]
    return wrong + _wrong(Path(results), {INDEX: site.html(list(found.values()))})


def _everything(results):
    """{folder: Findings} of the preset folders below `results` that have records, in order of their names."""
    folders = sorted(path.parent for path in Path(results).glob(f"*/*/{PLAN}"))
    found = {folder: one for folder in folders if (one := findings.find(folder))}
    if not found:
        raise SpecError(f"{results}: expected folders STUDY/PRESET with records; found none")
    return found


def _contents(folder):
    """({path: text} of the whole report, the text for a terminal)."""
    found = findings.find(folder)
    if not found:
        return {}, f"No trials are recorded in {folder}."
    gaps = page.gaps(found.tables["half_success"], found.frame) if "half_success" in found.tables else ()
    text = gaps.to_string(index=False) if len(gaps) else ""
    return _files(found), "\n".join(filter(None, [text, pooled(found.frame)]))


def _files(found):
    """{path in its folder: text} of a report."""
    return {
        **{f"tables/{name}.csv": csv(data) for name, data in found.tables.items()},
        **{f"figures/{name}.csv": text for name, text in found.numbers.items()},
        "REPORT.md": page.markdown(found),
        "REPRODUCE.md": page.reproduction(found),
        **{f"figures/{name}.svg": svg for name, svg in found.pictures.items()},
        "report.html": site.html([found], inside=True),
    }


def _put(folder, files):
    last = folder / "REPORT.md"
    named = last.read_text("utf-8", "replace") if last.is_file() else ""
    for path in _reported(folder):  # of the files that this report lacks, those that the last one wrote; others are the user's
        name = path.relative_to(folder).as_posix()
        if name not in files and f"({name})" in named:
            path.unlink()
    for name, content in files.items():
        store.put(folder / name, content)


def _differing(folder, files):
    """One line for each file of a folder that is missing, differs, or has no records."""
    stale = [path for path in _reported(folder) if path.suffix == ".csv" and path.relative_to(folder).as_posix() not in files]
    return _wrong(folder, files) + [f"{path}: no records for it" for path in stale]


def _wrong(folder, files):
    wrong = []
    for name, content in files.items():
        path = folder / name
        written = path.read_text("utf-8", "replace") if path.is_file() else ""
        if written != content and not (path.name in PAGES and not written) and not _made_elsewhere(path, written):
            wrong.append(f"{path}: {'not what the records give' if written else 'missing'}")
    return wrong


def _made_elsewhere(path, written):
    """Whether a picture or a page is of another version of the library that makes it."""
    maker = {".svg": drawing.RENDERER, ".html": site.MAKERS}.get(path.suffix)
    return bool(maker and written) and maker not in written


def _reported(folder):
    """The files in the folder's figures/ and tables/."""
    return [path for name in ("figures", "tables") for path in sorted((folder / name).glob("*")) if path.is_file()]
