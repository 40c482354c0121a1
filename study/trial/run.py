"""One trial: from its knobs to its result.

`run` is a pure function of the trial. It reads nothing else, writes nothing and uses one thread, and every float that it reports
comes from `kernels` or from exact operations, so the same trial gives the same bits anywhere.
"""

from dataclasses import replace

from study import tasks
from study.nets.architecture import Architecture
from study.nets.initialisation import Initialisation
from study.nets.net import Net
from study.probes import measure, norms, words
from study.probes.attention import looks
from study.trial import continual, streams
from study.trial.curve import History
from study.trial.evaluate import evaluate, longer
from study.trial.guess import guess
from study.trial.result import Result, digest
from study.trial.train import learn

PROBED = 200  # steps of a stream that probes look at
SELECTION_SEEDS = 2**31  # added to the seed of initial weights of selection trials, so that no other trial starts from them


def run(trial, weights=False):
    """Train, guess or probe, by the knobs of a study.trial.knobs.Trial. Returns a study.trial.result.Result.

    `weights`: with the final weights, unless training diverged.
    """
    task = tasks.get(trial.task).at(trial.gap)
    net = net_of(trial, task)
    result, theta = {"bptt": _train, "guess": _guess, "probe": _probe}[trial.method](trial, task, net)
    kept = net.view(theta) if weights and result.status == "done" else None
    return replace(result, parameters=net.size, digest=digest(theta), weights=kept)


def net_of(trial, task):
    """The Net of a trial of that study.tasks.Task, at the trial's gap."""
    return Net(task, Architecture.of(trial), trial.dtype)


def learning(task):
    """The learning loop of a task."""
    return continual.learn if task.segment else learn


def initial(trial, net):
    """The weights that training starts from."""
    seed = trial.seed + (SELECTION_SEEDS if trial.purpose == "select" else 0)
    return net.init(seed, initialisation(trial))


def initialisation(trial):
    """The Initialisation of the trial's knobs."""
    how = Initialisation(trial.init, trial.horizon, trial.scheme, trial.forget_bias, trial.chrono)
    return how._replace(bound=trial.start.bound, biases=trial.start.biases) if trial.start else how


def _train(trial, task, net):
    theta, history = initial(trial, net), History(trial.budget, trial.batch)
    full = trial.record == "full"
    gradients = {"start": _norms(trial, task, net, theta)} if full else None
    solved_at, diverged = learning(task)(trial, task, net, theta, history, trial.budget)
    result = _counts(trial, task, solved_at)
    result |= {"final_loss": history.final_loss(), "curve": history.curve() if full else None, "norms": gradients}
    if diverged:
        return Result(**result, diverged_at=history.seen), theta
    result["words"] = _words(trial, task, net, theta)
    if full:
        gradients["end"], result["alpha"] = _norms(trial, task, net, theta), _looks(trial, task, net, theta)
    return Result(**result, **_tests(trial, task, net, theta)), theta


def _guess(trial, task, net):
    if task.rule is None:
        raise ValueError(f"method: {trial.task} has no pass rule to guess by")
    theta, solved_at, guesses = guess(trial, task, net)
    return Result(**_counts(trial, task, solved_at), guesses=guesses, **_tests(trial, task, net, theta)), theta


def _probe(trial, task, net):
    theta, history = initial(trial, net), History(max(trial.after, 1), trial.batch)
    solved_at, diverged = learning(task)(trial, task, net, theta, history, trial.after) if trial.after else (None, False)
    sequences = history.seen if diverged else solved_at or trial.after
    if diverged:
        return Result(sequences=sequences, diverged_at=history.seen), theta
    batch = _probe_batch(trial, task)
    sequence = task.sample(streams.stream(trial, "lyapunov"), 1, _probed_gap(trial, task))
    looks = _looks(trial, task, net, theta)
    return Result(sequences=sequences, probe=measure(task, net.made_of, theta, batch, sequence), alpha=looks), theta


def _tests(trial, task, net, theta):
    return {"test": evaluate(trial, task, net, theta), "longer": longer(trial, task, net, theta)}


def _norms(trial, task, net, theta):
    return norms.norms_by_lag(task, net.made_of, theta, _probe_batch(trial, task))


def _looks(trial, task, net, theta):
    return looks(task, net.made_of, theta, _probe_batch(trial, task))


def _words(trial, task, net, theta):
    if task.contrasts is None or trial.purpose == "select":
        return None
    return words.explain(task, net.made_of, theta, trial.gap, sentences(trial, task))


def sentences(trial, task):
    """The sentences by which a net is explained, of a task with contrasts."""
    return task.draw(streams.stream(trial, "probe"), words.SENTENCES, trial.gap)


def _probe_batch(trial, task):
    return task.sample(streams.stream(trial, "probe"), norms.ROWS, _probed_gap(trial, task))


def _probed_gap(trial, task):
    return min(trial.gap, PROBED) if task.segment else trial.gap


def _counts(trial, task, solved_at):
    return {"solved": None if task.rule is None else solved_at is not None, "sequences": solved_at or trial.budget}
