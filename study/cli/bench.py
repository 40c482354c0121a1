"""The commands: what to time, with whom, where to put it. What they do lies in study.bench.run."""

import click

from study.bench import ROUNDS, SUITES
from study.bench.peers import OTHERS


def _names(known):
    """A callback that reads names with commas between them; None stays None, "none" is none of them."""

    def read(context, option, text):
        if text is None or text == "none":
            return text and []
        names = [name for name in text.split(",") if name]
        for name in names:
            if name not in known:
                raise click.BadParameter(f"expected names of {', '.join(known)}, got {name!r}")
        return names

    return read


def options(function):
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Machine-readable output."),
        click.option("--out", default="results", metavar="DIR", help="Results go to DIR/bench/<instruction set>."),
        click.option("--rounds", type=click.IntRange(3, 1000), default=ROUNDS, show_default=True, metavar="N"),
        click.option("--threads", type=click.IntRange(1), default=1, show_default=True, metavar="N",
                     help="Threads, each on a processor of its own."),
        click.option("--peers", metavar="PEER,...", callback=_names(OTHERS),
                     help=f"Of {', '.join(OTHERS)}; or none. All if not given."),
    ):
        function = option(function)
    return function


def _run(what, **given):
    from study.bench.run import Run  # brings a plotting library, which no other command waits for

    return Run(what, **given)


@click.group()
def bench():
    """Time the kernels against their peers and the processor's peak. Wants the machine for itself."""


@bench.command("kernels")
@options
@click.option("--only", metavar="SUITE,...", callback=_names(SUITES), help=f"Of {', '.join(SUITES)}. All if not given.")
def kernels_(**given):
    """Training steps and forward passes: speed, scaling, memory."""
    return _run("kernels", **given).kernels()


@bench.command()
@options
def trial(**given):
    """Whole training iterations: batch, forward, read-out, loss, backward, clip, Adam. Ours takes one thread."""
    return _run("trial", **given).trial()


@bench.command()
@options
def study(**given):
    """A small grid of trials, by wall time. Ours takes one thread, and probes its gradients besides."""
    return _run("study", **given).study()
