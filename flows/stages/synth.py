"""`dmfa synth`: an invented quarter on disk, made by all cores, and what is in it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from dmfa.errors import Interrupted, WrongUsage
from dmfa.quarter import Quarter
from dmfa.reading.pool import run_pool
from dmfa.synth import FAULTS, Options, Truth, make_quarter
from dmfa.synth.part import Part
from dmfa.synth.people import LARGEST_STAFF
from flows import console
from flows.settings import Settings

_MILLION = 1_000_000
_WORKER_BYTES = 3_400
"""About what a worker takes in XML, for the bar: how many bytes there are is known afterwards."""


def gathered(given: Mapping[str, Any]) -> Options:
    """The options of a quarter from those of the command line.

    Args:
        given: by name; shares are text, and a fault that is named without a share is in every filing.

    Raises:
        WrongUsage: a share is no number between 0 and 1.
    """
    return Options(
        largest=given["largest"] or LARGEST_STAFF,
        workers=given["workers"],
        first=given["first"],
        faulty_per_million=per_million(given["faults"] or ("1" if given["chosen"] else "0")),
        faults=given["chosen"],
        repeated_per_million=per_million(given["duplicates"]),
        corrected_per_million=per_million(given["corrections"]),
        updated_per_million=per_million(given["updates"]),
        fi_names=given["names"] == "filing",
        archived=given["archives"] or 0,
        per_folder=given["per_folder"] or 0,
    )


def per_million(share: str) -> int:
    """A share between 0 and 1 as millionths.

    Raises:
        WrongUsage: it is no such number.
    """
    try:
        found = Decimal(share)
    except InvalidOperation:
        found = Decimal("NaN")
    if not (found.is_finite() and 0 <= found <= 1):
        raise WrongUsage(f"{share!r} is no share", "A share lies between 0 and 1, e.g. 0.02 for two in a hundred.")
    return int((found * _MILLION).to_integral_value())


def run(
    quarter: Quarter, employers: int, seed: int, out: Path, options: Options, *, processes: int | None = None
) -> int:
    """Make the quarter and say what it holds.

    Args:
        quarter: the quarter declared.
        employers: how many employers.
        seed: seed of the invented country.
        out: folder to write to.
        options: how it is made.
        processes: worker processes; by default what DMFA_WORKERS says, or as many as cores.

    Returns:
        Exit code 0.

    Raises:
        WrongUsage: the folder holds something else, or an option is out of bounds.
        UnknownQuarter: the quarter has no schema or no confirmed rate.
        LakeProblem: the disk is full or cannot be written.
        Interrupted: Ctrl-C.
    """
    workers = processes or Settings.gather().workers
    started = time.perf_counter()

    def apart(
        function: Callable[[Part], int], items: Sequence[Part], /, *, weight: Callable[[Part], int]
    ) -> Iterator[tuple[int, int]]:
        yield from run_pool(function, items, workers, weight=weight)

    with ExitStack() as shown:
        told, advance = 0, None

        def follow(done: int, total: int) -> None:
            nonlocal told, advance
            if advance is None:
                bar = console.progress(f"inventing {quarter}", total * _WORKER_BYTES)
                advance = shown.enter_context(bar)
            advance((done - told) * _WORKER_BYTES)
            told = done

        try:
            truth = make_quarter(quarter, employers, seed, out, options, run=apart, on_progress=follow)
        except KeyboardInterrupt:
            raise Interrupted("stopped", "Start it again: it goes on where it was.") from None
    _show(truth, out, time.perf_counter() - started)
    return 0


def _show(truth: Truth, out: Path, seconds: float) -> None:
    megabytes = truth.bytes / 1e6
    console.table(
        "Invented",
        ("what", "number"),
        [
            ("filings", f"{truth.filings:,}"),
            *((f"  to be {verdict}", f"{number:,}") for verdict, number in sorted(truth.verdicts.items())),
            ("declarations in them that can be read", f"{truth.declarations:,}"),
            ("persons", f"{truth.persons:,}"),
            ("worker lines", f"{truth.rows['worker_record']:,}"),
        ],
        right=(1,),
    )
    console.table(
        "Faults",
        ("fault", "filings", "what is wrong"),
        [(name, f"{number:,}", _words(name)) for name, number in sorted(truth.faults.items())],
        right=(1,),
    )
    console.say(f"{megabytes:,.1f} MB in {out}, {seconds:,.1f} s; what must come of it: {truth.folder}")


def _words(fault: str) -> str:
    """What is wrong, for people."""
    known = FAULTS.get(fault)
    return known.words if known else "an original of the same employer and quarter comes before it"
