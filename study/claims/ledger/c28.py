"""C28: the number, the gender and the country in a net that predicts words."""

from study.claims.language import ALIKE, LEARNED, after_another, by_attractors
from study.claims.ledger._setup import Setup, power
from study.statistics.arms import all_nets, nets_in_all, nets_within
from study.statistics.carrier import KNOWN, carriers
from study.statistics.verdict import Claim

FEW = 4
LSTM = {"LSTM": {"cell": "lstm"}}
KNOBS = {"init": "long", "horizon": 40, "budget": 64_000}
TEXTS = {cue: Setup(KNOBS | {"task": f"language/{task}"}, LSTM, gaps=(10,), seeds=12)
         for cue, task in (("number", "number/2"), ("gender", "gender"), ("country", "country"))}
NUMBER, GENDER, COUNTRY = TEXTS.values()
SETUPS = {"default": (NUMBER, GENDER, COUNTRY)}
CLAIM = Claim(
    "An LSTM that predicts words keeps the number, the gender or the country in few units; a new subject resets them, and attractors of the other number raise the "
    "error.",
    "Lakretz et al. 2019; Linzen, Dupoux & Goldberg 2016",
    f"Texts of the tasks language/number/2, language/gender and language/country with ten words between, H = 32, at most 64,000 texts, nets that know the cue. In every net at most {FEW} "
    "units, held at their means, cost half of what it knows (share of nets, Wilson's interval above one half; p: sign test; one "
    "exception decides nothing). After a name of the other gender, the share of wrong minimal pairs differs from that of a single name by less than "
    f"{ALIKE} (median over nets that have a single name right in {LEARNED:.0%}). Attractors of the other number give more wrong pairs than such of the same "
    "number (median over nets above 0; a net with neither counts as 0).",
    power=power("nets", NUMBER.seeds, 5))


def judge(runs):
    number, gender, _ = nets = [setup.of(runs)[0].runs for setup in TEXTS.values()]
    few, replaced, attracted = [_few(of_cue) for of_cue in nets], after_another(gender), _attracted(number)
    return [*(setup.verdict(f"few units carry the {cue}", all_nets("share of nets", held), planned=nets_in_all(held, of_cue, setup.seeds))
              for (cue, setup), of_cue, held in zip(TEXTS.items(), nets, few, strict=True)),
            GENDER.verdict("a new subject of the other gender replaces the old one",
                           nets_within("wrong pairs, after the other gender minus alone", replaced, (-ALIKE, ALIKE)),
                           planned=nets_in_all(replaced, gender, GENDER.seeds)),
            NUMBER.verdict("attractors of the other number raise the error",
                           nets_within("wrong pairs, opposite minus same", attracted, (0.0, 1.0)),
                           planned=nets_in_all(attracted, number, NUMBER.seeds))]


def _few(nets):
    """Whether a few units carry the cue, of each net that knows it."""
    known = [words for words in nets["words"].dropna() if words["accuracy"] - words["chance"] >= KNOWN]
    return [0 < len(carriers(words)) <= FEW for words in known]


def _attracted(nets):
    """As by_attractors, but a net without a wrong pair counts as 0."""
    clean = sum(all(above == pairs for pairs, _, above in tested.values()) for tested in nets["test_conditions"].dropna())
    return by_attractors(nets) + [0.0] * clean
