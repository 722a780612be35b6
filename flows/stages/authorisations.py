"""`dmfa authorisations`: the register of authorisations, in short or as a public page."""

from __future__ import annotations

import sys

from dmfa.errors import WrongUsage
from flows import console
from flows.settings import Settings
from flows.stages import extract


def run(settings: Settings, *, as_page: bool) -> int:
    """Show the register that a file of authorisations holds; no lake is needed.

    Args:
        settings: those of the run: the file, and the day for which is told what is in force.
        as_page: write the public page to standard output.

    Raises:
        WrongUsage: no file is named, it cannot be read, or a row is not what it must be.
    """
    if settings.authorisations is None:
        raise WrongUsage("no file of authorisations is named.", "Name one: --authorisations FILE.")
    rows = extract.register(settings)
    from flows.report import register

    if as_page:
        for part in register.page(rows, settings.received_on, settings.xsd):
            sys.stdout.write(part)
        return 0
    console.table(
        "Authorisations",
        ("authorisation", "extract", "mode", "recipient", "deliberation", "valid", "state"),
        (
            (
                row.id,
                row.extract,
                row.mode,
                row.recipient.name,
                row.deliberation,
                f"{row.valid_from} - {row.valid_to or ''}",
                register.state(row, settings.received_on),
            )
            for row in rows
        ),
    )
    if not rows:
        console.say(extract.empty(settings))
    in_force = sum(register.state(row, settings.received_on) == "in force" for row in rows)
    console.say(f"control: {len(rows)} authorisations, {in_force} in force on {settings.received_on}")
    return 0
