"""A command's run: suite by suite, into a folder of results, onto the terminal."""

import json
from contextlib import ExitStack
from dataclasses import asdict
from itertools import product

import click

import kernels
from study.bench import ROUNDS, SUITES, cases, memory, record, tables, timing, workers
from study.bench.peers import OTHERS
from study.bench.workers import Lost
from study.records import store

WRONG, INTERRUPTED = 1, 130


def say(line):
    click.echo(line, err=True)


class Run:
    """One command: its peers, its effort, and the suites that it does; their methods give the exit code.

    The code is 1 where a peer disagreed or failed, 130 after an interruption; what was timed is kept.
    """

    def __init__(self, what, peers, threads, rounds, out, as_json, only=None):
        if threads > len(workers.processors()):
            raise click.UsageError(f"--threads: this process may use {len(workers.processors())} processors, got {threads}")
        self.versions, self.missing = workers.available(["ours", *(OTHERS if peers is None else peers)])
        self.threads, self.effort, self.as_json = threads, timing.Effort(rounds), as_json
        self.only = SUITES if only is None else only
        self.folder, self.code = record.folder(out, threads), 0
        store.prepare(self.folder)
        given = {
            "--peers": None if peers is None else ",".join(peers) or "none", "--only": only and ",".join(only),
            "--threads": None if threads == 1 else threads, "--rounds": None if rounds == ROUNDS else rounds,
        }
        forced = "" if kernels.isa() == kernels.isas()[0] else f"LONGLAG_ISA={kernels.isa()} "
        options = "".join(f" {name} {value}" for name, value in given.items() if value is not None)
        self.command = f"{forced}python -m study bench {what}{options}"
        for name, why in self.missing.items():
            say(f"without {name}: {why}")

    def kernels(self):
        suites = cases.of_kernels(self.threads, len(workers.processors()))
        for suite in self.only:
            self._suite(suite, enumerate(self._memory()) if suite == "memory" else self._timed(*suites[suite]))
        return self.code

    def trial(self):
        self._suite("trial", self._timed(*cases.of_trials(self.threads)))
        return self.code

    def study(self):
        self._suite("study", enumerate(self._trials(*cases.of_studies(self.threads))))
        return self.code

    def _suite(self, suite, results):
        """Collect a suite's cases, each the last one of its key, keep its record, show it; nothing after an interruption."""
        if self.code == INTERRUPTED:
            return
        found, finished = {}, False
        try:
            for key, case in results:
                found[key] = case
            finished = True
        except KeyboardInterrupt:
            self.code = INTERRUPTED
        except Lost as error:
            self.code = WRONG
            say(f"{suite}: {error}")
        if found:
            self._keep(record.make(suite, self.command, self.threads, workers.chosen(self.threads), asdict(self.effort),
                                   self.versions, self.missing, list(found.values()), finished))

    def _keep(self, made):
        record.write(self.folder, made)
        if any("refused" in entry for case in made["cases"] for entry in case.get("peers", {}).values()):
            self.code = self.code or WRONG
        if self.as_json:
            return click.echo(json.dumps(made, indent=1))
        click.echo(f"{record.TITLES[made['suite']]}\n{tables.shown(made).to_string(index=False)}")
        for line in (*tables.summary(made), *record.warnings(made)):
            click.echo(line)
        click.echo(f"{self.folder / made['suite']}.json\n")

    def _able(self, rivals):
        """Of the peers that there are, those that a suite is for (None: all)."""
        return [name for name in self.versions if name != "ours" and (rivals is None or name in rivals)]

    def _timed(self, some, rivals):
        """(case, what is known of it) one by one, in several visits, for a machine's slow times last longer than a case.

        Each number of threads has processes of its own.
        """
        names = self._able(rivals)
        with ExitStack() as stack:
            counts = dict.fromkeys(case.threads for case in some)
            running = {n: stack.enter_context(workers.running(["ours", *names], n)) for n in counts}
            timers = {n: timing.Timer(running[n], self.effort) for n in counts}
            shares = self.effort.shares()
            for done, (rounds, case) in enumerate(product(shares, some), 1):
                say(f"{done}/{len(shares) * len(some)} {case}")
                yield case, timers[case.threads].measure(case, names, rounds)

    def _trials(self, some, rivals):
        names = self._able(rivals)
        with workers.running(["ours", *names], self.threads) as running:
            for done, case in enumerate(some, 1):
                say(f"{done}/{len(some)} {case}")
                yield timing.trial(case, timing.rotated(["ours", *names], done), running)

    def _memory(self):
        say("memory")
        yield from memory.tapes(self.threads)
        yield memory.footprint(self.threads)
