"""Class Graph: nodes and tensors of an ONNX graph under construction."""

import numpy as np
from onnx import helper, numpy_helper


class Graph:
    """Nodes and tensors of an ONNX graph. A value is known by its name.

    Parameters
    ----------
    dtype : numpy.dtype
        Of numbers that stand for themselves.
    prefix : str
        Stands before each name, so that a graph inside of another one has names of its own.
    """

    def __init__(self, dtype, prefix=""):
        self.dtype, self.prefix, self.nodes, self.tensors, self._known = np.dtype(dtype), prefix, [], {}, {}

    def node(self, operator, *inputs, outputs=None, name=None, **attributes):
        """Add a node, and return the name of its output, or of its `outputs`. The same operation on the same inputs is added once.

        An input is a name ("" for one that is left out), a number in the graph's dtype, or an array or number of NumPy's.
        """
        inputs = [value if isinstance(value, str) else self.constant(value) for value in inputs]
        key = operator, *inputs, repr(attributes)
        if key not in self._known:
            name = name or f"{self.prefix}{operator.lower()}{len(self.nodes)}"
            results = [f"{name}/{output}" for output in outputs] if outputs else [name]
            self.nodes.append(helper.make_node(operator, inputs, results, name, **attributes))
            self._known[key] = results if outputs else name
        return self._known[key]

    def constant(self, value):
        """The name of a number or of a small array."""
        array = np.asarray(value, None if isinstance(value, np.ndarray | np.generic) else self.dtype)
        text = "_".join(map(str, array.ravel().tolist()))
        return self.tensor(f"{self.prefix}constant_{array.dtype}_{array.ndim}_{text}", array)

    def tensor(self, name, array):
        """The name of an array."""
        self.tensors[name] = array
        return name

    def proto(self, name, inputs, outputs):
        """The GraphProto. Inputs and outputs are ValueInfoProtos."""
        stored = [numpy_helper.from_array(array, name) for name, array in self.tensors.items()]
        return helper.make_graph(self.nodes, name, inputs, outputs, stored)


def port(name, dtype, shape=None):
    """The ValueInfoProto of an input or an output. `shape` has numbers, or letters for what each call decides; None: any shape."""
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), shape)
