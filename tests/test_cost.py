"""The memory that the cost model gives a trial, against that of a process which runs it; its time grows with the work."""

import subprocess
import sys

import pytest
import toy

from study.run.cost import cost, memory
from study.trial.knobs import Trial

RUN = """
import sys
from pathlib import Path
from study.trial.knobs import Trial
from study.trial.run import run
run(Trial.model_validate_json(sys.argv[1]))
(peak,) = (line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(int(peak) * 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("knobs", [
    {"cell": "lstm", "gap": 20}, {"cell": "lstm", "gap": 400}, {"cell": "rnn", "gap": 1000}, {"cell": "lstm", "gap": 150, "units": 128},
    {"cell": "gru", "gap": 60, "task": "recall/both", "direction": "both", "units": 96}, {"cell": "lstm", "gap": 64, "task": "digits"},
    {"cell": "lstm", "gap": 150, "head": "attention"}, {"cell": "rnn", "gap": 400, "task": "adding/hs97"}, {"cell": "lstm", "gap": 100, "batch": 512, "dtype": "float64", "budget": 4096},
    {"cell": "lstm", "gap": 40, "task": "language/number/1"}, {"cell": "lstm", "gap": 400, "layers": 6}, {"cell": "lstm", "gap": 200, "layers": 4, "stack": "grid"},
], ids=str)
def test_the_memory_of_a_trial_is_predicted_within_a_factor_of_two(knobs):
    trial = Trial(**{"lr": 0.01, "budget": 64} | knobs)
    done = subprocess.run([sys.executable, "-c", RUN, trial.model_dump_json(exclude_unset=True)], capture_output=True, text=True,
                          env=toy.environment(), check=True)
    assert 0.5 < memory(trial) / int(done.stdout) < 2


def test_more_to_do_costs_more():
    one = {"cell": "lstm", "gap": 50, "lr": 0.01}
    for more in ({"gap": 100}, {"units": 64}, {"dtype": "float64"}, {"direction": "both"}, {"head": "attention"}, {"layers": 2},
                 {"stack": "grid"}):
        assert cost(Trial(**one | more)) > cost(Trial(**one)) and memory(Trial(**one | more)) >= memory(Trial(**one))
    half, whole, twice = (cost(Trial(**one, budget=budget)) for budget in (64_000, 128_000, 256_000))
    fixed = cost(Trial(**one), 0.0)
    assert whole - half == pytest.approx(half - fixed) and twice - whole == pytest.approx(whole - fixed)
    assert cost(Trial(**one), 0.5) == half
