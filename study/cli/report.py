"""The command that writes or checks reports."""

import click

from study.cli import FAILED
from study.plan.plan import Plan
from study.tasks import TASKS


def write_report(folder):
    """Write a folder's report; returns its summary as text."""
    from study import report  # imports matplotlib and pandas, which no other command needs

    return report.write(folder)


@click.command(epilog="DIR is the folder of one preset, results/gap/default if not given; with --all, that of all results, results.")
@click.argument("folder", metavar="[DIR]", required=False)
@click.option("--all", "everything", is_flag=True, help="The reports of all presets below DIR, and DIR/index.html, a page of all of them.")
@click.option("--check", is_flag=True, help="Change nothing; fail if CSV, tables or verdicts are not what the records give.")
def report(folder, everything, check):
    """Write figures, tables and page from the records of a folder."""
    folder = folder or ("results" if everything else "results/gap/default")
    if not everything:
        Plan.from_folder(folder, TASKS)
    if check:
        return _check(folder, everything)
    if everything:
        from study import report

        click.echo(report.write_all(folder))
    else:
        click.echo(write_report(folder))
    return 0


def _check(folder, everything):
    from study import report

    wrong = (report.check_all if everything else report.check)(folder)
    for line in wrong:
        click.echo(line)
    click.echo(f"{folder}: the report {'differs from' if wrong else 'is what'} the records{'' if wrong else ' give'}")
    return FAILED if wrong else 0
