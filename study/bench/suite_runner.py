"""One `bench` command: it times suites one by one, keeps their records and prints their tables."""

import json
from contextlib import ExitStack
from dataclasses import asdict
from itertools import product
from pathlib import Path

import click

import kernels
from kernels.processor import affinity
from study.bench import floors, memory, page, peer_process, record, suites, tables, timing
from study.bench.peers import EARLIER, OTHERS
from study.records import machine, store


class SuiteRunner:
    """Runs the suites of one command. What was timed before a failure or an interruption is kept.

    Attributes
    ----------
    failed : whether a peer disagreed or ended
    interrupted : whether the user interrupted the command

    Parameters
    ----------
    name : the command: "kernels", "trial", "modules", "study" or "floors"
    options : its options, as study.cli.bench has them: peers, threads, rounds, out, against, as_json and, for kernels, only
    say : prints a line for people
    """

    def __init__(self, name, options, say):
        self.name, self.options, self.threads, self.say = name, options, options["threads"], say
        self.failed = self.interrupted = False
        peers = OTHERS if options["peers"] is None else options["peers"]
        versions, missing = peer_process.available(["ours", *peers])
        if options["against"] is not None:
            versions[EARLIER] = (machine.commit(Path(options["against"])) or {"name": "unknown commit"})["name"]
        for peer, why in missing.items():
            say(f"without {peer}: {why}")
        self.effort = timing.Effort(options["rounds"])
        self.setup = record.Setup(_command(name, options), self.threads, peer_process.pinned(self.threads), asdict(self.effort),
                                  versions, missing)
        self.folder = record.folder(options["out"], self.threads)
        store.prepare(self.folder)

    def run(self):
        timed = suites.of_kernels(self.threads, len(affinity())) | suites.of_trials(self.threads)
        timed |= suites.of_modules(self.threads)
        names = {"trial": suites.TRIAL_TITLES, "modules": suites.MODULE_TITLES, "study": ["study"], "floors": suites.FLOORS}.get(self.name, suites.KERNEL_TITLES)
        for name in self.options.get("only") or names:
            if name == "memory":
                self._suite(name, enumerate(self._memory()))
            elif name == "study":
                self._suite(name, enumerate(self._trials(suites.of_studies(self.threads))))
            else:
                self._suite(name, self._timed(timed[name]))
        if self.name == "floors" and not self.options["as_json"]:
            click.echo(floors.table(self.folder).to_string(index=False))

    def _suite(self, suite, results):
        """Collect a suite's results (key, case), the last of each key, and keep them; nothing after an interruption."""
        if self.interrupted:
            return
        cases, finished = {}, False
        try:
            for key, case in results:
                cases[key] = case
            finished = True
        except KeyboardInterrupt:
            self.interrupted = True
        except peer_process.Lost as error:
            self.failed = True
            self.say(f"{suite}: {error}")
        if cases:
            self._keep(record.make(suite, self.setup, list(cases.values()), finished))

    def _keep(self, made):
        record.write(self.folder, made)
        self.failed |= any("refused" in entry for case in made["cases"] for entry in case.get("peers", {}).values())
        if self.options["as_json"]:
            return click.echo(json.dumps(made, indent=1))
        click.echo(f"{suites.TITLES[made['suite']]}\n{tables.shown(made).to_string(index=False)}")
        for line in (*tables.summary(made), *page.warnings(made)):
            click.echo(line)
        click.echo(f"{self.folder / made['suite']}.json\n")

    def _peers(self, suite):
        """Names of the peers that a suite is for, of those that there are."""
        wanted = OTHERS if suite.peers is None else suite.peers
        return [name for name in self.setup.peers if name in wanted or name == EARLIER and suite.earlier]

    def _timed(self, suite):
        """(case, its record so far) for each case in several visits, because a slow time of the machine outlasts a case.

        Each number of threads has peer processes of its own.
        """
        names = self._peers(suite)
        with ExitStack() as stack:
            counts = dict.fromkeys(case.threads for case in suite.cases)
            earlier = self.options["against"]
            running = {n: stack.enter_context(peer_process.running(["ours", *names], n, earlier)) for n in counts}
            timers = {n: timing.Timer(peers, self.effort) for n, peers in running.items()}
            shares = self.effort.shares(suite.most)
            for done, (rounds, case) in enumerate(product(shares, suite.cases), 1):
                self.say(f"{done}/{len(shares) * len(suite.cases)} {case}")
                yield case, timers[case.threads].measure(case, names, rounds)

    def _trials(self, suite):
        names = self._peers(suite)
        with peer_process.running(["ours", *names], self.threads, self.options["against"]) as peers:
            for done, case in enumerate(suite.cases, 1):
                self.say(f"{done}/{len(suite.cases)} {case}")
                yield timing.trial(case, timing.rotated(["ours", *names], done), peers)

    def _memory(self):
        self.say("memory")
        yield from memory.tapes(self.threads)
        yield memory.footprint(self.threads)


def _command(name, options):
    """The command line that repeats this one."""
    peers, only = options["peers"], options.get("only")
    given = {
        "--peers": None if peers is None else ",".join(peers) or "none", "--only": only and ",".join(only),
        "--threads": None if options["threads"] == 1 else options["threads"],
        "--rounds": None if options["rounds"] == suites.ROUNDS else options["rounds"],
        "--against": options["against"] and "CLONE",  # its commit is in the record; its folder means nothing elsewhere
    }
    forced = "" if kernels.isa() == kernels.isas()[0] else f"LONGLAG_ISA={kernels.isa()} "
    shown = "".join(f" {option} {value}" for option, value in given.items() if value is not None)
    return f"{forced}python -m study bench {name}{shown}"
