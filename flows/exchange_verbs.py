"""The verbs of the exchange: its log, what is held of a person, and suspected errors."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import click

from dmfa.errors import WrongUsage
from flows.options import DayType, options
from flows.settings import Settings


@click.group()
def log() -> None:
    """What was given, to whom and when; and whether the log of it was tampered with."""


@log.command("show")
@click.option("--inss", metavar="N", help="Only what was given about a person; - reads the number from standard input.")
@click.option("--since", type=DayType(), metavar="DAY", help="First day, such as 2026-10-01.")
@click.option("--until", type=DayType(), metavar="DAY", help="Last day.")
@options("json", "lake")
def show_log(inss: str | None, since: date | None, until: date | None, as_json: bool, **given: Any) -> int:
    """List the communications between two days, or who got what about a person."""
    from flows.stages import exchange_log as stage
    from flows.stages.explain import person as number_of

    number = None if inss is None else number_of(inss)
    return stage.show(Settings.gather(**given), inss=number, since=since, until=until, as_json=as_json)


@log.command("delivery")
@click.argument("ticket")
@options("json", "lake", "out")
def show_delivery(ticket: str, as_json: bool, **given: Any) -> int:
    """Tell what was given under TICKET and where it stands: its files, their digests, its manifest."""
    from flows.stages import given_out as stage

    return stage.show(ticket, Settings.gather(**given), as_json=as_json)


@log.command("check")
@click.option("--head", metavar="SHA256", default="", help="A link that must be there: as an earlier check told it.")
@options("json", "lake", "out")
def check_log(head: str, as_json: bool, **given: Any) -> int:
    """Hold the log against its chain, the deliveries recorded, and the files in OUT/extracts."""
    from flows.stages import exchange_log as stage

    return stage.check(Settings.gather(**given), head=head, as_json=as_json)


@click.command()
@click.argument("inss", nargs=-1)
@click.option("--html", "page", type=click.Path(path_type=Path, dir_okay=False), help="A page, in a new file.")
@options("json", "lake", "xsd")
def person(inss: tuple[str, ...], page: Path | None, as_json: bool, **given: Any) -> int:
    """Tell a person all that is held of them, and who received it; the answer is logged.

    INSS is asked for if it is not given, or read from standard input (-): a number on the command line stays in the
    history of the shell.
    """
    from flows.stages import person as stage

    if page is not None and as_json:
        raise WrongUsage("--html and --json exclude one another", "Give one of them.")
    number = stage.asked("".join(inss))
    return stage.run(number, Settings.gather(**given), page=page, as_json=as_json)


@click.group()
def suspect() -> None:
    """Errors that recipients suspect in what they received, and what becomes of them."""


@suspect.command("report")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@options("json", "lake", "xsd")
def report_error(file: Path, as_json: bool, **given: Any) -> int:
    """Report a suspected error: FILE is YAML or JSON, - reads it from standard input."""
    from flows.stages import suspect as stage

    return stage.report(file, Settings.gather(**given), as_json=as_json)


@suspect.command("list")
@click.option(
    "--state",
    type=click.Choice(["reported", "taken-up", "accepted", "corrected", "rejected"]),
    help="Only in this state.",
)
@options("json", "lake")
def list_errors(state: str | None, as_json: bool, **given: Any) -> int:
    """List suspected errors and where they stand; no person is told."""
    from flows.stages import suspect as stage

    return stage.show(Settings.gather(**given), state=state, as_json=as_json)


@suspect.command("settle")
@click.argument("ticket")
@click.argument("state", type=click.Choice(["taken-up", "accepted", "corrected", "rejected"]))
@click.option("--motive", default="", metavar="TEXT", help="Why; a rejection needs it.")
@options("json", "lake", "out", "xsd", "lenient")
def settle_error(ticket: str, state: str, motive: str, as_json: bool, **given: Any) -> int:
    """Take the suspected error of TICKET to its next state; accepting it makes the correction that it proposes."""
    from flows.stages import suspect as stage

    return stage.settle(ticket, state, motive, Settings.gather(**given), as_json=as_json)


VERBS = (log, person, suspect)
