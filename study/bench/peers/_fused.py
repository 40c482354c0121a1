"""Weights for cells written by hand: the blocks of W and of U side by side, so that each needs one product."""

import numpy as np


def fused(weights):
    """{"W": (I, blocks * H), "U": (H, blocks * H), "b": (blocks * H,)[, "p": (peepholes, H)]} of (blocks, I, H), ..."""
    sides = {name: np.ascontiguousarray(np.moveaxis(weights[name], 0, 1).reshape(weights[name].shape[1], -1)) for name in "WU"}
    return {**weights, **sides, "b": weights["b"].ravel()}


def apart(fused, H):
    """The inverse of `fused`, for gradients."""
    sides = {name: np.moveaxis(np.asarray(fused[name]).reshape(len(fused[name]), -1, H), 1, 0) for name in "WU"}
    return {**{name: np.asarray(part) for name, part in fused.items()}, **sides, "b": np.asarray(fused["b"]).reshape(-1, H)}
