"""The page: what it says follows from the records, it needs nothing beside it, and it is the same bytes again."""

import base64
import functools
import hashlib
import json
import re
import xml.etree.ElementTree as ElementTree
import zlib
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import synthetic

from study import report
from study.report import alt, answer, drawing, findings, inline, ledger, sentences, site
from study.report.figures import FIGURES
from study.statistics.effect import ABOVE, BELOW, EQUAL, Effect
from study.statistics.verdict import NOW, PUBLISHED

SHOWN = {name: FIGURES[name] for name in ("half_success", "success")}
TITLE = '</title></script><script>alert(1)</script>"\'&<img src=x onerror=alert(1)> \u202eback'


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A folder with the reports of an ablation and of a study file whose title is hostile."""
    results = tmp_path_factory.mktemp("page") / "results"
    file = results.parent / "own.toml"
    grid = '[[grids]]\nname = "g"\nseeds = 2\naxes = { cell = ["rnn", "lstm"], gap = [12, 50] }\n'
    file.write_text(f'name = "own"\ntitle = {json.dumps(TITLE)}\nknobs = {{ lr = 0.01, task = "recall/past" }}\n{grid}', encoding="utf-8")
    synthetic.write(results / "gap" / "quick", keep=lambda trial: trial.task == "recall/past" and trial.seed < 2)
    synthetic.write(results / "own" / "default", "default", study=str(file))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(findings, "FIGURES", SHOWN)
        patch.setattr(findings, "find", functools.cache(findings.find))
        assert report.write_all(results) == results / "index.html"
        yield results


def text_of(results):
    return (results / "index.html").read_text("utf-8")


def test_it_is_what_the_records_give_and_check_says_so(results):
    before = text_of(results)
    assert report.check_all(results) == []
    (results / "index.html").write_text(before.replace("ledger", "Ledger"), encoding="utf-8")
    assert [line.split(":")[0] for line in report.check_all(results)] == [str(results / "index.html")]
    (results / "index.html").write_text(before.replace(site.MAKERS, "Matplotlib 0.1, zlib 0"), encoding="utf-8")
    assert report.check_all(results) == []
    (results / "index.html").unlink()
    assert report.check_all(results) == []
    report.write_all(results)
    assert text_of(results) == before


class Tags(HTMLParser):
    """[(tag, {attribute: value})] of a page."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def test_it_loads_nothing_and_its_links_lead_somewhere(results):
    for page in (results / "index.html", results / "own" / "default" / "report.html"):
        text = page.read_text("utf-8")
        tags = Tags(text).found
        attributes = [(name, value) for _, given in tags for name, value in given.items()]
        assert not {tag for tag, _ in tags} & {"img", "iframe", "link", "object", "embed", "base"} and "src" not in dict(attributes)
        assert not re.search(r"@import|url\((?!#)", text)
        ids, links = [[value for name, value in attributes if name == wanted] for wanted in ("id", "href")]
        assert len(ids) == len(set(ids)) and {link[1:] for link in links if link[0] == "#"} <= set(ids)
        assert set(re.findall(r"url\(#([^)]+)\)", text)) <= set(ids)
        beside = [link for link in links if link[0] != "#"]
        assert beside and all((page.parent / link).is_file() for link in beside)


def test_titles_are_text(results):
    for text in (text_of(results), (results / "own" / "default" / "report.html").read_text("utf-8")):
        assert TITLE not in text and "<script>alert" not in text and "<img" not in text
        assert "&lt;/title&gt;&lt;/script&gt;" in text and text.count("<script") == 2


def test_its_data_are_the_files_of_the_reports(results):
    packed = re.search(r'type="application/octet-stream">([^<]+)<', text_of(results))[1]
    files = json.loads(zlib.decompress(base64.b64decode(packed)))["files"]
    written = {path.relative_to(results).with_suffix("").as_posix(): path.read_text() for path in results.rglob("*.csv")}
    assert files == written and len(files) > 10


def test_each_claim_has_a_line_with_its_comparisons(results):
    verdicts, text = pd.read_csv(results / "gap" / "quick" / "tables" / "verdicts.csv"), text_of(results)
    lines = text.partition('<ol class="ledger">')[2].partition("</ol>")[0].split('<li id="claim-')[1:]
    assert [line.partition('"')[0] for line in lines] == [f"gap-quick-{id}" for id in dict.fromkeys(verdicts["claim"])]
    for line, (_, rows) in zip(lines, verdicts.groupby("claim", sort=False), strict=True):
        forest = line.partition('class="forest"')[2].partition("</svg>")[0]
        assert [forest.count(f'<g class="{kind}">') for kind in ("for", "open", "against")] == [(rows["speaks"] == n).sum() for n in (1, 0, -1)]


def test_the_overview_has_a_row_for_each_claim(results):
    rows = text_of(results).partition('<table class="overview">')[2].partition("</table>")[0].split("<tr>")[2:]
    verdicts = pd.read_csv(results / "gap" / "quick" / "tables" / "verdicts.csv")
    assert [re.search("<strong>(.*?)</strong>", row)[1] for row in rows] == list(dict.fromkeys(verdicts["claim"]))
    for row, (id, of_claim) in zip(rows, verdicts.groupby("claim", sort=False), strict=True):
        marks = [row.count(f'<g class="{side}">') for side in ("for", "open", "against")]
        assert marks == [int(speaks in set(of_claim["speaks"])) for speaks in (1, 0, -1)]
        assert f'<a href="#claim-gap-quick-{id}">{sentences.whether(of_claim)}</a></td>\n<td data-label="as published">–</td>\n<td data-label="study">gap</td>' in row


def test_a_claim_that_is_planned_or_judged_twice_has_one_row_in_the_overview():
    def line(id, protocol, whether, **more):
        return SimpleNamespace(claim=f"x-{id}", study="x", id=id, text="", protocol=protocol, whether=whether, exploratory="", **more)

    rows = ledger.overview([line("C10", NOW, "Planned"), line("C2", PUBLISHED, "Fails"), line("C2", NOW, "Holds")])
    shown = [(row.id, [of and of.whether for of in row.by.values()]) for row in rows]
    assert shown == [("C2", ["Holds", "Fails"]), ("C10", ["Planned", None])]
    assert ledger.tally(rows) == {NOW: "1 holds, 1 planned", PUBLISHED: "1 fails"}


def test_reproduction_names_the_bytes_of_the_records(results):
    for folder in (results / "gap" / "quick", results / "own" / "default"):
        digests = dict(line.split("  ")[::-1] for line in (folder / "REPRODUCE.md").read_text().splitlines() if re.match("[0-9a-f]{64}  ", line))
        assert {name.rpartition("/")[2] for name in digests} == {"runs.jsonl", "plan.toml", "selection.json"}
        for name, digest in digests.items():
            assert hashlib.sha256((folder / name.rpartition("/")[2]).read_bytes()).hexdigest() == digest
    assert "sha256sum` prints\n" in (results / "own" / "default" / "REPRODUCE.md").read_text()
    assert "differs until" in (results / "gap" / "quick" / "REPRODUCE.md").read_text()


# Its parts


def found(arms=None, tuning=None, seeds=5):
    """Findings of arms, each of which was trained with some seeds at gaps 12 and 200."""
    trials = pd.DataFrame({"task": "recall/past", "cell": "rnn", "init": "long", "gap": gap, "seed": seed, "horizon": 200, "budget": 1600}
                          for gap in (12, 200) for seed in range(seeds))
    return SimpleNamespace(drawn=lambda _: arms, frame=trials, study=SimpleNamespace(name="x", preset="quick", tuning=tuning))


def arms(**columns):
    made = {"lr_doubt": None, "cell": ["rnn", "lstm", "rnn", "gru"], "init": ["standard", "standard", "long", "long"], "gaps": "12 200",
            "value": [24.8, 43.8, 0, np.inf]}  # fmt: skip
    return pd.DataFrame(made | columns)


@pytest.fixture
def all_forward(monkeypatch):
    monkeypatch.setattr(answer, "forward", lambda frame: frame)


@pytest.mark.usefixtures("all_forward")
def test_the_answer_has_the_numbers_of_its_picture():
    given = answer.answer([found(arms())])
    assert [sentence.partition(": ")[2] for sentence in given.sentences[:2]] == [
        "RNN (tanh): 25; LSTM: 44.", "RNN (tanh): fewer than 12; GRU: more than 200, the largest gap tried."]
    assert "memories of up to 200 steps, or orthogonal weights for the tanh RNN" in given.sentences[1]
    assert given.sentences[2].startswith("At least 5 nets") and "at most 1,600 sequences" in given.sentences[2]
    assert given.sentences[2].endswith("The learning rate of a cell is chosen at one gap.")
    assert given.command == "python -m study run x --preset quick --out again --only task=recall/past"
    doubted = answer.answer([found(arms(lr_doubt=["edge", None, None, "edge"]))])
    assert doubted.sentences[-1].endswith(" 2 of these 4 numbers may be too small, for this reason: edge.")
    alike = answer.answer([found(arms(cell=["rnn", "lstm", "lstm", "gru_after"], value=[24.8, np.inf, np.inf, np.inf]))])
    assert "back: LSTM and GRU (reset after): more than 200, the largest gap tried." in alike.sentences[1]


@pytest.mark.usefixtures("all_forward")
def test_the_answer_is_that_of_tuned_rates_then_of_the_most_arms():
    small, large, tuned = found(arms().head(2), seeds=9), found(arms()), found(arms().head(1), tuning=object())
    for presets, best in (([small, large], large), ([small, found()], small), ([large, tuned, small], tuned)):
        assert answer.answer(presets).found is best
    assert "tuned for each cell at each gap" in answer.answer([tuned]).sentences[-1]
    assert answer.answer([found(), found(arms(init="identity"))]) is None


@pytest.mark.parametrize("speaks, said", [
    ([1, 1], "Holds: of 2"), ([1, 0], "Holds in part: of 2"), ([-1], "Fails: of 1"), ([-1, 0], "Fails in part: of 2"),
    ([1, -1, 0], "Holds in part, fails in part: of 3"), ([0], "Not decided: of 1")])
def test_a_claim_holds_if_all_its_comparisons_speak_for_it(speaks, said):
    table = pd.DataFrame({"speaks": speaks, "outcome": "inconclusive"})
    assert sentences.fared(table).startswith(said) and sentences.whether(table) in sentences.WHETHER


def test_claims_come_by_number_and_exploratory_ones_last():
    rows = [("C10", ""), ("C2", ""), ("C15b", ""), ("C15", ""), ("C1", "known before"), ("L1", "")]
    named = [SimpleNamespace(id=id, exploratory=why) for id, why in rows]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger, "_of_preset", lambda one: named)
        assert [line.id for line in ledger.lines([SimpleNamespace(tables=["verdicts"])])] == ["C2", "C10", "C15", "C15b", "L1", "C1"]


@pytest.mark.parametrize("expected, bounds, interval, drawn", [
    (ABOVE, (0.5,), (0.6, 0.75, 0.9), (123, 157.5, 192)),
    (BELOW, (0.0,), (-1.0, -0.5, 1.0), (8, 146, 192)),
    (EQUAL, (0.5, 2.0), (0.75, 1.0, 3.0), (8, 146, 169)),
    (ABOVE, (0.0,), (np.nan, -2.0, np.nan), (8, 8, 8)),
])
def test_effects_are_drawn_beside_what_the_claim_expects(expected, bounds, interval, drawn):
    low, value, high = interval
    given = ledger._drawn(Effect("", value, low, high, expected, bounds, 1, 1, "", None, None))
    assert (given.low, given.value, given.high) == drawn


def draw(data, figure):
    axes = figure.subplots()
    axes.plot(data["gap"], data["rate"], "o-")
    axes.set_title("<a & b>")


def test_a_figure_on_a_page_has_all_of_its_marks_and_ids_of_its_own():
    data = pd.DataFrame({"gap": [1, 2, 4], "rate": [1, 0.25, 0]})
    svg, put = drawing.svg(draw, data), inline.Inliner()
    one, two = (ElementTree.fromstring(put(svg, 'what is "seen"')) for _ in range(2))
    counts = [{tag: sum(element.tag.endswith(f"}}{tag}") for element in root.iter()) for tag in ("path", "use", "text", "clipPath")}
              for root in (ElementTree.fromstring(svg), one, two)]
    assert counts[0] == counts[1] == counts[2] and counts[0]["use"] > 3
    assert one.get("aria-label") == 'what is "seen"' and "<a & b>" in [element.text for element in one.iter()]
    ids = [{element.get("id") for element in root.iter()} - {None} for root in (one, two)]
    assert ids[0] and not ids[0] & ids[1]
    classes = {element.get("class") for element in one.iter()} - {None, "drawing"}
    assert classes <= set(re.findall(r"^\.(s\d+)\{", put.sheet(), re.M))
    whole = ElementTree.tostring(one, encoding="unicode")
    assert len(whole) < len(svg) / 2 and not re.search(r"\d\.\d\d", whole)


def test_pictures_do_not_depend_on_the_last_digits_of_coordinates():
    def draw(data, figure):
        figure.set_size_inches(figure.get_figwidth() + data, 3)
        for axes in figure.subplots(1, 2):
            axes.plot([1, 2, 3], "o")

    assert drawing.svg(draw, 0) == drawing.svg(draw, 1e-9) != drawing.svg(draw, 1)


def test_words_for_a_figure_say_where_its_lines_end():
    data = pd.DataFrame({"cell": ["rnn", "rnn", "lstm", "lstm"], "init": "long", "gap": [5, 10, 5, 10], "rate": [1, 0.2, 1, 0.9]})
    assert alt.alt("Who solves it?", data) == ("Who solves it. RNN (tanh), LSTM; long initialisation. gap 5 to 10. success rate at gap 10: "
                                               "from 0.2 (RNN (tanh), long initialisation) to 0.9 (LSTM, long initialisation).")
    assert alt.alt("All", data.assign(rate=1)).endswith("success rate at gap 10: 1 everywhere.")


def test_a_line_without_points_leaves_a_picture_whole():
    def draw(data, figure):
        figure.subplots().plot([1, data], [1, 1], "v", [np.nan, np.nan], [0, 1], "v")

    assert ElementTree.fromstring(drawing.svg(draw, 2)).tag.endswith("svg")
