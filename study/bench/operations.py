"""How much arithmetic a case is: the products with W, U and R. Cells' own functions, biases and peepholes are not counted."""

import kernels

PRODUCTS = {"training": (2, 3), "module": (2, 3), "iteration": (2, 3), "forward": (1, 1)}
"""Products of the size of W, and of the size of U: backward adds dW to those with W, dh and dU to those with U."""


def multiply_adds(cell, I, H):
    """Multiply-adds of one step of one row, forward."""
    cell = kernels.CELLS[cell]
    return len(cell.inputs) * I * H + (len(cell.recurrent) + len(cell.feedback)) * H * H


def operations(case):
    """Floating-point operations of a training step, an iteration or a forward pass, heads left out; None for other work."""
    if case.work not in PRODUCTS:
        return None
    of_w, of_u = PRODUCTS[case.work]
    if case.net:
        return 2 * case.T * case.B * _of_layers(case, dict(case.net))
    with_w = len(kernels.CELLS[case.cell].inputs) * case.I * case.H
    with_u = multiply_adds(case.cell, case.I, case.H) - with_w
    return 2 * case.T * case.B * (of_w * with_w + of_u * with_u)


def _of_layers(case, net):
    """Multiply-adds of a step of a row in an iteration of several layers, of which all but a plain first one pass back dx."""
    layers, inner = net.get("layers", 1), multiply_adds(case.cell, case.H, case.H)
    if net.get("stack") == "grid":
        return 2 * 3 * layers * inner + 2 * case.I * case.H  # each layer along time and along depth, and the embedding
    first = multiply_adds(case.cell, case.I, case.H)
    with_u = multiply_adds(case.cell, 0, case.H)
    return 2 * first + with_u + 3 * (layers - 1) * inner
