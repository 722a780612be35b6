"""Invented rate files of the structure of the official ones, for samples and tests.

Their figures are round and wrong on purpose, their names say INVENTED, and so does their Header: nobody shall take them
for those of the NSSO.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from fractions import Fraction
from io import BytesIO
from typing import Final
from xml.sax.saxutils import escape

from dmfa.quarter import Quarter
from dmfa.synth.rounding import half_up

INVENTED: Final = "INVENTED"
CLASSES: Final = ("000", "010")

# Code and type -> the worker's and the employer's share, in hundredths of a percent; none of them is a real one.
_ORDINARY: Final = {("015", 1): (1000, 2000), ("495", 0): (1000, 2000), ("035", 1): (0, 100), ("439", 0): (0, 100)}
_BESIDE: Final = {("253", 0): 500, ("255", 0): 5, ("256", 0): 5, ("857", 0): 150, ("859", 0): 20}
_WITH_SHARE: Final = {("809", 0): 50, ("809", 5): 60, ("810", 0): 20, ("855", 0): 150}
_OWED: Final = {
    "015": {"253": 0, "255": 0, "256": 0, "809": 6, "810": 0, "855": 0, "859": 0, "868": 0, "888": 0},
    "495": {"255": 0, "256": 0, "809": 6, "810": 0, "855": 0, "859": 0, "868": 0, "888": 0},
    "840": {"888": 0},
}

SAMPLES: Final = {Quarter(2026, 2): 2100, Quarter(2026, 3): 2000}
"""Quarters of the samples -> base share of the employer, so that two quarters differ."""

Element = tuple[str, str]


def rate_files(quarter: Quarter, *, employer_rate: int = 2000) -> dict[str, bytes]:
    """The three files of a quarter, by name.

    Args:
        quarter: the quarter that they are of.
        employer_rate: base share of the employer for manual and white-collar workers, in hundredths of a percent.
    """
    codes = {
        "NOSSContributionRate": ("ContributionRate", list(_rates(employer_rate))),
        "NOSSDeductionRate": ("DeductionRate", list(_ceilings(employer_rate))),
        "NOSSWorkerAndContributionComb": ("WorkerAndContributionComb", list(_combinations())),
    }
    return {
        f"{root}_{quarter.year}_{quarter.number}_{INVENTED}.xml": markup(root, label, quarter, rows)
        for root, (label, rows) in codes.items()
    }


def rate_archive(quarter: Quarter, *, employer_rate: int = 2000) -> tuple[str, bytes]:
    """The same as one zip: its name and its bytes, the same each time."""
    packed = BytesIO()
    # Stored, not compressed: compressed bytes differ from one zlib to the next.
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, content in rate_files(quarter, employer_rate=employer_rate).items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content)
    return f"dmfa_rate_{quarter.year}_{quarter.number}_{INVENTED}.zip", packed.getvalue()


def markup(root: str, label: str, quarter: Quarter, rows: Iterable[Iterable[Element]]) -> bytes:
    """One rate file.

    Args:
        root: name of the root element.
        label: name of the element of each row.
        quarter: the quarter of its Header.
        rows: the elements of each row, with their texts.
    """
    header = [("Quarter", str(quarter.code)), ("FormCreationDate", str(quarter.first_day)), ("Fictitious", "1")]
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<!-- {INVENTED} for trying things out: no figure in it is one of the NSSO -->",
        f"<{root}>",
        f"  <Header>{_elements(header)}</Header>",
        *(f"  <{label}>{_elements(row)}</{label}>" for row in rows),
        f"</{root}>",
    ]
    return "\n".join([*lines, ""]).encode()


def _elements(elements: Iterable[Element]) -> str:
    return "".join(f"<{name}>{escape(text)}</{name}>" for name, text in elements)


def _percent(hundredths: int) -> str:
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def _moderation(base: int, fixed: int, factor: int) -> int:
    """Wage moderation by the formula of the law, in hundredths of a percent: a file that breaks it would be told."""
    return half_up(Fraction(fixed) + Fraction(factor * base, 10_000))


def _rates(employer_rate: int) -> Iterable[list[Element]]:
    for employer_class in CLASSES:
        for (code, kind), (personal, base) in _ORDINARY.items():
            own = employer_rate if base == 2000 else base
            moderation = _moderation(own, 427, 427) if base == 2000 else 0
            yield _rate(employer_class, code, kind, (personal, own, moderation))
        for (code, kind), base in _BESIDE.items():
            yield _rate(employer_class, code, kind, (0, base, 0))
        for (code, kind), base in _WITH_SHARE.items():
            yield _rate(employer_class, code, kind, (0, base, _moderation(base, 0, 567)))
        yield _rate(employer_class, "840", 0, (300, 600, 0), element="WorkerCode")
        yield _rate(employer_class, "870", 0, (1000, 0, 0), element="UnrelatedWorkerCode")
        yield [*_rate(employer_class, "260", 4, (0, 3000, 0)), ("MinimumFlatRate", "2000.00"), ("Status", "NEW")]


def _rate(
    employer_class: str, code: str, kind: int, shares: tuple[int, int, int], element: str = "ContributionWorkerCode"
) -> list[Element]:
    names = ("PersonalRate", "EmployerRate", "SalaryModerationRate")
    return [
        ("EmployerClass", employer_class),
        (element, code),
        ("ContributionType", str(kind)),
        *((name, _percent(share)) for name, share in zip(names, shares, strict=True)),
        ("TotalRate", _percent(sum(shares))),
        ("IsFlatRate", "0"),
    ]


def _ceilings(employer_rate: int) -> Iterable[list[Element]]:
    ceiling = _percent(employer_rate + _moderation(employer_rate, 427, 427))
    for employer_class in CLASSES:
        for worker_code in ("015", "495"):
            keys = [("EmployerClass", employer_class), ("WorkerCode", worker_code), ("DeductionCode", "3000")]
            yield [*keys, ("MaxBaseRate", ceiling)]


def _combinations(owed: Mapping[str, Mapping[str, int]] = _OWED) -> Iterable[list[Element]]:
    for employer_class in CLASSES:
        for worker_code, codes in owed.items():
            for code, owedness in codes.items():
                keys = [("EmployerClass", employer_class), ("WorkerCode", worker_code)]
                yield [*keys, ("ContributionWorkerCode", code), ("OwednessCode", str(owedness))]
