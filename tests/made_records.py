"""Records of timing studies with made-up times, for the tests of tables, figures and commands."""

from study.bench import operations, record
from study.bench.case import Case

TINY = Case("table", "training", "lstm", 12, 5, 3, 7)


def entry(case, **medians):
    """The record of a case, with the given medians by peer."""
    results = {name: {"median": seconds, "q1": seconds, "q3": seconds, "calls": 1} for name, seconds in medians.items()}
    peak = {"median": 100e9, "q1": 99e9, "q3": 101e9}
    return {**vars(case), "operations": operations.operations(case), "peak": peak, "chain": None, "peers": results, "warnings": []}


def made(suite, entries):
    versions = {"ours": "1", "torch": "2"}
    setup = record.Setup(f"python -m study bench {suite}", 1, [0], {"rounds": 3}, versions, {})
    return record.make(suite, setup, entries, finished=True)


def with_fast(made_entry, chain=None):
    """The entry of a case with a fastest tenth of half the medians, and a dependent chain of that many seconds a step."""
    results = {name: result | {"fast": result["median"] / 2} for name, result in made_entry["peers"].items()}
    chain = chain and {"median": chain, "fast": chain}
    return made_entry | {"peers": results, "peak": made_entry["peak"] | {"fast": 100e9}, "chain": chain}
