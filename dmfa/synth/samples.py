"""The sample quarter in data/samples, made again byte for byte by `python -m dmfa.synth.samples`.

A small invented country: filings good and bad of 2026/3, some of other quarters, and beside them what a receiver must
make of each.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from dmfa.quarter import Quarter
from dmfa.synth.declaration import Declaration
from dmfa.synth.employer import employer
from dmfa.synth.faults import FAULTS, apply
from dmfa.synth.figures import Figures
from dmfa.synth.law import Law
from dmfa.synth.payroll import prepare
from dmfa.synth.truth import TABLES, Expected, Filing, amounts
from dmfa.synth.xml import Tally, created, document, schema_name

SEED: Final = 2075
QUARTER: Final = Quarter(2026, 3)
RECEIVED_ON: Final = "2026-11-22"

# Trades and sizes of the good filings: most employers are small, a few are not.
_GOOD: Final = (
    ("general", 1), ("services", 2), ("hospitality", 3), ("building", 5), ("care", 4), ("services", 1),
    ("general", 7), ("services", 12), ("hospitality", 9), ("building", 22), ("general", 2), ("services", 3),
    ("federal", 14), ("general", 24), ("services", 1), ("building", 3), ("hospitality", 6), ("general", 40),
    ("services", 33), ("care", 18), ("general", 1), ("services", 4), ("building", 8), ("hospitality", 16),
    ("general", 3), ("services", 2), ("federal", 5), ("general", 11), ("services", 20), ("hospitality", 2),
)  # fmt: skip
_SENDERS: Final = (700_001, 700_001, 700_002, 700_003)


@dataclass(slots=True)
class Sample:
    """One file of the samples, with words for people."""

    filing: Filing
    words: str
    same_bytes_as: str = ""
    kept: list[int] = field(default_factory=list)


class _Names:
    """File names as senders give them, counted per sender."""

    def __init__(self) -> None:
        self._count: Counter[int] = Counter()

    def next(self, declaration: Declaration) -> str:
        """`FI.DMFA.<sender>.<day>.<sequence>.R.1.1`, and for every seventh employer a plain `.xml`."""
        index = declaration.employer.index
        if index % 7 == 6:
            return f"declaration-{declaration.quarter.code}-{index:03d}.xml"
        sender = _SENDERS[index % len(_SENDERS)]
        self._count[sender] += 1
        return f"FI.DMFA.{sender}.{created(declaration)[0]:%Y%m%d}.{self._count[sender]:05d}.R.1.1"


def samples() -> list[Sample]:
    """All files of the samples in the order in which they were made."""
    law = Law(Figures.of(QUARTER))
    names = _Names()
    made = [_good(index, trade, size, law, names) for index, (trade, size) in enumerate(_GOOD)]
    made += _faulty(law, names)
    made += _others(law, names, made)
    for sample in made:
        if sample.filing.readable and sample.filing.expected.verdict != "not_processed" and not sample.same_bytes_as:
            count = len(sample.filing.declarations)
            sample.kept = [place for place in range(count) if place not in sample.filing.expected.refused]
    return sorted(made, key=lambda sample: sample.filing.name)


def _declare(index: int, trade: str, size: int, law: Law) -> Declaration:
    return prepare(SEED, employer(SEED, index, trade=trade, exact_size=size), law.figures.quarter, law, size)


def _written(
    name: str, declarations: list[Declaration], expected: Expected | None = None, style: int | None = None
) -> Filing:
    tallies = [Tally() for _ in declarations]
    content = document(declarations, tallies, style)
    return Filing(name, content, declarations, tallies, expected or Expected())


def _good(index: int, trade: str, size: int, law: Law, names: _Names) -> Sample:
    declaration = _declare(index, trade, size, law)
    workers = "1 worker" if size == 1 else f"{size} workers"
    return Sample(_written(names.next(declaration), [declaration]), f"good: {trade}, {workers}")


def _faulty(law: Law, names: _Names) -> Iterator[Sample]:
    """One filing for each fault, each of an employer of its own."""
    index = len(_GOOD)
    for name, fault in FAULTS.items():
        while True:
            trade = "building" if fault.expected.verdict == "accepted" else ("general", "services")[index % 2]
            declaration = _declare(index, trade, 3 + index % 3, law)
            index += 1
            filing = apply(name, declaration, "")
            if filing:
                break
        filing.name = names.next(declaration)
        yield Sample(filing, fault.words)


def _others(law: Law, names: _Names, made: list[Sample]) -> Iterator[Sample]:
    """Files that are special by what lies around them: other quarters, other kinds, several Forms, repetitions."""
    earlier = Law(Figures.of(Quarter(2026, 2)))
    for index in (3, 11):
        declaration = _declare(index, *_GOOD[index], earlier)
        yield Sample(
            _written(names.next(declaration), [declaration]), "good, of the quarter before; mostly the same persons"
        )

    pair = [_declare(index, "services", 2, law) for index in (90, 91)]
    yield Sample(_written(names.next(pair[0]), pair), "good: two Forms, two employers")

    pair = [_declare(index, "general", 3, law) for index in (92, 93)]
    pair[1].net_owed += 5_000
    expected = Expected("net_wrong", "refused", ("00015-007",), refused=(1,))
    words = "two Forms: the first is good and kept, the net amount of the second is 50 euros too high"
    yield Sample(_written(names.next(pair[0]), pair, expected), words)

    original = made[8].filing
    again = _written(names.next(original.declarations[0]), original.declarations, style=0)
    again.expected = Expected("second_original", "refused", ("90007-006",), refused=(0,))
    yield Sample(again, "a second original of an employer and quarter, in other bytes; the first one stays")

    copy = made[1].filing
    same = Filing("a-copy-of-an-earlier-file.xml", copy.content, copy.declarations, copy.tallies, copy.expected)
    yield Sample(same, "byte for byte a file that was already sent, under another name", copy.name)

    update = Filing(
        "FI.DMWA.700001.20261105.00001.R.1.1", _update(), expected=Expected("", "not_processed", schema_valid=None)
    )
    yield Sample(update, "a correction (DmfAUpdate): a known kind of message, kept but not processed yet")


def _update() -> bytes:
    who = employer(SEED, 0, trade=_GOOD[0][0], exact_size=_GOOD[0][1])
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<DmfAUpdate xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xsi:noNamespaceSchemaLocation="DmfAUpdate_20231.xsd">\n'
        "\t<Form>\n\t\t<Identification>DMFAUPD</Identification>\n\t\t<FormCreationDate>2026-11-05</FormCreationDate>\n"
        "\t\t<FormCreationHour>10:15:00.000</FormCreationHour>\n\t\t<AttestationStatus>1</AttestationStatus>\n"
        "\t\t<TypeForm>SU</TypeForm>\n\t\t<EmployerDeclarationUpdate>\n"
        f"\t\t\t<Quarter>{QUARTER.code}</Quarter>\n"
        f"\t\t\t<NOSSRegistrationNbr>{who.noss_registration_nbr}</NOSSRegistrationNbr>\n"
        "\t\t</EmployerDeclarationUpdate>\n\t</Form>\n</DmfAUpdate>\n"
    ).encode()


def _description(sample: Sample) -> dict[str, Any]:
    """What is expected of one file, for expected.json."""
    filing, expected = sample.filing, sample.filing.expected
    told: dict[str, Any] = {"file": filing.name, "what": sample.words, "verdict": expected.verdict}
    told["codes"] = list(expected.codes)
    told["fault"] = expected.fault or None
    told["same_bytes_as"] = sample.same_bytes_as or None
    told["well_formed"], told["schema_valid"] = expected.well_formed, expected.schema_valid
    if filing.readable:
        quarter = filing.declarations[0].quarter
        told |= {"quarter": quarter.code, "schema": schema_name(quarter), "declarations": len(filing.declarations)}
        told |= {"refused": len(expected.refused), "persons": sum(len(d.persons) for d in filing.declarations)}
        told["net_owed_cents"] = [declaration.net_owed for declaration in filing.declarations]
        told["rows"] = dict(sorted(sum((tally.rows for tally in filing.tallies), Counter()).items()))
        sums: Counter[tuple[str, str]] = sum((tally.sums for tally in filing.tallies), Counter())
        told["sums"] = {f"{table}.{column}": total for (table, column), total in sorted(sums.items())}
    return told


def _verdicts(made: list[Sample]) -> Counter[str]:
    """Filings by verdict; the same bytes under two names are one filing."""
    return Counter(sample.filing.expected.verdict for sample in made if not sample.same_bytes_as)


def _totals(made: list[Sample]) -> dict[str, Any]:
    """Filings by verdict, rows that must be kept, and amounts by quarter, kind, code and type over what is kept."""
    rows: Counter[str] = Counter()
    per_code: dict[tuple[Any, ...], Counter[str]] = {}
    names = [column.name for column in TABLES["amounts"]][2:]
    for sample in made:
        for place in sample.kept:
            rows += sample.filing.tallies[place].rows
            for row in amounts(sample.filing.declarations[place]):
                line = dict(zip(names, row, strict=True))
                counted = per_code.setdefault((line["quarter"], line["kind"], line["code"], line["type"]), Counter())
                counted.update({"lines": 1, line["outcome"]: 1})
                counted["declared_cents"] += line["declared_cents"] or 0
                counted["lawful_cents"] += line["lawful_cents"] or 0
    per_verdict = _verdicts(made)
    described = [
        dict(zip(("quarter", "kind", "code", "type"), key, strict=True)) | dict(sorted(counted.items()))
        for key, counted in sorted(per_code.items(), key=lambda item: tuple(str(part) for part in item[0]))
    ]
    kept = sum(len(sample.kept) for sample in made)
    return {
        "filings": dict(sorted(per_verdict.items())),
        "kept": kept,
        "rows": dict(sorted(rows.items())),
        "amounts": described,
    }


def _amounts_csv(made: list[Sample]) -> str:
    """Each declared or due amount of the kept declarations."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.name for column in TABLES["amounts"]])
    for sample in made:
        for place in sample.kept:
            for row in amounts(sample.filing.declarations[place]):
                writer.writerow([sample.filing.name, place, *row])
    return text.getvalue()


def _readme(made: list[Sample]) -> str:
    """The page that says what each file holds and what must become of it."""
    count = _verdicts(made)
    told = ", ".join(f"{number} {verdict.replace('_', ' ')}" for verdict, number in sorted(count.items()))
    head = f"""\
# Sample quarter 2026/3

A small invented country. No person, employer or number in it is real; wages and rates are of the right order, and
contributions and reductions are calculated with the official figures, as far as these are confirmed.
Received on {RECEIVED_ON}: {len(made)} files, that is {count.total()} different filings: {told}.

| where | what |
| --- | --- |
| inbox/ | the filings |
| expected.json | for each file verdict, rows and sums; in `totals` what must be kept, and amounts by code |
| expected_amounts.csv | each amount of the accepted declarations: declared, by the law, and how they compare |

These are written by `python -m dmfa.synth.samples`, always with the same bytes; other files here are made by hand.
`lawful_cents` comes from exact fractions in `dmfa.synth`, not from `contributions`; where it is empty, no confirmed
figure gives the amount.

| file | what is in it | verdict | code |
| --- | --- | --- | --- |
"""
    lines = []
    for sample in made:
        expected = sample.filing.expected
        verdict = expected.verdict.replace("_", " ")
        codes = ", ".join(expected.codes)
        lines.append(f"| {sample.filing.name} | {sample.words} | {verdict} | {codes} |")
    return head + "\n".join(lines) + "\n"


def write(folder: Path) -> list[Sample]:
    """Write the samples below a folder; files in its inbox that are not samples are removed.

    Args:
        folder: data/samples, or a copy of it.

    Returns:
        What was written.
    """
    made = samples()
    inbox = folder / "inbox"
    inbox.mkdir(parents=True, exist_ok=True)
    for stale in {path.name for path in inbox.iterdir()} - {sample.filing.name for sample in made}:
        (inbox / stale).unlink()
    for sample in made:
        (inbox / sample.filing.name).write_bytes(sample.filing.content)
    described = {
        "received_on": RECEIVED_ON,
        "quarter": QUARTER.code,
        "totals": _totals(made),
        "filings": [_description(sample) for sample in made],
    }
    (folder / "expected.json").write_text(json.dumps(described, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "expected_amounts.csv").write_text(_amounts_csv(made), encoding="utf-8")
    (folder / "README.md").write_text(_readme(made), encoding="utf-8")
    return made


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2] / "data" / "samples"
    sys.stdout.write(f"{len(write(target))} files in {target / 'inbox'}\n")
