"""Central differences, the judge of every gradient in float64."""
import numpy as np

STEP = 1e-5    # truncation about STEP^2, rounding about 1e-16 / STEP: both near 1e-10
TOLERANCE = 1e-6


def gradient(f, a):
    """The gradient of f (no arguments) with respect to the array a, entry by entry; a is changed and restored."""
    numeric = np.empty(a.shape)
    for index in np.ndindex(*a.shape):
        numeric[index] = slope(f, a, index, STEP)
    return numeric


def slope(f, a, where, by):
    """(f(a + by) - f(a - by)) / 2 STEP with a[where] moved by `by`; a is restored exactly."""
    kept = a[where].copy()
    a[where] = kept + by
    above = f()
    a[where] = kept - by
    below = f()
    a[where] = kept
    return (above - below) / (2 * STEP)


def check_entries(f, a, claimed, name):
    """Every entry of the claimed gradient, relative to the norm of the whole."""
    error = np.abs(gradient(f, a) - claimed).max()
    assert error <= TOLERANCE * np.linalg.norm(claimed), f"{name}: off by {error:.1e}, norm {np.linalg.norm(claimed):.1e}"


def check_directions(f, a, claimed, name, rng, directions=2):
    """Slopes along random directions of unit length, relative to the norm of the claimed gradient."""
    for _ in range(directions):
        v = rng.choice([-1.0, 1.0], a.shape) / np.sqrt(a.size)
        error = abs(slope(f, a, ..., STEP * v) - (v * claimed).sum())
        assert error <= TOLERANCE * np.linalg.norm(claimed), f"{name}: off by {error:.1e}, norm {np.linalg.norm(claimed):.1e}"
