"""The initial weights of a net."""

from typing import NamedTuple


class Initialisation(NamedTuple):
    """A family of initial weights, with what is changed within it.

    Attributes
    ----------
    family : "standard": uniform in +-1/sqrt(H) with forget bias 1, unless the last three fields say otherwise.
        "long": made for long memories. A cell with a gate that retains has gate biases by chrono (Tallec & Ollivier 2018)
        with T_max = `horizon`, whatever the gap; any other cell has orthogonal U, if it has U.
    horizon : the longest time to be remembered, for "long"
    scheme, forget_bias, chrono : as in kernels.RNN.init, for "standard"
    """

    family: str = "standard"
    horizon: float | None = None
    scheme: str = "uniform"
    forget_bias: float = 1.0
    chrono: float | None = None

    def of_layer(self, cell):
        """The arguments of kernels.RNN.init for a layer of that kernels.Cell."""
        if self.family == "standard":
            return {"scheme": self.scheme, "forget_bias": self.forget_bias, "chrono": self.chrono}
        if cell.retains:
            return {"scheme": "uniform", "chrono": self.horizon}
        return {"scheme": "orthogonal" if cell.recurrent else "uniform"}
