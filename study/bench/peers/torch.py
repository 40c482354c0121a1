"""torch: nn.RNN, nn.LSTM and nn.GRU (our gru_after); the other cells as scripted loops."""

from dataclasses import replace
from itertools import islice

import numpy as np
import torch

from study import tasks
from study.bench.peers import CHECKED, _loops, mean_losses, repeated
from study.bench.peers._autograd import differentiated
from study.bench.peers._fused import apart, fused
from study.bench.peers.ours import endless
from study.tasks import Judge
from study.trial import streams
from study.trial.evaluate import TEST, TEST_ROWS
from study.trial.knobs import Trial

TITLE = "torch"
MODULES = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru_after": torch.nn.GRU}
LOOPS = {"peephole": _loops.peephole, "coupled": _loops.coupled, "gru": _loops.gru}


def can(case):
    known, net = case.cell in MODULES or case.cell in LOOPS, dict(case.net)
    return known and net.get("stack", "plain") == "plain"


class Module:
    """A cell of torch. The second of its two biases stays 0 and is not trained, except in gru_after's block u."""

    def __init__(self, case, weights):
        torch.set_num_threads(case.threads)
        self.after, self.H = case.cell == "gru_after", case.H
        self.module = MODULES[case.cell](case.I, case.H, dtype=getattr(torch, case.dtype))
        parameters = list(self.module.parameters())
        with torch.no_grad():
            for parameter, array in zip(parameters, self._to(weights), strict=True):
                parameter.copy_(torch.from_numpy(np.ascontiguousarray(array)))
        parameters[3].requires_grad_(self.after)
        self.parameters = [parameter for parameter in parameters if parameter.requires_grad]

    def __call__(self, x):
        return self.module(x)[0]

    def one_bias(self):
        """Set the second bias's gradient to 0 where it repeats the first's."""
        if self.after:
            self.parameters[3].grad[: 2 * self.H] = 0

    def _to(self, weights):
        """[W_ih, W_hh, b_ih, b_hh] in torch's order of gates; ours of gru_after is n z r | z r u, torch's r z n."""
        W, U, b = (weights[name] for name in "WUb")
        if not self.after:
            return [*(np.concatenate([block.T for block in blocks]) for blocks in (W, U)), b.ravel(), 0 * b.ravel()]
        n, z, r, u = b
        blocks = [W[2], W[1], W[0]], [U[1], U[0], U[2]]
        return [*(np.concatenate([block.T for block in ordered]) for ordered in blocks), np.concatenate([r, z, n]),
                np.concatenate([0 * r, 0 * z, u])]

    def apart(self, gradients):
        """Gradients of the parameters, by our names and blocks."""
        W, U, b, *second = gradients
        W, U = (part.reshape(-1, self.H, part.shape[1]).transpose(0, 2, 1) for part in (W, U))
        b = b.reshape(-1, self.H)
        if not self.after:
            return {"W": W, "U": U, "b": b}
        return {"W": W[[2, 1, 0]], "U": U[[1, 0, 2]], "b": np.stack([b[2], b[1], b[0], second[0][2 * self.H :]])}


class Loop:
    """A cell that torch does not have, as a scripted loop."""

    def __init__(self, case, weights):
        torch.set_num_threads(case.threads)
        self.loop, self.H = LOOPS[case.cell], case.H
        self.weights = {name: torch.from_numpy(part.copy()).requires_grad_() for name, part in fused(weights).items()}
        self.parameters = list(self.weights.values())

    def __call__(self, x):
        return self.loop(x, **self.weights)

    def one_bias(self):
        """Nothing to do: there is one bias."""

    def apart(self, gradients):
        return apart(dict(zip(self.weights, gradients)), self.H)


def cell(case, weights):
    return (Module if case.cell in MODULES else Loop)(case, weights)


def training(case, given):
    net = cell(case, given["weights"])
    return differentiated(net, net.parameters, net.apart, given)


module = training


def forward(case, given):
    net, x = cell(case, given["weights"]), torch.from_numpy(given["x"])

    def step():
        with torch.no_grad():
            return net(x)

    return repeated(step), lambda: {"y": step().numpy()}


def iteration(case, given):
    learner = Learner(case, given)
    task = tasks.get(learner.trial.task)
    batches, judge = endless(task, learner.trial), Judge(task)

    def run(calls):
        for batch in islice(batches, calls):
            judge(learner.learn(batch)[1], batch)

    return run, lambda: mean_losses([learner.learn(next(batches))[0] for _ in range(CHECKED)])


def attend(w, y, query, read):
    """The outputs (B, K) of study.nets.heads.attention.Head, additive, for one answer a row: y (T, B, H), query (B, H), read (B,)."""
    scores = torch.tanh(query @ w["attention/P"] + y @ w["attention/Q"]) @ w["attention/v"]
    seen = torch.arange(len(y))[:, None] < read
    alpha = scores.masked_fill(~seen, -torch.inf).softmax(0)
    context = (alpha[..., None] * y).sum(0)
    mixed = torch.tanh(torch.addmm(w["mix/v"], torch.cat([context, query], 1), w["mix/V"]))
    return torch.addmm(w["readout/v"], mixed, w["readout/V"])


class Learner:
    """A trial's net and its optimizer. Rows need no lengths, because a forward net is read before their end."""

    def __init__(self, case, given):
        self.trial = Trial(**given["trial"])
        self.dtype = getattr(torch, case.dtype)
        layers = [replace(case, I=case.H if n else case.I) for n in range(1 + len(given["above"]))]
        self.layers = [cell(layer, weights) for layer, weights in zip(layers, [given["weights"], *given["above"]])]
        self.head = {name: torch.from_numpy(part.copy()).requires_grad_() for name, part in given["head"].items()}
        self.parameters = [parameter for layer in self.layers for parameter in layer.parameters] + list(self.head.values())
        if self.trial.optimizer == "adam":
            self.optimizer = torch.optim.Adam(self.parameters, lr=self.trial.lr, fused=True)
        else:
            self.optimizer = torch.optim.SGD(self.parameters, lr=self.trial.lr, momentum=self.trial.momentum, fused=True)

    def logits(self, batch):
        y = torch.from_numpy(batch.x).to(self.dtype)
        for layer in self.layers:
            y = layer(y)
        read = y.flatten(0, 1)[torch.from_numpy(batch.places())]
        if self.trial.head == "attention":
            return attend(self.head, y, read, torch.from_numpy(batch.read))
        return torch.addmm(self.head["v"], read, self.head["V"])

    def learn(self, batch):
        """(mean loss, softmax (P, K) before the update)"""
        logits = self.logits(batch)
        loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(batch.target))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        for layer in self.layers:
            layer.one_bias()
        torch.nn.utils.clip_grad_norm_(self.parameters, self.trial.clip)
        self.optimizer.step()
        return loss.item(), logits.detach().softmax(1).numpy()

    def correct(self, batch):
        with torch.no_grad():
            return int((self.logits(batch).argmax(1).numpy() == batch.target).sum())


def study(case, given):
    """As study.trial.run.run, without its probe of gradients."""
    learner = Learner(case, given)
    trial, task = learner.trial, tasks.get(learner.trial.task)
    judge, solved = Judge(task), None
    for batch in streams.batches(trial, task, trial.batch, trial.budget):
        _, output = learner.learn(batch)
        solved = judge(output, batch)
        if solved:
            break
    test = streams.batches(trial, task, TEST_ROWS, TEST, "test")
    return {"sequences": solved or trial.budget, "solved": bool(solved), "correct": sum(map(learner.correct, test))}
