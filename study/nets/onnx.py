"""A net as an ONNX model. Needs the extra `onnx` of this package."""

from kernels.onnx import Model


def encode(net, theta, about):
    """The bytes of a file.

    The model takes x (T, B, I), lengths (B,), int32, and places (P,), int64, t B + b of each answer; it gives answers (P, K), what
    the net answers there. Raises ValueError where the weights are too many for a file.

    Parameters
    ----------
    net : study.nets.net.Net
    theta : (size,) array
    about : {key: text}, the metadata
    """
    model = Model(net.inputs, theta)
    outputs = net.assemble(model, model.x)
    return model.data({"answers": (model.squashed(outputs, net.loss_name), ["P", net.modules["head"].width])}, about)
