"""The language tasks: the words of each version to the letter, its fillers, and the conditions in which answers are counted."""

import re
from collections import Counter
from time import process_time

import numpy as np
import pytest

import kernels
from study.tasks import TASKS, _symbols
from study.tasks._grammar import CLASSES, DRAWN, ENTRIES, MEN, THING, THINGS, VOCABULARY, WOMEN
from study.trial.knobs import Trial
from study.trial.run import initial, net_of
from study.trial.train import Compiled, clip_of, optimizer_of

ROWS = 2000
LANGUAGE = {name: task for name, task in TASKS.items() if name.startswith("language/")}
EVERY = pytest.mark.parametrize("name", LANGUAGE)
GAPS = [4, 5, 10, 20, 40]
FORMS = {
    "country": r"the (\w+) are in the (\w+) and i grew up in (?P<cue>\w+) (?P<filler>.*) i speak fluent (?P<effect>\w+) \.",
    "gender": r"(it|\w+) was very \w+ and (?P<cue>\w+) went home (?P<filler>.*?) ?because (?P<effect>he|she) was \w+ \.",
    "number": r"the (?P<cue>\w+) (?P<filler>.*) (?P<effect>is|are) \w+ \.",
}


def draw(name, gap, rows=ROWS):
    return LANGUAGE[name].draw(kernels.Stream("test"), rows, gap)


def texts(batch):
    whole = np.vstack([batch.x.symbols, batch.target[batch.offsets[1:] - 1]])
    return [_symbols.text(VOCABULARY, row) for row in whole.T]


def parsed(name, gap):
    """[(the match of a text with its form, its attractors)]"""
    form = FORMS[name.split("/")[1]]
    matches = [re.fullmatch(form, text) for text in texts(draw(name, gap))]
    return [(match, [word for word in match["filler"].split() if word in CLASSES["KEYS"]]) for match in matches]


def gaps_of(name):
    return [gap for gap in [LANGUAGE[name].smallest_gap, *GAPS] if gap >= LANGUAGE[name].smallest_gap]


def agreeing(effect):
    """The cues that have this effect."""
    words = {"he": MEN, "she": WOMEN, "is": THING, "are": THINGS}
    return words[effect] if effect in words else [CLASSES["COUNTRY"][CLASSES["TONGUE"].index(effect)]]


@EVERY
def test_the_cue_is_gap_steps_before_the_effect_is_predicted_and_decides_it(name):
    for gap in gaps_of(name):
        batch = draw(name, gap).last_judged()
        cues, effects = batch.x.symbols[batch.read - gap, np.arange(ROWS)], batch.target
        assert {VOCABULARY[effect] for effect in effects} == set(CLASSES[{"c": "TONGUE", "g": "SHE", "n": "IS"}[name[9]]])
        assert all(VOCABULARY[cue] in agreeing(VOCABULARY[effect]) for cue, effect in zip(cues, effects))


@EVERY
def test_texts_have_their_form_and_fillers_no_word_of_a_cue(name):
    cues = {*CLASSES["COUNTRY"], *CLASSES["TONGUE"], *MEN, *WOMEN, "he", "she", "is", "are"}
    for gap in gaps_of(name):
        for match, nouns in parsed(name, gap):
            assert match and match["cue"] in agreeing(match["effect"]) and cues.isdisjoint(match["filler"].split())
            if "number" in name:
                assert len(nouns) == int(name[-1])


def test_the_place_is_that_of_the_noun():
    pairs = {match.groups()[:2] for match, _ in parsed("language/country", 10)}
    assert pairs == set(zip(CLASSES["CLOUDS"], CLASSES["SKY"]))


def test_half_of_the_texts_have_another_name_first_of_either_gender_alike():
    before = Counter()
    for match, _ in parsed("language/gender", 10):
        assert match[1] != match["cue"]
        before["none" if match[1] == "it" else (match[1] in MEN) == (match["cue"] in MEN)] += 1
    assert [before[kind] / ROWS for kind in ("none", True, False)] == pytest.approx([0.5, 0.25, 0.25], abs=0.03)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_attractors_are_all_of_one_number_which_is_that_of_the_subject_in_half_of_the_texts(n):
    alike = []
    for match, nouns in parsed(f"language/number/{n}", 20):
        assert len({noun in THING for noun in nouns}) == 1
        alike.append((nouns[0] in THING) == (match["cue"] in THING))
    assert np.mean(alike) == pytest.approx(0.5, abs=0.04)


@EVERY
def test_conditions_are_what_the_texts_say_and_constants_get_half_of_their_pairs(name):
    task = LANGUAGE[name]
    batch = draw(name, 10)
    answer, foil, condition = task.contrasts(batch)
    again = task.contrasts(task.sample(kernels.Stream("test"), ROWS, 10).part(0, ROWS))
    assert all(np.array_equal(one, other) for one, other in zip((answer, foil, condition), again))
    said = [kinds(name, match, nouns) for match, nouns in parsed(name, 10)]
    names = [task.conditions[number] for number in condition]
    assert names == [kind for kind, _ in said] + ["near"] * ("near" in names) * ROWS and set(names) == set(task.conditions)
    assert [VOCABULARY[word] for word in batch.target[answer[:ROWS]]] == [effect for _, effect in said]
    for constant in np.random.default_rng(0).normal(size=(5, len(VOCABULARY))):
        above = constant[batch.target[answer]] > constant[foil]
        assert above[:ROWS].mean() == pytest.approx(0.5, abs=0.06) and above.mean() == pytest.approx(0.5, abs=0.06)


def kinds(name, match, nouns):
    """(the condition of a text, its effect)"""
    effect = match["effect"]
    if "gender" in name:
        before = "no name" if match[1] == "it" else "same gender" if (match[1] in MEN) == (match["cue"] in MEN) else "other gender"
        return f"{effect}, {before} before", effect
    if "number" in name:
        number = "singular" if effect == "is" else "plural"
        alike = [(noun in THING) == (effect == "is") for noun in nouns]
        return number + (", same attractors" if all(alike) else ", opposite attractors") * bool(nouns), effect
    return effect, effect


def test_classes_are_drawn_evenly_and_have_their_words_in_order():
    for slot, words in enumerate(ENTRIES):
        counts = np.bincount(DRAWN[256 * slot : 256 * slot + 256], minlength=len(VOCABULARY))
        if len(words) & (len(words) - 1) == 0:
            assert all(counts[word] == 256 // len(words) * words.count(word) for word in words) and counts.sum() == 256
    for name in ("COUNTRY", "TONGUE", "CLOUDS", "SKY", "MARY", "SHE", "KEYS", "IS"):
        words = [VOCABULARY.index(word) for word in CLASSES[name]]
        assert words == list(range(words[0], words[0] + len(words))) and len(words) % 2 == 0
    assert 200 <= len(VOCABULARY) <= 250 and all(word.islower() or not word.isalpha() for word in VOCABULARY)


@pytest.mark.parametrize("name, gap, room", [
    ("country", 3, "a link"), ("gender", 2, "went home"), ("number/0", 0, "a word"), ("number/2", 5, "2 attractors of 3 words"),
])
def test_a_gap_without_room_is_refused_with_what_needs_it(name, gap, room):
    with pytest.raises(ValueError, match=rf"gap: language/{name} needs at least {gap + 1}, got {gap} \(room for .*{room}"):
        Trial.model_validate({"cell": "lstm", "task": f"language/{name}", "gap": gap, "lr": 0.01}, context={"tasks": TASKS})


@pytest.mark.parametrize("direction", ["reverse", "both"])
@pytest.mark.parametrize("task, gap", [("language/country", 5), ("reber", 0), ("lag_free", 5)])
def test_nets_that_see_the_next_word_are_refused(task, gap, direction):
    with pytest.raises(ValueError, match=f"direction: {task} asks for the next step.*expected 'forward', got '{direction}'"):
        Trial.model_validate({"cell": "lstm", "task": task, "gap": gap, "lr": 0.01, "direction": direction}, context={"tasks": TASKS})


def test_an_unknown_word_names_the_nearest():
    with pytest.raises(ValueError, match="unknown symbol 'frence'; did you mean 'french'"):
        _symbols.numbers(VOCABULARY, "i speak frence")


def test_batches_cost_at_most_a_tenth_of_learning_from_them():
    trial = Trial(cell="lstm", task="language/country", gap=87, lr=0.001)  # 100 steps
    task = TASKS[trial.task].at(trial.gap)
    net = net_of(trial, task)
    training, theta, optimizer = Compiled(net, False), initial(trial, net), optimizer_of(trial, net.size)
    words = kernels.Stream("test")
    block = task.draw(words, 320, trial.gap).usable("forward")
    assert len(block.x.symbols) == 100
    draws = fastest(lambda: task.draw(words, 320, trial.gap))
    assert draws <= 0.1 * fastest(lambda: training.run(theta, optimizer, block, 32, clip_of(trial)))


def fastest(call):
    """Seconds of processor time of the fastest of three calls."""
    seconds = []
    for _ in range(3):
        start = process_time()
        call()
        seconds.append(process_time() - start)
    return min(seconds)
