"""Files of weights: one .npz for a trial, which NumPy reads without pickle.

It holds the final weights as arrays by "module/parameter", and three strings: `id`, `trial` (the knobs as JSON, as in the trial's
record) and `digest` (of all weights in the order of the file, as in the record). The bytes depend on the trial alone.
"""

import io
import json

import numpy as np

from study.errors import SpecError
from study.records.contents import READABLE
from study.records.files import content
from study.trial.result import digest


def encode(trial, weights, of_all):
    """The bytes of a file.

    Parameters
    ----------
    trial : study.trial.knobs.Trial
    weights : {"module/parameter": array}
    of_all : the digest of the trial's result
    """
    file = io.BytesIO()
    np.savez(file, **about(trial, of_all), **weights)
    return file.getvalue()


def about(trial, of_all):
    """The strings that say which trial's weights a file holds."""
    return {"id": trial.id, "trial": json.dumps(trial.knobs(always=READABLE)), "digest": of_all}


def read(path, trial, into, of_all):
    """Copy the weights of a file into arrays.

    Parameters
    ----------
    path : of the file
    trial : the Trial whose weights they have to be
    into : {"module/parameter": array}, views of one flat vector in its order
    of_all : the digest of the trial's record

    Raises
    ------
    SpecError
        The file is damaged, or holds anything else than the finite weights of this trial.
    """
    found = _arrays(path)
    expected = about(trial, of_all)
    said = {key: str(found.pop(key, None)) for key in expected}
    for key in ("id", "trial"):
        if said[key] != expected[key]:
            raise SpecError(f"{path}: {key}: expected weights of {expected[key]}, got those of {said[key]:.200}")
    if found.keys() != into.keys():
        raise SpecError(f"{path}: expected the arrays {', '.join(into)}, got {', '.join(found)}")
    for name, array in into.items():
        if (found[name].dtype, found[name].shape) != (array.dtype, array.shape):
            raise SpecError(f"{path}: {name}: expected {array.dtype} of shape {array.shape}, got {found[name].dtype} of shape "
                            f"{found[name].shape}")
        if not np.isfinite(found[name]).all():
            raise SpecError(f"{path}: {name}: expected finite numbers, got NaN or infinity")
        array[...] = found[name]
    now = digest(np.concatenate([array.ravel() for array in into.values()]))
    if not now == said["digest"] == of_all:
        raise SpecError(f"{path}: expected weights whose digest is the record's, {of_all}; the file says {said['digest']:.80}, its "
                        f"weights have {now}")


def _arrays(path):
    """{name: array} of a .npz file."""
    data = content(path)
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except Exception as error:  # of many kinds, by what is damaged: a changed size may ask for more memory than there is
        why = f"{type(error).__name__}: {error}".partition(" If you trust")[0]  # NumPy's advice to load it all the same
        raise SpecError(f"{path}: expected a file of weights (.npz), got a damaged or another file ({why})") from None
