"""What is wrong with the files of claims, and with the seeds that they judge."""

from study.statistics.verdict import Claim

PARTS, FIELDS = ("CLAIM", "SETUPS", "judge"), ("text", "source", "rule", "power")


def mistakes(files, study):
    """One line for each mistake.

    Parameters
    ----------
    files : [(id, module)] of all claims
    study : study.plan.spec.Study, of their grids and with their tuning
    """
    lines, places = [], {}
    for id, file in files:
        name = file.__name__.rpartition(".")[2]
        lines += [f"{name}: expected {part}" for part in PARTS if not hasattr(file, part)]
        if isinstance(claim := getattr(file, "CLAIM", None), Claim):
            lines += [f"{name}: CLAIM.{field}: expected a text, got {getattr(claim, field)!r}" for field in FIELDS if not getattr(claim, field)]
        if id in places:
            lines.append(f"{name}: {id} is the claim of {places[id]}")
        places.setdefault(id, name)
    tuned = range(study.tuning.final_seeds) if study.tuning else ()
    judged = {}
    for point, grids in study.places.items():
        if point.rate_key is not None and point.trial.seed in tuned:
            judged.setdefault(grids[0], set()).add(point.trial.seed)
    return lines + [f"{grid}: seed: expected seeds that choose no learning rate, which {tuned.start} to {tuned.stop - 1} do, got "
                    f"{', '.join(map(str, sorted(seeds)))}" for grid, seeds in judged.items()]
