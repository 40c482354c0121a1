"""Work for the engine that needs no kernels: results that are a function of the trial, and faults on demand."""

import hashlib
import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

from study.trial.knobs import Trial
from study.trial.result import Evaluation, Result


def trials(n, **knobs):
    return [Trial(**{"cell": "lstm", "gap": 25, "lr": 0.01, "seed": seed} | knobs) for seed in range(n)]


def number(trial):
    return int(hashlib.sha256(trial.id.encode()).hexdigest()[:8], 16) / 7.0


def work(trial):
    """A Result at once; a trial's batch says for how many milliseconds it sleeps, beyond the usual 32."""
    time.sleep((trial.batch - 32) / 1000)
    result = Result(
        solved=number(trial) % 2 < 1.5,
        sequences=1000 + trial.seed,
        parameters=trial.units,
        final_loss=number(trial),
        curve={"sequences": [1, 2], "loss": [number(trial), 0.1], "score": [0.0, 1.0]},
        digest=trial.id,
        test=Evaluation(2560, trial.seed, 0.5),
    )
    return replace(result, solved=False, sequences=trial.budget, diverged_at=2) if trial.gap == 13 else result


def outcome(trial, seconds=1.0, host="here", **changed):
    """The engine's outcome of toy work, with some of the result changed."""
    return outcome_of(replace(work(trial), **changed), seconds, host)


def outcome_of(result, seconds=1.0, host="here"):
    return {"status": result.status, "result": result, "seconds": seconds, "host": host}


def faulty(trial):
    """Of the trials that train, seed 1 raises, 2 kills its worker every time, 3 hangs and says so by a file; the others work."""
    if trial.purpose == "select":
        return work(trial)
    if trial.seed == 1:
        raise RuntimeError("no luck")
    if trial.seed == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    if trial.seed == 3:
        if "HANGING" in os.environ:
            Path(os.environ["HANGING"]).touch()
        time.sleep(300)
    return work(trial)


STUDY = """
name = "toy"
knobs = {{ budget = 5000, batch = {batch} }}
selection = {{ rates = [0.001, 0.01], seeds = 2, gap = {{ "recall/past" = 25 }} }}
[[grids]]
name = "grid"
seeds = {seeds}
axes = {{ cell = ["rnn", "lstm"], gap = [12, 25], init = ["long"] }}
"""


def study_file(folder, seeds=4, milliseconds=0):
    """A study file of 8 trials that choose rates and 4 a seed that use them."""
    path = Path(folder, "toy.toml")
    path.write_text(STUDY.format(seeds=seeds, batch=32 + milliseconds))
    return str(path)


def environment(**more):
    """For processes that import what the tests import."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | more


def until(happened):
    """Wait for what a function finds; AssertionError after a minute."""
    end = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.02)


def interrupt_twice(process):
    """The second time when the driver has said that it waits for trials in flight."""
    process.send_signal(signal.SIGINT)
    assert any("interrupt again" in line for line in process.stderr)
    process.send_signal(signal.SIGINT)


def noting(function, name, of):
    """The function, which from now on notes what `of` makes of its arguments in a file of the folder LEDGER."""
    path = Path(os.environ["LEDGER"], name)

    def noted(*arguments, **named):
        result = function(*arguments, **named)
        with open(path, "a") as file:
            file.write(f"{of(*arguments)}\n")
        return result
    return noted


def real(trial, **how):
    from study.trial.run import run

    return run(trial, **how)


WORK = {"": work, "faulty": faulty, "real": real}

if __name__ == "__main__":  # the commands, with toy work, or what LEDGER and TOY say
    from study import process

    process.start()
    from study.__main__ import main
    from study.cli import trials as commands
    from study.records import store
    from study.run import estimate

    kind = os.environ.get("TOY", "")
    commands.train = WORK[kind]
    if kind != "real":
        estimate.machine_pace = lambda: 1.0
        commands.write_report = "a report on {}".format
    if "LEDGER" in os.environ:
        commands.train = noting(commands.train, "computed", lambda trial: trial.id)
        commands.train = noting(commands.train, "workers", lambda trial: os.getpid())
        store.Driver.record = noting(store.Driver.record, "acknowledged", lambda driver, trial, outcome: trial.id)
    commands.machine.facts = dict
    main()
