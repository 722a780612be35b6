"""What a receiver must make of the samples, as JSON, CSV and a page for people."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from typing import Any

from dmfa.schema import UPDATE, release_for
from dmfa.synth.sample_filings import QUARTER, RECEIVED_ON, Sample, Samples
from dmfa.synth.truth import TABLES, amounts
from dmfa.synth.xml import schema_name


def expected_json(made: Samples) -> str:
    """Totals of the inbox, and for each filing of inbox and later its verdict, rows and sums."""
    described = {
        "received_on": RECEIVED_ON,
        "quarter": QUARTER.code,
        "totals": _totals(made.inbox),
        "filings": [_description(sample) for sample in made.inbox],
        "later": [_description(sample) for sample in made.later],
    }
    return json.dumps(described, indent=1, ensure_ascii=False) + "\n"


def _description(sample: Sample) -> dict[str, Any]:
    """What is expected of one filing."""
    filing, expected = sample.filing, sample.filing.expected
    told: dict[str, Any] = {"file": filing.name, "what": sample.words, "verdict": expected.verdict}
    told["codes"], told["warnings"] = list(expected.codes), list(sample.warnings)
    told["fault"] = expected.fault or None
    told["same_bytes_as"] = sample.same_bytes_as or None
    told["name_known"] = sample.name_known
    told["well_formed"], told["schema_valid"] = expected.well_formed, expected.schema_valid
    told |= _quarter_told(sample)
    if filing.update is not None:
        changed = list(filing.update.lines())
        told["corrected"] = {"lines": len(changed), "cents": sum(after - before for *_, before, after in changed)}
    if filing.readable:
        told["declarations"] = len(filing.declarations)
        told |= {"refused": len(expected.refused), "persons": sum(len(d.persons) for d in filing.declarations)}
        told["net_owed_cents"] = [declaration.net_owed for declaration in filing.declarations]
        told["rows"] = dict(sorted(sum((tally.rows for tally in filing.tallies), Counter()).items()))
        sums: Counter[tuple[str, str]] = sum((tally.sums for tally in filing.tallies), Counter())
        told["sums"] = {f"{table}.{column}": total for (table, column), total in sorted(sums.items())}
    return told


def _quarter_told(sample: Sample) -> dict[str, Any]:
    """The quarter that stands in a filing, and the release that judges it; none where it is no declaration."""
    expected, update = sample.filing.expected, sample.filing.update
    if update is not None:
        return {"quarter": update.declaration.quarter.code, "schema": schema_name(update.declaration.quarter, UPDATE)}
    if expected.verdict == "not_processed":
        return {"quarter": QUARTER.code, "schema": None}
    if not expected.well_formed or not sample.filing.declarations or expected.fault == "other_xml":
        return {"quarter": None, "schema": None}
    quarter = max(declaration.quarter for declaration in sample.filing.declarations)
    release = release_for("DmfAOriginal", quarter)
    return {"quarter": quarter.code, "schema": release.name if release else None}


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
    described = [
        dict(zip(("quarter", "kind", "code", "type"), key, strict=True)) | dict(sorted(counted.items()))
        for key, counted in sorted(per_code.items(), key=lambda item: tuple(str(part) for part in item[0]))
    ]
    return {
        "filings": dict(sorted(_verdicts(made).items())),
        "kept": sum(len(sample.kept) for sample in made),
        "rows": dict(sorted(rows.items())),
        "amounts": described,
    }


def amounts_csv(made: list[Sample]) -> str:
    """Each declared or due amount of the kept declarations."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.name for column in TABLES["amounts"]])
    for sample in made:
        for place in sample.kept:
            for row in amounts(sample.filing.declarations[place]):
                writer.writerow([sample.filing.name, place, *row])
    return text.getvalue()


def readme(made: Samples) -> str:
    """The page that says what each file holds and what must become of it."""
    count = _verdicts(made.inbox)
    told = ", ".join(f"{number} {verdict.replace('_', ' ')}" for verdict, number in sorted(count.items()))
    head = f"""\
# Samples: 2026/1 to {QUARTER}

A small invented country over three quarters, with the same persons in each. No person, employer or number in it is
real; wages and rates are of the right order, and contributions and reductions are calculated with the official figures,
as far as these are confirmed. Received on {RECEIVED_ON}: {len(made.inbox)} filings, of them {count.total()} different
ones: {told}.

| where | what |
| --- | --- |
| inbox/ | filings of {QUARTER}, good and faulty, and the two quarters before in archives |
| later/ | what is received after the inbox: sent anew, corrections, late, repeated, under a name already taken |
| rates/ | invented rate files of two quarters, for `dmfa reference import rates`: no figure in them is a real one |
| directory/ | lines of an invented reference directory on some of the persons, and changes to them |
| expected.json | for each filing verdict, rows and sums; in `totals` what must be kept of the inbox |
| expected_amounts.csv | each amount of the accepted declarations of the inbox: declared, by the law, how they compare |

These are written by `python -m dmfa.synth.samples`, always with the same content; other files here are made by hand.
`lawful_cents` comes from exact fractions in `dmfa.synth`, not from `contributions`; where it is empty, no confirmed
figure gives the amount, and what is declared is the payroll's own word.

"""
    return head + _list("inbox/", made.inbox) + "\n" + _list("later/", made.later)


def _list(folder: str, made: list[Sample]) -> str:
    lines = [f"| {folder} | what is in it | verdict | code |", "| --- | --- | --- | --- |"]
    for sample in made:
        expected = sample.filing.expected
        verdict = expected.verdict.replace("_", " ")
        codes = ", ".join((*expected.codes, *(f"{code} (warning)" for code in sample.warnings)))
        lines.append(f"| {sample.filing.name} | {sample.words} | {verdict} | {codes} |")
    return "\n".join(lines) + "\n"
