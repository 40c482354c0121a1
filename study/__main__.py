"""`python -m study`: wires the commands of study.cli together."""

from study.search_path import leave_out_working_directory

if __name__ == "__main__":
    leave_out_working_directory()  # before all other imports

import gc  # noqa: E402
import sys  # noqa: E402
import warnings  # noqa: E402

from study import process, require_kernels  # noqa: E402

if __name__ == "__main__":
    process.start()

import click  # noqa: E402

try:
    require_kernels()
except ImportError as error:
    print(f"error: {error}", file=sys.stderr)
    sys.exit(2)

from study.cli import DISK, FAILED, INTERRUPTED, PROGRAM, USAGE, about, again, explain, records, report, sample, say, trials  # noqa: E402
from study.cli.bench import bench  # noqa: E402
from study.errors import SpecError, unknown  # noqa: E402
from study.records import store  # noqa: E402
from study.run import executors  # noqa: E402

EVERY = (100_000, 20, 100)  # thresholds of garbage collection: records are many, and none are in cycles


class _Commands(click.Group):
    def resolve_command(self, context, arguments):
        if self.get_command(context, arguments[0]) is None:
            raise click.UsageError(unknown("command", arguments[0], self.commands), context)
        return super().resolve_command(context, arguments)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def cli():
    """Controlled studies of how far back recurrent cells can remember."""


for command in (trials.run, records.status, report.report, trials.verify_, records.compare_, records.export_, records.show,
                records.compact, sample.sample_, explain.explain, sample.weights, sample.onnx_, about.validate, about.list_, about.env, about.cite, bench):
    cli.add_command(command)


def main(arguments=None):
    """Run a command; exits with its code. Mistakes and failures are messages on stderr."""
    gc.set_threshold(*EVERY)
    process.run(lambda: _code(arguments))


def _code(arguments):
    try:
        with warnings.catch_warnings():
            _show_damage()
            return cli.main(arguments, PROGRAM, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        say(f"interrupted; what was recorded is kept. To run it again:\n  {again()}")
        return INTERRUPTED
    except MemoryError as error:
        say(f"error: not enough memory{f': {error}' if str(error) else ''}")
        return FAILED
    except (SpecError, store.Refused, store.Broken, executors.Lost) as error:
        for line in str(error).splitlines():
            say(f"error: {line}")
        return DISK if isinstance(error, store.Refused) else USAGE if isinstance(error, SpecError) else FAILED


def _show_damage():
    """Print each warning of damaged records once, as a message."""
    shown = set()

    def show(message, *where, **more):
        if str(message) not in shown:
            shown.add(str(message))
            say(f"warning: {message}")

    warnings.simplefilter("ignore")
    warnings.simplefilter("always", store.Damaged)
    warnings.showwarning = show


if __name__ == "__main__":
    main()
