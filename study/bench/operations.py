"""How much arithmetic a case is: the products with W, U and R. Cells' own functions, biases and peepholes are not counted."""

import kernels

PRODUCTS = {"training": (2, 3), "iteration": (2, 3), "forward": (1, 1)}
"""Products of the size of W, and of the size of U: backward adds dW to those with W, dh and dU to those with U."""


def multiply_adds(cell, I, H):
    """Multiply-adds of one step of one row, forward."""
    cell = kernels.CELLS[cell]
    return len(cell.inputs) * I * H + (len(cell.recurrent) + len(cell.feedback)) * H * H


def operations(case):
    """Floating-point operations of a training step, an iteration or a forward pass; None for other work."""
    if case.work not in PRODUCTS:
        return None
    of_w, of_u = PRODUCTS[case.work]
    with_w = len(kernels.CELLS[case.cell].inputs) * case.I * case.H
    with_u = multiply_adds(case.cell, case.I, case.H) - with_w
    return 2 * case.T * case.B * (of_w * with_w + of_u * with_u)
