"""What a net answers where some units of its top layer do not know the sentence: they are held at their means over all sentences.

Lakretz et al. 2019 hold a unit at 0. That also takes away what the unit does in every sentence, such as to count words, and so
names units that do not tell sentences apart.
"""

import numpy as np

import kernels

ROWS = 2048  # sentences that are read at a time, at most


class Held:
    """A net that reads forward, with the head last, from the cue of each sentence to its effect word.

    Parameters
    ----------
    net : study.nets.net.Net, no grid
    theta : (size,) weights
    batch : study.tasks.Batch of B sentences with one answer each, the effect word
    gap : steps from the cue to the step at which that is read

    Attributes
    ----------
    output : (B, K), what the net answers
    states : (gap + 2, B, S H) float64, all states of the top layer, the output first: before the cue, and after each step
    means : (gap + 2, S H), over the sentences
    """

    def __init__(self, net, theta, batch, gap):
        passed = net.forward(theta, batch)
        steps = batch.read - gap + np.arange(-1, gap + 1)[:, None]
        self.net, self.theta, self.output = net, theta, passed.output
        self.layer = net.layers(passed)[-1]
        self.x = self.layer.x[steps[1:], np.arange(len(batch.read))]
        self.states = states_at(self.layer, theta, steps)
        self.means = _mean(self.states)

    def outputs(self, sets):
        """(N, B, K), what the head gives if the units of each set, (N, H) bool, are held from the cue on, with all their states."""
        every = max(1, ROWS // self.x.shape[1])
        return np.concatenate([self._outputs(sets[first : first + every]) for first in range(0, len(sets), every)])

    def _outputs(self, sets):
        rnn, B = self.layer.rnn, self.x.shape[1]
        names, mask = rnn.cell.states, np.repeat(sets, B, axis=0)
        before = np.split(np.tile(self.states[0], (len(sets), 1)).astype(self.net.dtype), len(names), axis=1)
        now = {name: part[None] for name, part in zip(names, before)}
        for x, means in zip(self.x, self.means[1:]):
            given = np.tile(x, (len(sets), 1))
            free = rnn.forward(self.theta[self.layer.where], given[None], state=now, threads=1, tape=False).state
            now = {name: np.where(mask, mean.astype(self.net.dtype), free[name]) for name, mean in zip(names, np.split(means, len(names)))}
        y = now[names[0]][0]
        head = self.net.modules["head"].affine
        o = head.forward(self.net.part("head", self.theta), y + given if self.net.made_of.stack == "residual" else y)
        return o.reshape(len(sets), B, -1)

    def spread(self, classes):
        """(H,) how far the outputs of each unit are apart after cues of different classes (B,), from the cue on.

        The sum over steps and classes of the distance from the mean output of a class to that of all sentences.
        """
        H = self.layer.rnn.units
        h, apart = self.states[1:, :, :H], np.zeros(H)
        for k in np.unique(classes):
            for distance in np.abs(_mean(h[:, classes == k]) - self.means[1:, :H]):
                apart += distance
        return apart


def _mean(states):
    """(L, n), the mean over sentences of states (L, B, n)."""
    B = states.shape[1]
    return np.stack([kernels.product(np.ones((1, B)), np.ascontiguousarray(at_step))[0] for at_step in states]) / B


def states_at(layer, theta, steps):
    """(L, B, n) float64, all states of a study.nets.module.Layer that reads forward after steps (L, B); 0 after step -1, the start."""
    found = np.zeros((*steps.shape, len(layer.rnn.cell.states) * layer.rnn.units))
    for t, now in enumerate(states_of(layer, theta)):
        here, row = (steps == t).nonzero()
        found[here, row] = np.concatenate(list(now.values()), axis=1)[row]
    return found


def states_of(layer, theta):
    """Yield {name: (B, H)}, the states after each step, of such a layer."""
    step = layer.rnn.stepper(theta[layer.where], layer.x.shape[1])
    for x in layer.x:
        step(x)
        yield {name: values[0] for name, values in step.state.items()}
