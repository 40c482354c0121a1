"""Controlled studies of what recurrent cells can remember: trials, their records, and the reports made from them."""


def load(folder):
    """The recorded trials of a preset's folder, one row each.

    Parameters
    ----------
    folder : path of results/<study>/<preset>

    Returns
    -------
    pandas.DataFrame
        In the plan's order; records outside the plan are left out. `id`; every knob of Trial with its defaults (`init` is
        Trial.initialisation: the family, or the parts that are changed); `search`, the random search that drew the trial, and `drawn`,
        the knobs that it drew, "" for trials of grids that draw none; `status` ("done" or "diverged"); `lr_chosen`, the learning
        rate that was selected or tuned for the trial, None if its grid sets it, and `lr_doubt`, what speaks against that rate ("" if
        nothing does); trials that tune have those of their key; the result:
        `solved`, `sequences`, `parameters`, `digest`, `guesses`, `final_loss`, `diverged_at`, `test_n`, `test_correct`,
        `test_loss`, `test_answers_correct` and `test_answers` (single answers, where a sequence has several), and the dicts
        `curve`, `norms`, `probe`, `alpha`, `words`, `test_conditions` (counts of minimal pairs) and `longer` (tests at larger
        gaps); then who made the record, None where that is not known: `driver`, `host`, `seconds`, and of the machine
        `commit` and whether it was `clean`, `numerics`, `isa`, `compiler`, `flags`, `processor`, `system`, `python`, `numpy`.

    Raises
    ------
    study.errors.SpecError
        The folder has no plan, or a wrong one.

    Warns
    -----
    study.records.store.Damaged
        Some lines of records are damaged, and were skipped.
    """
    require_kernels()
    from study.records.table import joined

    return joined(folder)


def require_kernels():
    """Import the `kernels` of this project. Raises ImportError, in one sentence, if another package of that name comes first."""
    from importlib.util import find_spec
    from pathlib import Path

    spec = find_spec("kernels")
    for folder in map(Path, spec and spec.submodule_search_locations or ()):
        if not (folder / "cells").is_dir():
            raise ImportError(f"expected the package `kernels` of longlag, got another package of that name in {folder}: "
                              "remove that one, or use an environment of its own for longlag")
    import kernels  # noqa: F401
