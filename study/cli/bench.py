"""The command `bench` and its subcommands; study.bench.suite_runner does the work."""

import click

from kernels.processor import affinity
from study.bench import peer_process, suites
from study.bench.peers import OTHERS
from study.cli import FAILED, INTERRUPTED, say
from study.errors import unknown


def _names(kind, known):
    """A callback that splits names at commas. None stays None; "none" gives no names."""

    def read(context, option, text):
        if text is None or text == "none":
            return text and []
        names = [name for name in text.split(",") if name]
        for name in names:
            if name not in known:
                raise click.BadParameter(unknown(kind, name, known))
        return names

    return read


def _clone(context, option, folder):
    """A callback that refuses a folder whose kernels and study cannot be used."""
    if folder is not None and (why := peer_process.unusable(folder)) is not None:
        raise click.BadParameter(f"expected a compiled clone of this project, got {folder!r}{why and f' ({why})'}")
    return folder


def options(function):
    """Add the options that all timing studies have."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print JSON documents, for programs."),
        click.option("--out", default="results", metavar="DIR", help="Results go to DIR/bench/<instruction set>."),
        click.option("--rounds", type=click.IntRange(3, 1000), default=suites.ROUNDS, show_default=True, metavar="N",
                     help="Times that each peer runs each case."),
        click.option("--threads", type=click.IntRange(1), default=1, show_default=True, metavar="N",
                     help="Threads, each on a processor of its own."),
        click.option("--against", metavar="DIR", callback=_clone,
                     help="Time the kernels of another clone of this project, too; it must be compiled."),
        click.option("--peers", metavar="PEER,...", callback=_names("peer", OTHERS),
                     help=f"Some of {', '.join(OTHERS)}; or none. All if not given."),
    ):
        function = option(function)
    return function


def only(titles):
    """The option that takes some of the suites with these titles."""
    return click.option("--only", metavar="SUITE,...", callback=_names("suite", titles),
                        help=f"Some of {', '.join(titles)}. All if not given.")


def _run(name, given):
    if given["threads"] > len(affinity()):
        raise click.UsageError(f"--threads: this process may use {len(affinity())} processors, got {given['threads']}")
    from study.bench.suite_runner import SuiteRunner  # imported here because it imports matplotlib, which is slow

    runner = SuiteRunner(name, given, say)
    runner.run()
    return INTERRUPTED if runner.interrupted else FAILED if runner.failed else 0


@click.group()
def bench():
    """Time the kernels against their peers.

    Compares them with the processor's peak too. Needs the machine for itself.
    """


@bench.command("kernels")
@options
@only(suites.KERNEL_TITLES)
def kernels_(**given):
    """Time training steps and forward passes, and measure memory."""
    return _run("kernels", given)


@bench.command()
@options
@only(suites.TRIAL_TITLES)
def trial(**given):
    """Time whole training iterations: draw, learn, judge; in batches and online. Ours uses one thread."""
    return _run("trial", given)


@bench.command()
@options
def modules(**given):
    """Time layers of torch made of the kernels, beside torch's own and loops in Python. Needs torch."""
    return _run("modules", given)


@bench.command("floors")
@options
def floors_(**given):
    """Time what the project has floors for, and compare."""
    return _run("floors", given)


@bench.command()
@options
def study(**given):
    """Time a small grid of trials by the wall clock. Ours uses one thread, and also probes gradients."""
    return _run("study", given)
