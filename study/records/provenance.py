"""Which driver made a record and on which machine, from the logs and the manifest of a folder."""

from study.records import store

COLUMNS = {
    "commit": ("commit", "name"),
    "clean": ("commit", "clean"),
    "numerics": ("kernels", "numerics"),
    "isa": ("kernels", "isa"),
    "compiler": ("kernels", "compiler"),
    "flags": ("kernels", "flags"),
    "processor": ("processor", "name"),
    "system": ("system",),
    "python": ("versions", "python"),
    "numpy": ("versions", "numpy"),
}
"""{column of the table of trials: path of its value in study.records.machine.facts}."""


class Provenance:
    """The provenance of one folder's records.

    Parameters
    ----------
    folder : a preset's folder, or a file of records, for which nothing is known
    contents : its study.records.store.Contents
    """

    def __init__(self, folder, contents):
        self.origins = contents.origins
        self.drivers = store.manifest(folder).get("drivers", {}) | contents.drivers
        self._only = next(iter(self.drivers)) if len(self.drivers) == 1 else None

    def origin(self, id):
        """{"driver", "host", "seconds"} of a record, each None where it is not known. A folder's only driver made all of it."""
        origin = self.origins.get(id, {})
        return {"driver": origin.get("driver") or self._only, "host": origin.get("host"), "seconds": origin.get("seconds")}

    def facts(self, id):
        """The study.records.machine.facts of the machine that made a record; {} where they are not known.

        The facts of a driver that used a cluster hold those of the cluster's hosts.
        """
        origin = self.origin(id)
        facts = self.drivers.get(origin["driver"])
        hosts = _at(facts, ["hosts"])
        return (facts if hosts is None else _at(hosts, [origin["host"]])) or {}

    def row(self, id):
        """A record's origin and its COLUMNS as one flat dict."""
        return self.origin(id) | brief(self.facts(id))

    def makers(self):
        """One line for each driver: its machine, commit and date."""
        return sorted({f"{line(facts)}, {name[:8]}" for name, facts in self.drivers.items()})


def brief(facts):
    """{column: fact} for each of COLUMNS; None where the fact is not known."""
    return {column: _at(facts, path) for column, path in COLUMNS.items()}


def line(facts):
    """A machine, its compiler and its commit in one line."""
    shown = {column: "unknown" if fact is None else fact for column, fact in brief(facts).items()}
    commit = f"{shown['commit']!s:.12}" + (" with changes" if shown["clean"] is False else "")
    return f"{shown['processor']}, {shown['isa']}, compiler {shown['compiler']}, commit {commit}"


def _at(facts, path):
    for key in path:
        facts = facts.get(key) if isinstance(facts, dict) else None
    return facts
