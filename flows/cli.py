"""The command line `dmfa`: every verb is a few lines around a stage."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from dmfa.address import Place
from dmfa.errors import DmfaError, Interrupted, ProgramError, WrongUsage
from dmfa.quarter import Quarter
from flows import exchange_verbs, key_verbs, lightness
from flows.options import EmployerType, PlaceType, QuarterType, options, said
from flows.settings import Settings

REFUSED = 1


def main() -> None:
    """Run the command line and end the process with its exit code."""
    lightness.lighten()
    debug = "--debug" in sys.argv
    # Libraries may log values of cells; what a person should know is said by this program itself.
    logging.disable(logging.NOTSET if debug else logging.CRITICAL)
    try:
        code = cli.main(standalone_mode=False, prog_name="dmfa") or 0
    except click.UsageError as error:
        hint = f"See `{error.ctx.command_path} --help`." if error.ctx else ""
        code = _fail(WrongUsage(said(error), hint), debug)
    except DmfaError as error:
        code = _fail(error, debug)
    except (KeyboardInterrupt, click.Abort):
        code = _fail(Interrupted("interrupted", "The lake is as it was before this run; run it again."), debug)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except Exception as error:
        words = f"an error of the program ({type(error).__name__})"
        code = _fail(ProgramError(words, "Run it again with --debug and report it."), debug)
    sys.exit(code)


def _fail(error: DmfaError, debug: bool) -> int:
    from flows import console  # no worker process needs it, and all import this module

    if debug:
        traceback.print_exc()
    console.complain(error)
    return error.exit_code


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="dmfa")
def cli() -> None:
    """Process quarterly DmfA declarations: read, check, keep, compute, give out."""


@cli.command()
@click.argument("quarter", type=QuarterType())
@click.option("--inbox", type=PlaceType(), help="Folder of filings (default ./inbox), or its address s3://...")
@click.option("--no-prefect", is_flag=True, help="Run the stages without Prefect.")
@click.option("--report", "page", is_flag=True, help="Write the report as a page too, OUT/report-2026-3.html.")
@options("lake", "out", "xsd", "lenient", "authorisations", "trust", "runner", "scheduler")
def run(quarter: Quarter, no_prefect: bool, page: bool, **given: Any) -> int:
    """Ingest all that is in the inbox, then compute, extract and report QUARTER."""
    from flows.stages import report
    from flows.stages.asked import judged

    settings = Settings.gather(**given)
    judged(quarter, settings)
    if no_prefect:
        from flows.stages.whole import run_quarter
    else:
        from flows.quarter import run_quarter
    result = run_quarter(quarter, settings, report=page)
    report.show(quarter, result, settings)
    return REFUSED if result.ingest.refused or result.ingest.unreadable else 0


@cli.command()
@click.argument("paths", nargs=-1, required=True, type=PlaceType())
@click.option("-v", "--verbose", is_flag=True, help="Say how many seconds each part took.")
@options("lake", "out", "xsd", "lenient", "trust", "runner", "scheduler")
def ingest(paths: tuple[Place, ...], verbose: bool, **given: Any) -> int:
    """Receive, validate, check and keep the filings at PATHS."""
    from flows import console
    from flows.stages import report

    settings = Settings.gather(**given)
    result = _stage("ingest").run(paths, settings)
    report.show_ingest(result, settings)
    if verbose:
        console.say("seconds: " + ", ".join(f"{part} {seconds:.2f}" for part, seconds in result.seconds.items()))
    return REFUSED if result.refused or result.unreadable else 0


@cli.command()
@click.argument("paths", nargs=-1, type=PlaceType())
@click.option("--lang", "language", type=click.Choice(["en", "fr", "nl"]), default="en", help="Language of anomalies.")
@click.option("--explain", "code", metavar="CODE", help="Say what an official code means, and what gives it.")
@options("json", "xsd", "lenient")
def validate(paths: tuple[Place, ...], language: Any, code: str | None, as_json: bool, **given: Any) -> int:
    """Check the filings at PATHS only; nothing is kept."""
    if code is not None:
        from flows.stages import codes

        return codes.explain(code, language)
    if not paths:
        raise WrongUsage("validate needs PATHS, or --explain CODE.", "Name files or folders of filings.")
    from flows.stages import validate as stage

    return stage.run(paths, Settings.gather(**given), as_json=as_json, language=language)


@cli.command()
@click.argument("quarter", type=QuarterType())
@click.option("--employer", type=EmployerType(), metavar="N", help="NSSO registration number of one employer.")
@options("as_of", "lake", "out", "xsd", "trust")
def compute(quarter: Quarter, employer: int | None, as_of: str | None, **given: Any) -> int:
    """Compute contributions and reductions of QUARTER anew from the authentic tables.

    With --as-of those of an earlier state of the lake: they are written to OUT, and the lake stays as it is.
    """
    from flows.stages import report
    from flows.stages.asked import judged
    from flows.stages.moments import moment

    settings = Settings.gather(**given)
    judged(quarter, settings)
    if then := moment(as_of):
        from flows.stages import compute_as_of

        compute_as_of.show(quarter, compute_as_of.run(quarter, settings, then, employer=employer), then)
        return 0
    report.show_compute(quarter, _stage("compute").run(quarter, settings, employer=employer), settings)
    return 0


@cli.command()
@click.argument("quarter", type=QuarterType())
@click.option("--inss", metavar="N", help="Number of a person; - reads it from standard input.")
@click.option("--employer", type=EmployerType(), metavar="N", help="NSSO registration number of an employer.")
@click.option("--html", "as_page", is_flag=True, help="A page that needs no network, on standard output.")
@options("as_of", "json", "lake", "xsd", "trust")
def explain(
    quarter: Quarter,
    *,
    inss: str | None,
    employer: int | None,
    as_page: bool,
    as_of: str | None,
    as_json: bool,
    **given: Any,
) -> int:
    """Explain how each amount of a person or an employer in QUARTER came about."""
    from flows.stages import explain as stage
    from flows.stages.asked import judged
    from flows.stages.moments import moment

    settings = Settings.gather(**given)
    judged(quarter, settings)
    if as_page and as_json:
        raise WrongUsage("--html and --json exclude one another", "Give one of them.")
    number = stage.person(inss) if inss is not None else None
    form: stage.Form = "html" if as_page else "json" if as_json else "tree"
    return stage.run(quarter, settings, inss=number, employer=employer, form=form, as_of=moment(as_of))


@cli.command()
@click.argument("quarter", type=QuarterType())
@click.option("--inss", metavar="N", help="Number of a person; - reads it from standard input.")
@click.option("--employer", type=EmployerType(), metavar="N", help="NSSO registration number of an employer.")
@click.option("--html", "as_page", is_flag=True, help="A page that needs no network, on standard output.")
@options("json", "lake", "xsd")
def history(
    quarter: Quarter, inss: str | None, employer: int | None, as_page: bool, as_json: bool, **given: Any
) -> int:
    """Tell each version of a declaration, or of a person's lines, in QUARTER: when, by whom, why, what changed."""
    from flows.stages import history as stage
    from flows.stages.explain import person as number_of

    if as_page and as_json:
        raise WrongUsage("--html and --json exclude one another", "Give one of them.")
    number = number_of(inss) if inss is not None else None
    form: stage.Form = "html" if as_page else "json" if as_json else "text"
    return stage.run(quarter, Settings.gather(**given), inss=number, employer=employer, form=form)


@cli.command()
@click.argument("quarter", type=QuarterType())
@click.option("--apply", is_flag=True, help="Apply the reliable ones: those that rest on figures of trust A alone.")
@click.option(
    "--approve", "approvals", type=click.Path(path_type=Path), metavar="FILE", help="Apply those that FILE lists."
)
@options("json", "lake", "out", "xsd", "trust")
def correct(quarter: Quarter, apply: bool, approvals: Path | None, as_json: bool, **given: Any) -> int:
    """Propose to correct the amounts of QUARTER that differ from those computed; apply what is reliable or approved."""
    from flows.stages import system_corrections as stage
    from flows.stages.asked import judged

    settings = Settings.gather(**given)
    judged(quarter, settings)
    stage.show(stage.run(quarter, settings, apply=apply, approvals=approvals), as_json=as_json)
    return 0


@cli.command()
@click.argument("quarter", type=QuarterType())
@click.option(
    "--parameters", "file", type=click.Path(path_type=Path), required=True, metavar="FILE", help="What is changed."
)
@options("lake", "out", "xsd", "trust", "runner", "scheduler")
def simulate(quarter: Quarter, file: Path, **given: Any) -> int:
    """Tell what it would cost or bring in QUARTER if figures of the law were others; the lake stays as it is."""
    from flows.report import simulated
    from flows.stages import simulate as stage
    from flows.stages.asked import judged

    settings = Settings.gather(**given)
    simulated.show(stage.run(judged(quarter, settings), file, settings))
    return 0


@cli.command()
@click.argument("quarter", type=QuarterType(), required=False)
@click.option("--to", "names", multiple=True, metavar="NAME", help="Extract or recipient; may be given several times.")
@click.option("--request", "file", type=click.Path(path_type=Path), metavar="FILE", help="What a recipient asks for.")
@options("as_of", "lake", "out", "authorisations", "xsd", "runner", "scheduler")
def extract(quarter: Quarter | None, names: tuple[str, ...], file: Path | None, as_of: str | None, **given: Any) -> int:
    """Write the extracts of QUARTER that are authorised today, or the answer to a request.

    With --as-of what the lake held at that moment, to whom it may be given today, into a folder of its own.
    """
    from flows.stages import report
    from flows.stages.asked import judged
    from flows.stages.moments import moment

    settings = Settings.gather(**given)
    if file is not None:
        from flows.stages import request

        if quarter is not None or names or as_of:
            raise WrongUsage(
                "a request names its quarters and its authorisation itself.", "Take QUARTER, --to and --as-of out."
            )
        request.show(request.run(file, settings))
        return 0
    if quarter is None:
        raise WrongUsage("extract needs QUARTER, or --request FILE.", "Write it as 2026/3.")
    judged(quarter, settings)
    if then := moment(as_of):
        from flows.stages import extract as stage

        report.show_extracts(stage.run(quarter, settings, names=names, as_of=then), settings)
        return 0
    report.show_extracts(_stage("extract").run(quarter, settings, names=names), settings)
    return 0


@cli.command()
@click.option("--html", "as_page", is_flag=True, help="The public page, on standard output; it needs no network.")
@options("authorisations", "xsd")
def authorisations(as_page: bool, **given: Any) -> int:
    """List who may receive what, for which purpose and on which basis."""
    from flows.stages import authorisations as stage

    return stage.run(Settings.gather(**given), as_page=as_page)


@cli.command()
@click.argument("quarter", type=QuarterType())
@click.option("--employers", type=click.IntRange(min=1), required=True, metavar="N", help="How many employers.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, metavar="S")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="New folder for the filings; what must come of them goes to its truth/.",
)
@click.option("--faults", metavar="SHARE", help="Share of filings with a fault, e.g. 0.02.")
@click.option("--fault", "chosen", multiple=True, metavar="NAME", help="Only this one; may be given several times.")
@click.option("--duplicates", default="0", metavar="SHARE", help="Share of good filings that are sent twice.")
@click.option("--corrections", default="0", metavar="SHARE", help="Share of refused filings sent anew, in OUT/later.")
@click.option("--updates", default="0", metavar="SHARE", help="Share of employers who correct what was accepted.")
@click.option("--archives", type=click.IntRange(min=1), metavar="N", help="Archives of at most N filings.")
@click.option("--per-folder", type=click.IntRange(min=1), metavar="N", help="A folder for each N employers.")
@click.option("--names", type=click.Choice(["plain", "filing"]), default="plain", help="filing: FI.DMFA names.")
@click.option("--largest", type=click.IntRange(min=1), metavar="N", help="Most workers of one employer.")
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="So many workers for every employer.")
@click.option("--first", type=click.IntRange(min=0), default=0, metavar="N", help="Number of the first employer.")
@click.option("--processes", type=click.IntRange(min=1), metavar="N", help="Worker processes (default: the cores).")
@options()
def synth(quarter: Quarter, employers: int, seed: int, out: Path, processes: int | None, **given: Any) -> int:
    """Invent QUARTER: one declaration a file, seeded, with what a receiver must make of it."""
    from flows.stages import synth as stage

    return stage.run(quarter, employers, seed, out, stage.gathered(given), processes=processes)


@cli.command()
@click.argument("ticket", required=False)
@click.option("--quarter", type=QuarterType(), help="Only filings that declare this quarter.")
@click.option(
    "--state", type=click.Choice(["accepted", "refused", "not_processed"]), help="Only filings in this state."
)
@options("lake", "json")
def filings(ticket: str | None, quarter: Quarter | None, state: str | None, as_json: bool, **given: Any) -> int:
    """List the ledger: every file ever received, and what became of it; or each step of the one with TICKET."""
    from flows.stages import filings as stage

    return stage.run(Settings.gather(**given), ticket=ticket, quarter=quarter, state=state, as_json=as_json)


@cli.group()
def reference() -> None:
    """What computations take beside the figures of this program: official rate files, employers."""


@reference.command("import")
@click.argument(
    "kind", type=click.Choice(["rates", "employers", "local-units", "persons", "person-changes", "replacements"])
)
@click.argument("file", type=click.Path(path_type=Path))
@options("lake", "out", "xsd", "authorisations", "trust")
def import_reference(kind: str, file: Path, **given: Any) -> int:
    """Put rate files, a directory of employers, or that of persons or changes to it, into the lake.

    The directory of persons tells which institution knows whom. The sectors that the file of authorisations names are
    known in it, beside those of the network. Replacements are numbers of persons and employers that others take the
    place of: each declaration in which one stands gets a new version, and its employer a message.
    """
    settings = Settings.gather(**given)
    if kind == "rates":
        from flows.stages import rates, rates_told

        rates_told.show(rates.run(file, settings), settings)
    elif kind == "replacements":
        from flows.stages import replacements

        replacements.show(replacements.run(file, settings), settings)
    elif kind == "local-units":
        from flows.stages import local_units

        local_units.show(local_units.run(file, settings), settings)
    elif kind in ("persons", "person-changes"):
        from flows.stages import directory

        directory.show(directory.run(file, "persons" if kind == "persons" else "person-changes", settings), settings)
    else:
        from flows.stages import employers

        employers.show(employers.run(file, settings), settings)
    return 0


@cli.command()
@click.argument("query", required=False)
@click.option("--format", "form", type=click.Choice(["table", "csv", "json", "parquet"]), default="table")
@options("as_of", "lake")
def sql(query: str | None, as_of: str | None, form: str, **given: Any) -> int:
    """Ask the lake one question in SQL; QUERY comes from standard input if it is not given."""
    from flows.stages import sql as stage

    stage.run(query or stage.typed(), Settings.gather(**given), as_of=as_of, form=form)
    return 0


@cli.command()
@options("lake", "xsd")
def maintain(**given: Any) -> int:
    """Merge the lake's small files and drop what is kept long enough; its content stays as it is."""
    from flows.stages import maintain as stage

    settings = Settings.gather(**given)
    stage.show(stage.run(settings), settings)
    return 0


@cli.command()
@options("lake", "out", "xsd", "authorisations")
def doctor(**given: Any) -> int:
    """Show settings, versions and the lake's health."""
    from flows.stages import doctor as stage

    return stage.run(Settings.gather(**given))


for verb in (*exchange_verbs.VERBS, key_verbs.keys):
    cli.add_command(verb)


def _stage(name: str) -> Any:
    """The module that runs a stage: its Prefect flow where a server is named, else the plain functions."""
    return import_module(f"flows.{name}" if os.environ.get("PREFECT_API_URL") else f"flows.stages.{name}")
