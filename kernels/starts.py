"""How published cells start parameters of their own, whatever the scheme for W and U."""


def indrnn(stream, units):
    """p of the diagonal recurrence, uniform in [0, 1] (Li et al. 2018, with no longest sequence given)."""
    return stream.uniform(units, 0.0, 1.0)


STARTS = {"indrnn": indrnn}
"""{cell: from a kernels.Stream and H to p (peepholes, H)}."""
