"""Commands that compute trials: run, verify."""

import time
from contextlib import closing
from functools import partial

import click

import kernels
from kernels.processor import processors
from study import claims
from study.cli import FAILED, FOLDER, INTERRUPTED, JSON, OF_FOLDER, PROGRAM, WORKERS, Finite, again, between, dump, say
from study.cli.report import write_report
from study.errors import SpecError
from study.plan import subset
from study.plan.plan import Plan, folder_of
from study.records import compare, machine, provenance, store
from study.records.provenance import Provenance
from study.run import executors, runner, verify
from study.run.estimate import about, duration
from study.run.forecast import forecast
from study.tasks import TASKS
from study.trial.run import run as train

SHOWN = ("solved", "censored", "without a rule", "probed", "diverged", "for learning rates", "failed", "crashed", "missing")


@click.command()
@click.argument("studies", nargs=-1, metavar="[STUDY]...")
@click.option("--preset", default="default", show_default=True,
              help="quick, default or full; `list studies` says how many trials each has and how long they take.")
@click.option("--out", default="results", show_default=True, metavar="DIR",
              help="Folder of all results; a study writes into DIR/<study>/<preset>.")
@WORKERS
@click.option("--only", multiple=True, metavar="AXIS=VALUE[,VALUE]", help="Run only these trials of the plan; repeatable. The axis grid takes names of grids.")
@click.option("--seeds", type=click.IntRange(1, 100_000), metavar="N", help="Run seeds 0 to N - 1 of every arm.")
@click.option("--dry-run", is_flag=True, help="Say what would run, and about how long it takes; write nothing.")
@click.option("--fail-fast", is_flag=True, help="Start no more trials after one has failed.")
@click.option("--retry-failed", is_flag=True, help="Run trials again that failed or crashed before.")
@click.option("--timeout", type=Finite(0, min_open=True), metavar="SECONDS", help="End trials that take longer.")
@click.option("--keep-weights", is_flag=True, help="Keep the final weights of each trial that is run, in `weights` of its folder.")
@click.option("--executor", type=click.Choice(executors.NAMES), default="local", show_default=True,
              help="Where trials are computed: on this machine, or on a Dask cluster.")
@click.option("--scheduler", metavar="ADDRESS|FILE", help="Address or scheduler file of the Dask cluster.")
@JSON
def run(studies, preset, only, seeds, dry_run, as_json, **how):
    """Run studies, or continue them, and write their reports.

    STUDY is a name that `list studies` shows or the path of a TOML file; `gap` if none is given. Trials that are recorded already are
    not run again.
    """
    plans = [_wanted(name, preset, only, seeds) for name in studies or ["gap"]]
    return _forecast(plans, as_json, **how) if dry_run else _compute(plans, as_json, **how)


def _forecast(plans, as_json, *, out, workers, retry_failed, **_):
    workers = workers or processors()
    forecasts = [forecast(study, wanted, out, workers, retry_failed) for study, wanted in plans]
    if as_json:
        return dump(forecasts)
    for data in forecasts:
        _show_forecast(data, workers)


def _compute(plans, as_json, *, out, executor, **how):
    computing = executors.start(executor, how["workers"], how["scheduler"], how["timeout"])
    options = {"executor": computing, "work": partial(train, weights=True) if how["keep_weights"] else train,
               "facts": machine.facts(), "retry": how["retry_failed"], "fail_fast": how["fail_fast"]}
    code, results = 0, []
    with closing(computing):
        for study, wanted in plans:
            store.prepare(folder_of(out, study))
            began = time.monotonic()
            summary = runner.Runner(study, out, wanted, **options).run(say)
            results.append(_finish(study, summary, time.monotonic() - began, as_json))
            code = max(code, _code(summary))
            if summary.interrupted:
                break
    if as_json:
        dump(results)
    return code


def _wanted(name, preset, only, seeds):
    study = claims.resolve(name, preset)
    study = study.with_seeds(seeds) if seeds else study
    return study, subset.parse(only, seeds, study)


def _code(summary):
    return INTERRUPTED if summary.interrupted else FAILED if summary.failures else 0


def _show_forecast(data, workers):
    click.echo(f"{data['study']}/{data['preset']} into {data['folder']}")
    choosing, to_run = (between(data[name], data[f"{name}_at_most"]) for name in ("selection", "to_run"))
    click.echo(f"  trials: {data['trials']:,}, and {choosing} to choose learning rates")
    click.echo(f"  recorded: {data['recorded']:,}, failed before: {data['failed']:,}, to run: {to_run}")
    time = about(data["expected_seconds"], data["seconds"])
    click.echo(f"  {time} with {workers} workers on this machine as busy as it is now; longest if all trials use their whole budgets")
    click.echo(f"  at most about {data['bytes'] / 2**20:,.0f} MiB of memory for its workers, when the largest trials meet")


def _finish(study, summary, seconds, as_json):
    """Report what a run did; returns it as data."""
    folder, counts = summary.folder, summary.counts
    for id, failure in summary.failures.items():
        say(f"{failure['status']}: {id}: {failure['reason']}")
    if summary.failures:
        say(f"{len(summary.failures)} trials failed; `run --retry-failed` runs them again")
    if summary.waiting:
        say(f"{summary.waiting} trials wait for learning rates that are not chosen yet")
    data = {
        "study": study.name,
        "preset": study.preset,
        "folder": str(folder),
        "ran": summary.ran,
        "seconds": seconds,
        "counts": dict(summary.counts),
        "failures": summary.failures,
        "interrupted": summary.interrupted,
    }
    if summary.interrupted:
        say(f"interrupted; finished trials are recorded in {folder}. To continue:\n  {again()}")
        return data
    text = write_report(folder)
    if as_json:
        return data
    if text:
        click.echo(text)
    click.echo(", ".join(f"{counts[name]} {name}" for name in SHOWN if counts[name]))
    if not summary.ran and not summary.failures:
        made = "".join(f"\n  made on {line}" for line in Provenance(folder, store.read(folder)).makers())
        click.echo(f"Nothing was left to run: these are the records in {folder}{made}\n"
                   "For a run of your own: --out DIR. To run a sample of these again and compare:\n"
                   f"  {PROGRAM} verify {folder}")
    else:
        click.echo(f"{summary.ran} trials in {duration(seconds)}")
    if counts["done"] or counts["diverged"]:
        click.echo(f"report: {folder / 'REPORT.md'}")
    return data


@click.command("verify", epilog=OF_FOLDER)
@FOLDER
@click.option("--sample", type=click.IntRange(1), default=20, show_default=True, metavar="N", help="Trials to run again.")
@WORKERS
@JSON
def verify_(folder, sample, workers, as_json):
    """Run recorded trials again and compare them bit for bit."""
    contents = store.read(folder)
    recorded = {trial.id: trial for trial in Plan.from_folder(folder, TASKS, contents).recorded(contents)}
    if not recorded:
        raise SpecError(f"{folder}: no recorded trial of its plan")
    pairs = [(recorded[id], contents.record(id)) for id in verify.sample(recorded, sample)]
    with closing(executors.start("local", min(workers or processors(), len(pairs)))) as executor:
        tally, differ = verify.again(pairs, work=train, executor=executor)
    same = sum(tally.counts.values()) - len(tally.failures) - len(differ)
    makers, here = Provenance(folder, contents), machine.facts()
    if as_json:
        made = {id: makers.origin(id) | {"facts": makers.facts(id)} for id in differ}
        dump({"sample": len(pairs), "same": same, "differ": differ, "failures": tally.failures, "made": made, "here": here,
              "damage": contents.damage})
    else:
        for id, differences in differ.items():
            click.echo(compare.text(id, differences, "recorded", "now", most=1))
            click.echo(f"    recorded on {provenance.line(makers.facts(id))}\n    now on      {provenance.line(here)}")
        skipped = f"; damaged lines that were skipped: {len(contents.damaged)}" if contents.damaged else ""
        click.echo(f"{same} of {len(pairs)} bit-identical, on {kernels.isa()} with {executor.workers} workers{skipped}")
    return INTERRUPTED if tally.interrupted else FAILED if same < len(pairs) else 0
