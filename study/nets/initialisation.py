"""The initial weights of a net."""

from typing import NamedTuple

import numpy as np

import kernels
from kernels.parameters import kinds


class Initialisation(NamedTuple):
    """A family of initial weights, with what is changed within it.

    Attributes
    ----------
    family : "standard": uniform in +-1/sqrt(H) with forget bias 1, unless scheme, forget_bias and chrono say otherwise.
        "long": made for long memories. A cell with a gate that retains has gate biases by chrono (Tallec & Ollivier 2018)
        with T_max = `horizon`, whatever the gap; any other cell has orthogonal U, if it has U.
        "published": that of a paper, for a net of one forward layer, by the last two fields.
    horizon : the longest time to be remembered, for "long"
    scheme, forget_bias, chrono : as in kernels.RNN.init, for "standard"
    bound : weights and biases are uniform in +-bound, but those of `biases`
    biases : {gate: its bias in each memory cell block}
    """

    family: str = "standard"
    horizon: float | None = None
    scheme: str = "uniform"
    forget_bias: float = 1.0
    chrono: float | None = None
    bound: float | None = None
    biases: dict = {}

    def of_layer(self, cell):
        """The arguments of kernels.RNN.init for a layer of that kernels.Cell."""
        if self.family == "standard":
            return {"scheme": self.scheme, "forget_bias": self.forget_bias, "chrono": self.chrono}
        if cell.retains:
            return {"scheme": "uniform", "chrono": self.horizon}
        return {"scheme": "orthogonal" if cell.recurrent else "uniform"}

    def draw(self, net, seed):
        """The weights (size,) of a study.nets.net.Net, for "published"; each parameter has its stream ("weights", seed, name)."""
        theta = np.empty(net.size, net.dtype)
        views = net.view(theta)
        for name, view in views.items():
            view[...] = kernels.Stream("weights", seed, name).uniform(view.size, -self.bound, self.bound).reshape(view.shape)
        for kind, rows in kinds(net.cell, net.made_of.block).items():
            for row, values in zip(rows, views[f"recurrent/forward/{kind}"]):
                if kind[0] == "b" and row in self.biases:
                    values[:] = self.biases[row]
        return theta
