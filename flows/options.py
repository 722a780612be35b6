"""Options and kinds of words that several verbs of the command line share."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from dmfa.address import Place, place
from dmfa.quarter import Quarter

Command = TypeVar("Command", bound=Callable[..., Any])


class QuarterType(click.ParamType):  # type: ignore[type-arg]
    """A quarter on the command line, 2026/3 or 20263."""

    name = "QUARTER"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Quarter:
        """Read a quarter or end with wrong usage."""
        try:
            return value if isinstance(value, Quarter) else Quarter.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class PlaceType(click.ParamType):  # type: ignore[type-arg]
    """A folder or file, by its path or by an address such as s3://bucket/folder."""

    name = "PATH"

    def convert(self, value: Any, _param: click.Parameter | None, _ctx: click.Context | None) -> Place:
        """Read a place or end with wrong usage."""
        return place(value)


class DayType(click.ParamType):  # type: ignore[type-arg]
    """A day on the command line, 2026-10-31."""

    name = "DAY"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Read a day or end with wrong usage."""
        try:
            return value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            self.fail("it is not a day; write it as 2026-10-31", param, ctx)


class EmployerType(click.ParamType):  # type: ignore[type-arg]
    """An NSSO registration number on the command line, with or without points and dashes."""

    name = "N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read a number or end with wrong usage; the message does not repeat it: it may be that of a person."""
        digits = re.sub(r"[ .-]", "", str(value)) if _PARTED.fullmatch(str(value)) else ""
        if len(digits) > _EMPLOYER_DIGITS or not int(digits or 0):
            self.fail("it is no NSSO registration number; write its digits: 100006", param, ctx)
        return int(digits)


_EMPLOYER_DIGITS: Final = 10
_PARTED: Final = re.compile(r"[0-9](?:[ .-]?[0-9])*")
_LONG_NUMBER: Final = re.compile(r"\d(?:[ ./-]?\d){10,}")
"""As many digits as the number of a person has, or more, however they are parted."""


def said(error: click.UsageError) -> str:
    """What click says is wrong, without numbers that may be those of persons: it repeats what was typed."""
    return _LONG_NUMBER.sub("...", error.format_message())


def options(*names: str) -> Callable[[Command], Command]:
    """The options that several verbs share, by name."""
    known = {
        "lake": click.option("--lake", metavar="LAKE", help="Where the lake is (default ./lake or DMFA_LAKE)."),
        "out": click.option("--out", type=PlaceType(), help="Folder of results, or its address s3://..."),
        "runner": click.option("--runner", type=click.Choice(["local", "dask"]), help="Who does the work."),
        "scheduler": click.option("--scheduler", metavar="ADDRESS", help="Scheduler of the Dask cluster."),
        "xsd": click.option("--xsd", type=click.Path(path_type=Path), help="Folder whose XSD releases come first."),
        "lenient": click.option(
            "--lenient-identifiers", is_flag=True, help="Check-digit anomalies are warnings (for test data)."
        ),
        "authorisations": click.option(
            "--authorisations", type=click.Path(path_type=Path), help="File of authorisations for extracts."
        ),
        "trust": click.option("--trust", type=click.Choice(["A", "B"]), help="Least trust in a figure that computes."),
        "as_of": click.option(
            "--as-of", metavar="TIME", help="The lake as it was at a moment, e.g. '2026-10-31 18:00'."
        ),
        "json": click.option("--json", "as_json", is_flag=True, help="One JSON object a line, no colour."),
    }

    def decorate(command: Command) -> Command:
        command = click.option("--debug", is_flag=True, expose_value=False, help="Show tracebacks and logs.")(command)
        for name in reversed(names):
            command = known[name](command)
        return command

    return decorate
