"""`python -m study`: wires the commands of study.cli together."""

import gc
import signal
import sys

import click

try:
    import kernels  # noqa: F401
except ImportError as error:
    print(f"error: {error}", file=sys.stderr)
    sys.exit(2)

from study.cli import DISK, FAILED, INTERRUPTED, USAGE, about, again, records, report, say, trials
from study.cli.bench import bench
from study.errors import SpecError
from study.records import store
from study.run import executors

EVERY = (100_000, 20, 100)  # thresholds of garbage collection: records are many, and none are in cycles


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli():
    """Controlled studies of how far back recurrent cells can remember."""


for command in (trials.run, records.status, report.report, trials.verify_, records.compare_, records.export_, records.show,
                records.compact, about.validate, about.list_, about.env, about.cite, bench):
    cli.add_command(command)


def main(arguments=None):
    """Run a command; exits with its code, and says what is wrong in words."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    gc.set_threshold(*EVERY)
    try:
        code = cli.main(arguments, "python -m study", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        say(f"interrupted; finished trials are recorded. To continue:\n  {again()}")
        code = INTERRUPTED
    except (SpecError, store.Refused, store.Broken, executors.Lost) as error:
        for line in str(error).splitlines():
            say(f"error: {line}")
        code = DISK if isinstance(error, store.Refused) else USAGE if isinstance(error, SpecError) else FAILED
    sys.exit(code or 0)


if __name__ == "__main__":
    main()
