"""Chorales: four voices by Bach; of each beat the keys of the next one are predicted.

The data are 352 chorales in four parts, from the files that music21 has. Of those that are nearly the same (more than three in
five of their successions of three chords, in any key) the first is kept. A frame is what sounds at the beginning of a beat: for
each of 46 keys of the piano (C2 to A5, all that occur) whether it sounds. Tied and repeated notes look alike, what lies between
two beats is left out, repeats are played once, and keys are as written. Every fifth chorale of the list is in the test part.

To learn from: a chorale is drawn, and an excerpt of `length` frames from anywhere in it; a shorter chorale as a whole. The test
chorales are cut into excerpts of `length` frames. A net predicts at each frame the next one. Its outputs are sigmoids, and its
loss is the negative log-likelihood of a frame, summed over the keys, in nats; the mean over the frames of an excerpt, then over
excerpts. A frame is right if all keys above 1/2 sound and no others.

There is no pass rule: the result is the loss on the test part at the end of the budget. Chance: no excerpt is right as a whole;
a constant probability for each key costs 11.3.

This is the measure of Boulanger-Lewandowski, Bengio & Vincent, Modeling Temporal Dependencies in High-Dimensional Sequences,
ICML 2012, on a beat of a quarter too. Its 382 files have other chorales, another split and 88 keys, whole chorales are
predicted with their first frame, and the mean is over all frames. So its numbers (RNN about 8.7 nats, RNN-NADE 5.6, quoted from
memory) are near ours, but no limits for them. With `length` 200, ours are whole chorales too.

A drawn sample, in numbers of MIDI notes, the bass first:

>>> import kernels
>>> batch = TASKS[0].sample(kernels.Stream("a drawn sample"), batch=1, gap=4)
>>> [(LOWEST + frame.nonzero()[0]).tolist() for frame in batch.x[:, 0]]
[[48, 64, 69], [50, 62, 66, 69], [59, 62, 67], [57, 60, 66, 71]]
>>> (LOWEST + batch.target[-1].nonzero()[0]).tolist()
[56, 59, 65, 74]
"""

import io
import re
import zipfile
from functools import cache

import numpy as np

from study.tasks import _data
from study.tasks._draws import below
from study.tasks._task import Batch, Task

DATA = "music21/corpus/bach/"
LOWEST, KEYS = 36, 46  # C2; to A5
EVERY = 5  # one chorale in so many is in the test part
SEMITONES = {b"C": 0, b"D": 2, b"E": 4, b"F": 5, b"G": 7, b"A": 9, b"B": 11}
# What a file has of a part, in its order: the part, ticks of a beat; of each note its pitch, if it is no rest, and its ticks.
EVENT = re.compile(rb"<part id|<note|<divisions>(?P<divisions>\d+)|<duration>(?P<duration>\d+)|"
                   rb"<step>(?P<step>.)</step>\s*(<alter>(?P<alter>-?\d)</alter>\s*)?<octave>(?P<octave>\d)")


@cache
def chorales():
    """frames (n + 1, 46) float32 of all chorales, one after the other, and a silent one; (353,) where each begins, and n."""
    scores = [frames_of(_score(content)) for content in _data.read(DATA)]
    begins = [0]
    for frames in scores:
        begins.append(begins[-1] + len(frames))
    return np.concatenate([*scores, np.zeros((1, KEYS))]).astype(np.float32), np.array(begins)


def _score(content):
    """The MusicXML in a compressed file."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("xml") and "/" not in name]
        return archive.read(name)


def frames_of(score):
    """(beats, 46) uint8: the keys that sound at the beginning of each beat, of a score in MusicXML (the form of DATA alone).

    There each part has one voice, and all begin and end on a beat.
    """
    sounding, beat, now, key, end = [], 1, 0, None, 0
    for event in EVENT.finditer(score):
        if event["divisions"]:
            beat = int(event["divisions"])
        elif event["step"]:
            key = 12 * int(event["octave"]) + 12 + SEMITONES[event["step"]] + int(event["alter"] or 0)
        elif event["duration"]:
            before, now = now, now + int(event["duration"])
            if key is not None:
                sounding.append((-(-before // beat), -(-now // beat), key - LOWEST))
            key, end = None, max(end, now // beat)
        elif event[0] == b"<note":
            key = None
        else:
            now = 0
    frames = np.zeros((end, KEYS), np.uint8)
    for first, after, key in sounding:
        frames[first:after, key] = 1
    return frames


def parts():
    """(chorales to learn from, chorales to test), as indices."""
    every = np.arange(len(chorales()[1]) - 1)
    return every[every % EVERY != EVERY - 1], every[every % EVERY == EVERY - 1]


def batch_of(starts, ends, length):
    """The excerpts that begin at the frames `starts`, of chorales that end before the frames `ends`, as a Batch."""
    frames, _ = chorales()
    lengths = np.minimum(ends - starts - 1, length)
    steps = np.arange(lengths.max())
    x = frames.take(np.where(steps < lengths[:, None], starts[:, None] + steps, -1).T, axis=0)
    rows, read = (steps < lengths[:, None]).nonzero()
    return Batch(x, lengths, read, frames.take(starts[rows] + read + 1, axis=0), np.searchsorted(rows, np.arange(len(starts) + 1)))


def build(words, length):
    learned, _ = parts()
    chosen, (_, begins) = learned[below(words[:, 0], len(learned))], chorales()
    first, end = begins[chosen], begins[chosen + 1]
    return batch_of(first + below(words[:, 1], np.maximum(end - first - length, 1)), end, length)


def test(length):
    _, tested = parts()
    _, begins = chorales()
    starts = [np.arange(begins[n], begins[n + 1] - 1, length) for n in tested]
    ends = np.repeat(begins[tested + 1], [len(few) for few in starts])
    return batch_of(np.concatenate(starts), ends, length)


TASKS = (
    Task(
        name="chorales",
        title="Bach chorales",
        source="Bach, as in music21; after Boulanger-Lewandowski, Bengio & Vincent 2012",
        axis="length",
        smallest_gap=2,
        lag=0.0,
        inputs=KEYS,
        outputs=KEYS,
        kind="binary",
        loss="binary_cross_entropy",
        chance={"score": 0.0, "loss": 11.34},
        rule=None,
        words=lambda length: 2,
        build=build,
        test=test,
        writes=True,
        data=DATA,
    ),
)
