"""One `bench` command: it times suites one by one, keeps their records and prints their tables."""

import json
from contextlib import ExitStack
from dataclasses import asdict
from itertools import product

import click

import kernels
from kernels.processor import affinity
from study.bench import memory, page, peer_process, record, suites, tables, timing
from study.bench.peers import OTHERS
from study.records import store


class SuiteRunner:
    """Runs the suites of one command. What was timed before a failure or an interruption is kept.

    Attributes
    ----------
    failed : whether a peer disagreed or ended
    interrupted : whether the user interrupted the command

    Parameters
    ----------
    name : the command: "kernels", "trial" or "study"
    options : its options, as study.cli.bench has them: peers, threads, rounds, out, as_json and, for kernels, only
    say : prints a line for people
    """

    def __init__(self, name, options, say):
        self.name, self.options, self.threads, self.say = name, options, options["threads"], say
        self.failed = self.interrupted = False
        peers = OTHERS if options["peers"] is None else options["peers"]
        versions, missing = peer_process.available(["ours", *peers])
        for peer, why in missing.items():
            say(f"without {peer}: {why}")
        self.effort = timing.Effort(options["rounds"])
        self.setup = record.Setup(_command(name, options), self.threads, peer_process.pinned(self.threads), asdict(self.effort),
                                  versions, missing)
        self.folder = record.folder(options["out"], self.threads)
        store.prepare(self.folder)

    def run(self):
        if self.name == "trial":
            self._suite("trial", self._timed(suites.of_trials(self.threads)))
        elif self.name == "study":
            self._suite("study", enumerate(self._trials(suites.of_studies(self.threads))))
        else:
            timed = suites.of_kernels(self.threads, len(affinity()))
            for name in suites.KERNEL_TITLES if self.options["only"] is None else self.options["only"]:
                self._suite(name, enumerate(self._memory()) if name == "memory" else self._timed(timed[name]))

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
        """Names of the installed peers that a suite is for."""
        return [name for name in self.setup.peers if name != "ours" and (suite.peers is None or name in suite.peers)]

    def _timed(self, suite):
        """(case, its record so far) for each case in several visits, because a slow time of the machine outlasts a case.

        Each number of threads has peer processes of its own.
        """
        names = self._peers(suite)
        with ExitStack() as stack:
            counts = dict.fromkeys(case.threads for case in suite.cases)
            running = {n: stack.enter_context(peer_process.running(["ours", *names], n)) for n in counts}
            timers = {n: timing.Timer(peers, self.effort) for n, peers in running.items()}
            shares = self.effort.shares()
            for done, (rounds, case) in enumerate(product(shares, suite.cases), 1):
                self.say(f"{done}/{len(shares) * len(suite.cases)} {case}")
                yield case, timers[case.threads].measure(case, names, rounds)

    def _trials(self, suite):
        names = self._peers(suite)
        with peer_process.running(["ours", *names], self.threads) as peers:
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
    }
    forced = "" if kernels.isa() == kernels.isas()[0] else f"LONGLAG_ISA={kernels.isa()} "
    shown = "".join(f" {option} {value}" for option, value in given.items() if value is not None)
    return f"{forced}python -m study bench {name}{shown}"
