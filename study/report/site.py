"""A page of one or several presets: one self-contained HTML file, which loads nothing and reads without JavaScript, too."""

import zlib
from types import SimpleNamespace

from markdown_it import MarkdownIt
from markupsafe import Markup

from study.records.table import where
from study.report import ledger
from study.report.alt import alt
from study.report.answer import CAPTION, FIGURE, answer
from study.report.came_out import came_out
from study.report.drawing import RENDERER
from study.report.embedded import embedded
from study.report.figures import FIGURES
from study.report.inline import Inliner
from study.report.page import TEMPLATES, facts
from study.report.trials import crossed, row_knobs

MAKERS = f"{RENDERER}, zlib {zlib.ZLIB_RUNTIME_VERSION}"
PROSE = MarkdownIt("commonmark", {"html": False})
QUESTION = "How far back can a recurrent cell remember?"
PARTS = ("setting", "outcomes", "half_success", "sure")  # of REPORT.md
STYLE, SCRIPT = ("page.css",), ("data.js", "page.js", "plot.js", "explorer.js", "sentences.js", "start.js")


def html(presets, inside=False):
    """The page of some presets' Findings, as text; `inside` : it lies in the folder of its only preset, and not above."""
    page = Page(inside)
    answered = answer(presets)
    picture = answered and page.figure(answered.found, FIGURE, "answer", CAPTION)
    sections = [page.section(found) for found in presets]
    lines, planned = ledger.lines(presets), ledger.planned(presets)
    overview = ledger.overview([*lines, *planned])
    return TEMPLATES.get_template("page.html.j2").render(
        title=presets[0].title if inside else QUESTION, makers=MAKERS,
        style=_source(STYLE) + Markup(page.inline.sheet()), script=_source(SCRIPT),
        answer=answered, picture=picture, trials=sum(len(found.frame) for found in presets),
        ledger=lines, planned=planned, overview=overview, tally=ledger.tally(overview),
        explorable=any({"success", "words"} & set(found.numbers) for found in presets),
        presets=sections, data=embedded(presets))


class Page:
    """What the parts of a page share."""

    def __init__(self, inside):
        self.inside, self.inline = inside, Inliner()

    def section(self, found):
        """What the page says of a preset: its facts, its figures, and texts from the templates of REPORT.md."""
        said = facts(found)
        texts = {name: TEMPLATES.get_template(f"{name}.md.j2").render(said) for name in PARTS}
        told = {name: Markup(PROSE.render(text)) for name, text in {**texts, "shown_nets": said["shown_nets"]}.items()}
        return SimpleNamespace(**said | told | {
            "place": found.place, "anchor": _anchor(found), "beside": self._beside(found),
            "figures": [self.figure(found, name, f"{_anchor(found)}-{name}") for name in found.numbers],
            "seeds": _seeds(found.frame), "lines": ledger.lines([found]),
            "learned": [Markup(PROSE.renderInline(text)) for text in came_out(found, said["short_answer"])]})

    def figure(self, found, name, anchor, caption=None):
        figure = FIGURES[name]
        return SimpleNamespace(
            name=name, anchor=anchor, key=f"{found.place}/figures/{name}", csv=f"{self._beside(found)}figures/{name}.csv",
            title=figure.TITLE, caption=caption or found.caption(name), command=f"python -m study report results/{found.place}",
            svg=Markup(self.inline(found.pictures[name], alt(figure.TITLE, found.drawn(name)))))

    def _beside(self, found):
        """The way from the page to the files of a preset's folder."""
        return "" if self.inside else f"{found.place}/"


def _seeds(frame):
    """How many seeds an arm has at a gap, as text."""
    runs = where(crossed(frame), purpose="train")
    counts = runs.groupby([*row_knobs(runs), "gap"], dropna=False)["seed"].nunique()
    return " to ".join(map(str, sorted({counts.min(), counts.max()}))) if len(counts) else "0"


def _anchor(found):
    return f"{found.study.name}-{found.study.preset}"


def _source(names):
    """Files of the folder of templates, one after the other."""
    return Markup("".join(TEMPLATES.loader.get_source(TEMPLATES, name)[0] for name in names))
