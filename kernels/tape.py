"""What a forward pass leaves for the backward pass: sizes, arrays, and the recurrences with their buffers."""

import itertools

from kernels import checks
from kernels.processor import build, threads as available_threads

SEGMENT = build("timeloop", "float32").SEGMENT      # steps; cuts at multiples of it change no bit
PACE = 2**27                    # multiply-adds of a native call: Python hears signals in between, a few times a second
WARM = 2**21                    # bytes of tape of a native call: weight gradients follow while its deltas are in the caches


def steps_of_a_call(layer, rows):
    """Steps of a native call, a multiple of SEGMENT."""
    work = rows * (layer.size + 32 * layer.units)
    tape = rows * layer.units * (len(layer.cell.blocks) + len(layer.cell.states)) * layer.dtype.itemsize
    return max(1, min(PACE // work, WARM // tape) // SEGMENT) * SEGMENT


class Tape:
    """What a forward pass keeps for the backward pass, which spends it. It refers to x, and has no public attributes."""

    __slots__ = ("_record",)

    def __init__(self, record):
        self._record = record

    def __reduce_ex__(self, _):
        raise TypeError("tape: it cannot be copied or pickled, since its buffers have one owner; run forward again")


class Record:
    """The sizes, arrays and buffers of a forward pass.

    The steps are cut into segments of `span` steps. The tapes of the recurrences hold one segment at a time; where there are
    several, the states at their borders are kept.
    """

    def __init__(self, layer, theta, x, lengths, span, threads):
        self.layer, self.theta, self.lengths, self.span, self.threads = layer, theta, lengths, span, threads
        self.x, self.pins = checks.pinned(x)
        T, B, _ = self.shape = self.x.shape     # it outlives x, which another thread's backward pass lets go of
        self.segments = [(t, min(t + span, T)) for t in range(0, T, span)]
        self.pace = steps_of_a_call(layer, B)
        self.borders, self.merge, self.unspent = [], None, [True]
        self.recurrences = [self.placed(layer._recurrence(span, B, name == "reverse"), self.x) for name in layer._names]

    def placed(self, recurrence, x):
        """The recurrence, over x, with a buffer of its own."""
        recurrence.place(self.layer._workspace.take(recurrence.size))
        recurrence.bind_batch(x, self.lengths)
        return recurrence

    def steps(self, i):
        """Each recurrence's i-th segment (t0, t1); a reverse one starts with the last."""
        return [self.segments[-1 - i if recurrence.reverse else i] for recurrence in self.recurrences]

    def forward(self, i, states):
        """Run all recurrences over their i-th segment, from `states` (S, D, B, H)."""
        segments = self.steps(i)
        for d, (recurrence, segment) in enumerate(zip(self.recurrences, segments)):
            recurrence.begin(*segment)
            recurrence.write_states(states[:, d])
        for recurrences, ranges in self.calls(self.recurrences, segments, False):
            self.layer._loop.forward(recurrences, ranges, self.threads)

    def backward(self, recurrences, segments):
        """Run recurrences back over the segments on their tapes, and add to the gradients of their weights."""
        workspace = self.layer._workspace
        for recurrences, ranges in self.calls(recurrences, segments, True):
            self.layer._loop.backward(recurrences, ranges, self.threads, workspace.take, workspace.give)

    def calls(self, recurrences, segments, back):
        """(recurrences, ranges of steps) of each native call: `pace` steps, so that Python hears signals in between."""
        cuts = []
        for recurrence, (t0, t1) in zip(recurrences, segments):
            ranges = [(t, min(t + self.pace, t1)) for t in range(t0, t1, self.pace)]
            cuts.append(ranges[::-1] if recurrence.reverse != back else ranges)
        for ranges in itertools.zip_longest(*cuts):
            yield [recurrence for recurrence, steps in zip(recurrences, ranges) if steps], [steps for steps in ranges if steps]

    def refuse_spent(self):
        if not self.unspent:
            raise RuntimeError("tape: expected one that no backward pass has spent; run forward again")

    def spend(self):
        """Only one of several Python threads succeeds: a pop is atomic, and leaves no lock that a fork could copy locked."""
        try:
            self.unspent.pop()
        except IndexError:
            self.refuse_spent()
        self.threads = available_threads(self.threads)      # 1 in a child of the process that ran forward

    def release(self):
        """Let go of x, and give the buffers back, once, for other tapes to use."""
        recurrences = [*self.recurrences, *([self.merge] if self.merge else [])]
        self.recurrences, self.merge, self.borders, self.x, self.pins = [], None, [], None, None
        for recurrence in recurrences:
            self.layer._workspace.give(recurrence.buffer)
