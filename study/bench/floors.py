"""The figures that the kernels must reach, and those that a folder of records has."""

import json

import numpy as np
import pandas as pd

import kernels
from study.bench import tables
from study.bench.peers import EARLIER
from study.bench.suites import ATTENTION, COPY, FLOORS, GRID, RECALL, TWO


def _online(record, cell):
    return next(case for case in record["cases"] if (case["cell"], case["B"]) == (cell, 1))


def _over_torch(records, at):
    return tables.ratio(_online(records["online"], "lstm"), "torch", at)


def _lstm_over_earlier(records, at):
    return tables.ratio(_online(records["online"], "lstm"), EARLIER, at)


def _others_over_earlier(records, at):
    """The least of the cells that the earlier commit has."""
    cells = {case["cell"] for case in records["online"]["cases"]} - {"lstm"}
    gains = (tables.ratio(_online(records["online"], cell), EARLIER, at) for cell in cells)
    return min(gain for gain in gains if gain is not None)


def _over_the_chain(records, at):
    return max(tables.step(*pair, at) / pair[1]["chain"][at] for pair in tables.row_pairs(records["row"]))


def _batch_over_earlier(cell):
    def value(records, at):
        case = next(case for case in records["trial"]["cases"] if (case["cell"], case["T"], case["H"]) == (cell, 100, 32))
        return tables.ratio(case, EARLIER, at)

    return value


class NotAskedFor(Exception):
    """A floor that is not for the records' instruction set."""


def _step_over_earlier(cell):
    def value(records, at):
        record = records["small"]
        if record["machine"]["kernels"]["isa"] != "avx512":
            raise NotAskedFor
        return tables.ratio(next(case for case in record["cases"] if case["cell"] == cell), EARLIER, at)

    return value


def _over_the_best(records, at):
    cases = records["trial"]["cases"]
    return np.exp(np.mean([np.log(tables.ratio(case, tables.fastest(case, at), at)) for case in cases]))


def _flatness(records, at):
    cases = records["long"]["cases"]
    seconds = {(case["cell"], case["H"], case["T"]): case["peers"]["ours"][at] / case["T"] for case in cases}
    lengths = sorted({T for *_, T in seconds})
    return max(seconds[cell, 128, lengths[-1]] / seconds[cell, 128, lengths[0]] for cell in ("rnn", "lstm"))


def _over_plain(H, net=(), task=RECALL):
    """The time of a net over that of one layer with one answer."""
    def value(records, at):
        plain = _net(records, H, ())
        return _net(records, H, net, task)["peers"]["ours"][at] / plain["peers"]["ours"][at]

    return value


def _module_over(peer, *cells):
    """The least gain of these cells, or of all, as a module of torch."""
    def value(records, at):
        cases = [case for case in records["modules"]["cases"] if case["cell"] in (cells or kernels.CELLS)]
        return min(tables.ratio(case, peer, at) for case in cases)

    return value


def _share_of_grid(records, at):
    """The share of the limit that a grid of two layers reaches, over that of two plain layers."""
    def share(net):
        case = _net(records, 64, net)
        return tables.limit(case, at) / case["peers"]["ours"][at]

    return share(GRID) / share(TWO)


def _net(records, H, net, task=RECALL):
    """The case of a net."""
    wanted = H, dict(net), task
    return next(case for case in records["nets"]["cases"] if (case["H"], dict(case["net"]), case["task"]) == wanted)


MOST, LEAST = "at most", "at least"
WANTED = {  # what: (value of the records, bound, floor)
    "training of 6a, one sequence at a time, LSTM, H = 8: times as fast as torch": (_over_torch, LEAST, 50),
    "the same: times as fast as the earlier commit": (_lstm_over_earlier, LEAST, 15),
    "the same, the slowest gain of any other cell": (_others_over_earlier, LEAST, 6),
    "forward and backward of one row over the dependent chain, the worst of five cells and three H": (_over_the_chain, MOST, 1.5),
    "iteration, B = 32, T = 100, H = 32, RNN: times as fast as the earlier commit": (_batch_over_earlier("rnn"), LEAST, 1.6),
    "the same, LSTM": (_batch_over_earlier("lstm"), LEAST, 1.25),
    "training step of that size with AVX-512, RNN: times as fast as the earlier commit": (_step_over_earlier("rnn"), LEAST, 1.3),
    "the same, by the LSTM": (_step_over_earlier("lstm"), LEAST, 1.3),
    "iteration, B = 32, six cells, geometric mean: times as fast as the faster of torch and jax": (_over_the_best, LEAST, 4.5),
    "iteration of two layers over one, LSTM, H = 64": (_over_plain(64, TWO), MOST, 2.1),
    "iteration with 9 classes at each step over one answer, LSTM, H = 32": (_over_plain(32, task=COPY), MOST, 1.2),
    "iteration with additive attention over none, LSTM, H = 32": (_over_plain(32, ATTENTION), MOST, 1.6),
    "share of the limit, a grid of two layers over two plain layers": (_share_of_grid, LEAST, 0.6),
    "module of torch, T = 100, H = 64, the slowest gain of any cell: times as fast as a loop in Python": (_module_over("loop"), LEAST, 3),
    "the same, LSTM: times as fast as torch's own": (_module_over("torch", "lstm"), LEAST, 1.3),
    "a step and row at T = 10,000 over T = 100, H = 128, the worse of RNN and LSTM": (_flatness, MOST, 1.15),
}


def table(folder):
    """What is wanted beside what the records in a folder reach; "not measured" where a record or a peer is missing, "not asked for"
    where the floor is for another instruction set.

    `reached` is by the medians, in brackets by the fastest tenth of the rounds; `met` is by the medians.
    """
    records = {suite: json.loads(path.read_text("utf-8")) for suite in FLOORS if (path := folder / f"{suite}.json").exists()}
    return pd.DataFrame([_judged(what, records, *wanted) for what, wanted in WANTED.items()])


def _judged(what, records, value, bound, floor):
    wanted = {"what": what, "wanted": f"{bound} {floor}"}
    try:
        median, fast = [value(records, at) for at in ("median", "fast")]
        reached = f"{median:.2f} ({fast:.2f})"
    except NotAskedFor:
        return wanted | {"reached": "not asked for", "met": ""}
    except (KeyError, StopIteration, TypeError, ValueError):  # a record, a case or a peer is missing
        return wanted | {"reached": "not measured", "met": ""}
    met = median <= floor if bound == MOST else median >= floor
    return wanted | {"reached": reached, "met": "yes" if met else "no"}
