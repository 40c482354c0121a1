"""The command that writes or checks a report."""

import click

from study.cli import FAILED, FOLDER, OF_FOLDER
from study.plan.plan import Plan
from study.tasks import TASKS


def write_report(folder):
    """Write a folder's report; returns its summary as text."""
    from study import report  # imports matplotlib and pandas, which no other command needs

    return report.write(folder)


@click.command(epilog=OF_FOLDER)
@FOLDER
@click.option("--check", is_flag=True, help="Change nothing; fail if CSV, tables or verdicts are not what the records give.")
def report(folder, check):
    """Write figures, tables and page from the records of a folder."""
    Plan.from_folder(folder, TASKS)
    if not check:
        click.echo(write_report(folder))
        return 0
    from study import report

    wrong = report.check(folder)
    for line in wrong:
        click.echo(line)
    click.echo(f"{folder}: the report {'differs from' if wrong else 'is what'} the records{'' if wrong else ' give'}")
    return FAILED if wrong else 0
