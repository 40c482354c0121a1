"""Controlled studies of what recurrent cells can remember: trials, their records, and what they say."""


def load(folder):
    """The recorded trials of a preset's folder, one row each.

    Parameters
    ----------
    folder : path of results/<study>/<preset>

    Returns
    -------
    pandas.DataFrame
        In the plan's order. `id`, every knob of Trial (defaults filled in; `init` is Trial.start: the family, or what was
        crossed), `status` ("done" or "diverged"), and the result: `solved`, `sequences`, `parameters`, `final_loss`,
        `digest`, `test_n`, `test_correct`, `test_loss`, and the dicts `curve`, `norms` and `probe`; then who made it,
        None where that is not known: `driver`, `host`, `seconds`, and of the machine `commit` and whether it was `clean`,
        `numerics`, `isa`, `compiler`, `flags`, `processor`, `system`, `python`, `numpy`. Records outside the plan are
        left out.

    Raises
    ------
    study.plan.spec.SpecError
        The folder has no plan, or a wrong one.
    """
    from study.records.table import joined

    return joined(folder)
