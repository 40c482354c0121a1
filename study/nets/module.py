"""The contract of a module: a part of a net with weights of its own."""

from typing import NamedTuple

import numpy as np

import kernels


class Wanted(NamedTuple):
    """What a backward pass computes besides the gradient of the weights.

    Attributes
    ----------
    inputs : the gradient with respect to the module's input
    norms : of a recurrent layer, the norms of the gradients with respect to its states, as in kernels.RNN.backward
    truncated : of a recurrent layer, errors flow back along the states' own paths only, as in kernels.RNN.backward
    """

    inputs: bool = True
    norms: bool = False
    truncated: bool = False


class Gradient(NamedTuple):
    """What a backward pass gives: theta (size,) for the module's weights; x like its input, or None; norms of each recurrent layer."""

    theta: np.ndarray
    x: np.ndarray | None = None
    norms: tuple[dict, ...] = ()


class Layer(NamedTuple):
    """A recurrent layer of a net in a forward pass, for probes.

    Attributes
    ----------
    rnn : the layer
    where : its weights in the flat vector of the net
    x : (T, B, inputs), what it was given
    tape : as rnn.forward gave it
    """

    rnn: kernels.RNN
    where: slice
    x: np.ndarray
    tape: object


class Module:
    """A part of a net.

    `theta` is always the module's own slice (size,) of the net's weights, and `batch` the study.tasks.Batch of the pass, from
    which a module takes row lengths or the places of answers. A module keeps no state between passes that could change a
    number.

    Attributes
    ----------
    shapes : {name: shape} of the weights, in the order in which they lie in the slice
    size : weights in all
    width : numbers of the output at each place
    """

    shapes: dict
    size: int
    width: int

    def init(self, seed, prefix, how):
        """Initial weights (size,).

        Parameters
        ----------
        seed : int
        prefix : str
            Stands before the name of each parameter in the key of its random stream, so that two modules of a kind never
            start equal. The first of a kind has the prefix "".
        how : study.nets.initialisation.Initialisation
        """
        raise NotImplementedError

    def forward(self, theta, x, batch, tape=True):
        """(output, tape): the tape is what `backward` needs. With `tape` false the pass may keep nothing."""
        raise NotImplementedError

    def backward(self, theta, tape, dy, wanted):
        """The Gradient of a forward pass whose output has the gradient dy. It may spend the tape.

        Parameters
        ----------
        theta : the weights of that forward pass
        wanted : Wanted
        """
        raise NotImplementedError

    def layers(self, tape, at):
        """The recurrent layers of a forward pass, the lowest first: [Layer], where the module's weights begin at `at`."""
        return []

    def stepper(self, theta, rows):
        """A function from x (rows, inputs) of the next step to the output (rows, width) there.

        It keeps the states between calls, and has the bits of `forward` with an answer at every step. Raises ValueError where the
        module needs later steps.
        """
        raise NotImplementedError

    def compile(self, training, x, at, truncated):
        """Add this module to a kernels.Training, or to a kernels.onnx.Model, which has its methods; return the part of its output.

        Parameters
        ----------
        x : the part of its input
        at : where its weights begin in the net's
        truncated : as in Wanted
        """
        raise NotImplementedError


def places(x):
    """(T, B, n) as (T B, n), without a copy."""
    return x.reshape(-1, x.shape[2])
