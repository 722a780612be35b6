"""A declaration of very many workers, written person by person in bounded memory.

The net amount owed stands before the persons and is known only after the last one. So the persons go to a nameless
file beside the target first, and behind the head into the target at last; nothing is computed twice.
"""

from __future__ import annotations

import shutil
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, Final

from dmfa.synth.company import StaffCounts, finish
from dmfa.synth.declaration import Declaration
from dmfa.synth.employer import Employer
from dmfa.synth.law import Law
from dmfa.synth.payroll import declared_persons
from dmfa.synth.tally import Tally
from dmfa.synth.truth import Collector, amounts_of_employer, amounts_of_person
from dmfa.synth.writer import Writer
from dmfa.synth.xml import closing, opening

GIANT_STAFF: Final = 5_000
"""From this many workers on a declaration is written person by person."""

_PIECE: Final = 1 << 20


def write_giant(
    path: Path, seed: int, who: Employer, law: Law, *, collector: Collector, count: int | None = None, name: str = ""
) -> Declaration:
    """Write the good filing of one employer; its bytes are those that `document` would give.

    Args:
        path: the file to write.
        seed: seed of the invented country.
        who: the employer.
        law: contributions and reductions of the quarter declared.
        collector: takes in the truth.
        count: number of workers; by default what the employer has.
        name: by which the truth calls it; by default the file's own.

    Returns:
        The declaration without its persons.
    """
    quarter = law.figures.quarter
    declaration, counts, tally = Declaration(quarter, who), StaffCounts(), Tally()
    writer, name = Writer(who.style), name or path.name
    with TemporaryFile(dir=path.parent) as body:
        # A person's text follows the quarter and the employer, which the writer learns from the head.
        writer.head(declaration, Tally())
        for person, car in declared_persons(seed, who, quarter, law, count):
            counts.add(person, car)
            body.write(writer.person(counts.persons, person, tally).encode())
            collector.add_amounts(name, 0, amounts_of_person(declaration, person))
        finish(declaration, counts, law, seed)
        declaration.net_owed = counts.owed + declaration.own_owed()
        collector.add_amounts(name, 0, amounts_of_employer(declaration))
        with path.open("wb") as file:
            file.write((opening(quarter) + writer.head(declaration, tally)).encode())
            body.seek(0)
            shutil.copyfileobj(body, file, _PIECE)
            file.write((writer.end(declaration, tally) + closing(who.style)).encode())
    with path.open("rb") as written:
        digest, size = _digest(written)
    collector.add_written(name, digest, size, declaration, tally)
    return declaration


def _digest(file: BinaryIO) -> tuple[str, int]:
    """Hexadecimal SHA-256 and length of a file."""
    digest, size = sha256(), 0
    while piece := file.read(_PIECE):
        digest.update(piece)
        size += len(piece)
    return digest.hexdigest(), size
