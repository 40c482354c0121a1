"""How a net answers test sequences."""

import math

import numpy as np

from study.trial.curve import mean
from study.trial.result import Evaluation
from study.trial.streams import batches

TEST = 2560  # fresh sequences, as in Hochreiter & Schmidhuber 1997
TEST_ROWS = 256


def evaluate(trial, task, net, theta):
    """The Evaluation on the task's fixed test part; on fresh sequences where it has none."""
    if task.test:
        parts = [task.test(trial.gap).usable(trial.direction)]
    else:
        parts = batches(trial, task, TEST_ROWS, TEST, "test")
    losses, correct = [], 0
    for part in parts:
        passed = net.forward(theta, part, tape=False)
        losses.append(passed.loss)
        correct += int(np.count_nonzero(task.right(passed.output, part)))
    losses = np.concatenate(losses)
    loss = mean(losses)
    return Evaluation(len(losses), correct, loss if math.isfinite(loss) else None)
