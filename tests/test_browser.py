"""The page in a browser: no error, nothing loaded, controls by keyboard, and how it looks.

Needs playwright and a Chromium of this machine; skipped where one is missing. A picture that is not there is stored, and its test
fails: delete pictures to have them anew, and look at what is stored.
"""

import dataclasses
import io
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import synthetic
from PIL import Image

import study
from study.plan import spec
from study.plan.plan import Plan
from study.records.table import where
from study.report import findings, site
from study.report.figures import FIGURES
from study.report.trials import forward
from study.tasks import TASKS

PICTURES = Path(__file__).parent / "pictures"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SHOWN = {name: FIGURES[name] for name in ("half_success", "learned_and_reached", "success", "gradients", "time_constants")}
HOSTILE = "</title></script><script>alert(1)</script>\"'`${1}&<img src=x onerror=alert(1)> \u202eback\u2066 javascript:alert(1) {{ 7*7 }}"
WIDTHS = (390, 1280)
GRAIN, TOLERANCE = 16, 0.04  # pixels that are one in a stored picture; mean difference of grey, of 1: fonts differ between machines


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=["--no-sandbox", "--font-render-hinting=none"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def page_file(probed_frame, spoken_frame, tmp_path_factory):
    """A page of three presets: trained nets with hostile names, probed nets, and nets that explain their words."""
    folder = tmp_path_factory.mktemp("browser")
    synthetic.write(folder / "gap" / "quick", keep=lambda trial: trial.task == "recall/past" and trial.seed < 2)
    plain = spec.read({"name": "x", "grids": [{"name": "g", "seeds": 1, "axes": {"cell": ["rnn"], "gap": [4], "lr": [0.01]}}]}, TASKS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(findings, "FIGURES", SHOWN)
        trained = findings.find(folder / "gap" / "quick")
        hostile = dataclasses.replace(trained, plan=Plan(trained.study.model_copy(update={"title": HOSTILE}), trained.plan.choices))
        probed, spoken = (findings.conclude(Plan(plain.model_copy(update={"name": name}), {}), frame, {})
                          for name, frame in (("probed", probed_frame), ("spoken", _as_recorded(spoken_frame))))
    file = folder / "index.html"
    file.write_text(site.html([hostile, probed, spoken]), encoding="utf-8")
    return file


def _as_recorded(frame):
    return frame.assign(id=[f"id-{k}" for k in range(len(frame))], solved=True, sequences=100, parameters=9, norms=[{}] * len(frame), purpose="train",
                        init="standard", test_loss=None, test_n=None)  # fmt: skip


@pytest.fixture
def opened(browser, page_file):
    """opened(width, **options) -> a page that has run its scripts; every error, request and dialog of it fails the test."""
    wrong, contexts = [], []

    def opened(width=1280, **options):
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, **options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: (wrong.append("a dialog"), dialog.dismiss()))
        page.on("request", lambda request: None if request.url == page_file.as_uri() else wrong.append(request.url))
        page.goto(page_file.as_uri())
        if options.get("java_script_enabled", True):
            page.wait_for_selector(".command button")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_every_anchor_lands(opened, width, scheme):
    page = opened(width, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.title() == site.QUESTION and page.locator("h2 bdi").first.text_content() == HOSTILE
    missing = page.evaluate("""[...document.querySelectorAll('a[href^="#"]')].map((link) => decodeURIComponent(link.hash.slice(1)))
        .filter((id) => !document.getElementById(id))""")
    assert missing == []
    page.locator("nav#contents a").last.click()
    assert page.evaluate("Math.abs(document.querySelector(location.hash).getBoundingClientRect().top) < innerHeight / 2")


def test_the_arms_are_chosen_by_keyboard(opened):
    page = opened()
    said = page.locator("#arms-said").text_content
    assert page.locator("#cell-a").input_value() == "rnn" and page.locator("#cell-b").input_value() == "lstm"
    page.locator("#gap").focus()
    page.keyboard.press("Home")
    assert said().startswith("At gap 20: A, RNN (tanh), standard initialisation: ")
    page.keyboard.press("ArrowRight")
    assert said().startswith("At gap 60: ") and page.locator("#arms-shown .chosen").count() > 0
    page.locator("#cell-a").focus()
    page.keyboard.press("G")
    page.keyboard.press("Tab")
    page.keyboard.press("l")
    assert ": A, GRU, long initialisation: " in said()
    titles = page.locator("#arms-shown h4").all_text_contents()
    assert titles == ["Seeds that solve it", "Gradient that is left, before training", "Time constants, before training"]
    assert page.locator("#arms-shown svg.chart").count() == 3 and page.locator("#arms-shown .half.a").count() == 1


def test_what_the_explorer_says_is_what_the_records_say(opened, page_file):
    page = opened()
    of_lstm = page.locator("#arms-shown .chart").first.get_attribute("aria-label").partition("LSTM, standard initialisation: ")[2]
    trials = where(forward(study.load(page_file.parent / "gap" / "quick")), cell="lstm", init="standard")
    for gap, runs in trials.groupby("gap"):
        assert f"gap {gap}: {runs['solved'].sum()} of {len(runs)} seeds solve it" in of_lstm
    assert trials["gap"].nunique() > 1


def test_squares_of_a_sentence_are_walked_by_keyboard(opened):
    page = opened()
    page.locator("#reader").focus()
    squares = page.locator("table.squares tbody tr")
    assert squares.count() == 3 and page.locator("table.squares tbody th").first.text_content().count("most important") == 1
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "TD"
    first = page.locator("#square-said").text_content()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    second = page.locator("#square-said").text_content()
    assert first != second and all(re.search(r": (input|update) gate [iz] [\d.]+, ", said) for said in (first, second))
    assert page.evaluate("document.activeElement.cellIndex") == 2
    assert page.locator("#ablation svg.chart").count() == 2


def test_tables_are_sorted_and_numbers_are_saved(opened):
    page = opened()
    page.locator("#gap-quick-tables").scroll_into_view_if_needed()
    table = page.locator("#gap-quick table.sortable").first
    page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
    head = table.locator("th button", has_text="cell")
    column = "table => [...table.tBodies[0].rows].map((row) => row.cells[1].textContent)"
    before = table.evaluate(column)
    head.focus()
    page.keyboard.press("Enter")
    assert table.evaluate(column) == sorted(before, key=str.lower) != sorted(before, key=str.lower, reverse=True)
    page.keyboard.press("Enter")
    assert table.evaluate(column) == sorted(before, key=str.lower, reverse=True)
    with page.expect_download() as download:
        page.locator('a.csv[data-key="gap/quick/figures/success"]').click()
    assert download.value.suggested_filename == "gap-quick-figures-success.csv"
    assert Path(download.value.path()).read_text().startswith("task,cell,init,gap,trials,solved,")


def test_without_javascript_the_pictures_and_all_rows_are_there(opened):
    page = opened(java_script_enabled=False)
    assert page.locator("#explorer .static").is_visible() and not page.locator("#arms").is_visible()
    assert page.locator(".picture svg").first.is_visible() and page.locator("ol.ledger > li").count() > 2


def test_all_pictures_have_words_and_all_controls_have_names(opened):
    page = opened()
    nameless = page.evaluate("""[...document.querySelectorAll('svg:not([aria-hidden=true]), select, input, button')]
        .filter((part) => !(part.getAttribute('aria-label') || part.textContent.trim() || part.closest('label'))).map((part) => part.outerHTML)""")
    assert nameless == [] and page.locator("svg[role=img]").count() > 10


# How it looks

LOOKS = {"top": "#top", "ledger": "ol.ledger > li:nth-child(1)", "arms": "#arms", "sentence": "#sentence"}


def coarse(picture):
    """The grey of a PNG, of squares of GRAIN pixels."""
    image = Image.open(io.BytesIO(picture)).convert("L")
    return image.resize((image.width // GRAIN, image.height // GRAIN), Image.Resampling.BOX)


def looks(page):
    return {name: coarse(page.locator(place).screenshot()) for name, place in LOOKS.items()}


def apart(one, two):
    """The mean difference of grey of two pictures, of 1, over the larger of both."""
    size = [max(sides) for sides in zip(one.size, two.size)]
    padded = []
    for image in (one, two):
        whole = Image.new("L", size, 128)
        whole.paste(image)
        padded.append(np.asarray(whole, float) / 255)
    return np.abs(padded[0] - padded[1]).mean()


@pytest.mark.parametrize("width", WIDTHS)
def test_it_looks_as_it_did(opened, width):
    page = opened(width)
    stored = {name: PICTURES / f"{name}-{width}.png" for name in LOOKS}
    now = looks(page)
    new = [now[name].save(path) or path.name for name, path in stored.items() if not path.exists()]
    assert not new, "stored; look at them"
    assert max(apart(now[name], Image.open(path)) for name, path in stored.items()) < TOLERANCE
    page.evaluate("document.querySelector('style').remove()")
    bare = looks(page)
    assert min(apart(bare[name], Image.open(path)) for name, path in stored.items()) > TOLERANCE
