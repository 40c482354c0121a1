"""Who made which record, on what: a folder's logs and manifest, joined."""

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
"""{column: where it lies in study.records.machine.facts}: what a table of trials tells of the machine of each."""


class Provenance:
    """Of the records of one folder.

    Parameters
    ----------
    folder : of a preset, or a file of records, of which nothing is known
    contents : study.records.store.Contents of it
    """

    def __init__(self, folder, contents):
        self.origins = contents.origins
        self.drivers = store.manifest(folder).get("drivers", {}) | contents.drivers
        self._only = next(iter(self.drivers)) if len(self.drivers) == 1 else None

    def origin(self, id):
        """{"driver", "host", "seconds"} of a record, each None where it is not known."""
        known = self.origins.get(id, {})
        return {"driver": known.get("driver") or self._only, "host": known.get("host"), "seconds": known.get("seconds")}

    def facts(self, id):
        """The facts of the machine on which a record was made, as study.records.machine.facts gives them; {} where not known.

        A driver that had its trials computed on a cluster knows the facts of its hosts.
        """
        origin = self.origin(id)
        facts = self.drivers.get(origin["driver"])
        hosts = _at(facts, ["hosts"])
        return (facts if hosts is None else _at(hosts, [origin["host"]])) or {}

    def row(self, id):
        """A record's origin and the facts named in COLUMNS, as one flat dict."""
        return self.origin(id) | brief(self.facts(id))

    def makers(self):
        """On which machines, from which commits and when the records were made, one line each."""
        return sorted({f"{line(facts)}, {name[:8]}" for name, facts in self.drivers.items()})


def brief(facts):
    """{column: fact} for each of COLUMNS, None where it is not known."""
    return {column: _at(facts, path) for column, path in COLUMNS.items()}


def line(facts):
    """A machine and its code in a line."""
    known = {column: "unknown" if fact is None else fact for column, fact in brief(facts).items()}
    commit = f"{known['commit']!s:.12}" + (" with changes" if known["clean"] is False else "")
    return f"{known['processor']}, {known['isa']}, compiler {known['compiler']}, commit {commit}"


def _at(facts, path):
    for key in path:
        facts = facts.get(key) if isinstance(facts, dict) else None
    return facts
