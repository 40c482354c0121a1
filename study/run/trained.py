"""The trained net of a recorded trial: its weights are read from the folder of its record, or the trial is trained again."""

import numpy as np

from study.errors import SpecError, unknown
from study.records import store, weights
from study.run.estimate import Estimate, duration
from study.tasks import LEFT_OUT, TASKS
from study.trial.knobs import Trial
from study.trial.result import Result
from study.trial.run import net_of, run


class Trained:
    """A recorded trial and its net.

    Parameters
    ----------
    entry : dict of study.records.find.find

    Attributes
    ----------
    trial, task, net : its Trial, study.tasks.Task at the trial's gap, and study.nets.net.Net
    result : its Result, as recorded

    Raises
    ------
    SpecError
        The trial has no final weights, or this version cannot train it.
    """

    def __init__(self, entry):
        id = entry["id"]
        if entry["status"] != "done":
            raise SpecError(f"{id}: expected a trial that is done, got one that {entry['status']}")
        if (task := entry["trial"]["task"]) not in TASKS:
            raise SpecError(f"{id}: {LEFT_OUT.get(task) or unknown('task', task, TASKS)}")
        self.trial, self.result = Trial.model_validate(entry["trial"]), Result.of(entry["result"])
        if self.trial.id != id:
            raise SpecError(f"{id}: expected a trial of this version, which would have the id {self.trial.id}")
        self.task = TASKS[self.trial.task].at(self.trial.gap)
        self.net = net_of(self.trial, self.task)
        self._kept = store.weights_of(entry["folder"], id)

    def weights(self, say):
        """theta (size,), the final weights. Calls `say` with a line before it trains.

        Raises SpecError if the kept file is not that of the trial, Broken if training gives other weights than were recorded.
        """
        if self._kept.exists():
            theta = np.empty(self.net.size, self.net.dtype)
            weights.read(self._kept, self.trial, self.net.view(theta), self.result.digest)
            return theta
        estimate = Estimate.of_this_machine()
        estimate.learn(self.trial, self.result)
        say(f"{self.trial.id} is trained again, about {duration(estimate.expected(self.trial))}: its weights were not kept")
        now = run(self.trial, weights=True)
        if now.digest != self.result.digest:
            raise store.Broken(f"{self.trial.id}: its weights have the digest {now.digest} now, its record says {self.result.digest}: "
                               "the same trial must give the same bits everywhere")
        return np.concatenate([array.ravel() for array in now.weights.values()])
