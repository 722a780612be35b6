"""The official rate files of a quarter: what each of the three holds, read into frames.

NOSSContributionRate: rates by employer class, code and type. NOSSDeductionRate: the highest rate of base contributions
that a reduction may take, by employer class, worker code and deduction code. NOSSWorkerAndContributionComb: which
contributions belong to a worker code of an employer class, each with one or more owedness codes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeVar

import polars as pl

from contributions.rates.markup import Entry, Markup, RateFileRefused, read_markup
from dmfa.quarter import Quarter

T = TypeVar("T")

Kind = Literal["contribution_rate", "deduction_rate", "owedness"]
"""What a file holds, as the table of the lake is named that takes it."""

OF_PERSONS: Final = "ContributionWorkerCode"
CODES: Final = (OF_PERSONS, "WorkerCode", "UnrelatedWorkerCode")
"""Elements of which a contribution rate has exactly one: of block 90001, of students and the like, of block 90002."""

FICTITIOUS: Final = "Fictitious"
"""Element of the Header that says that all figures are invented; so does the word INVENTED in the file's name."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """What a kind of file is made of."""

    prefix: str
    label: str
    key: tuple[str, ...]


LAYOUTS: Final[dict[Kind, _Layout]] = {
    "contribution_rate": _Layout(
        "NOSSContributionRate",
        "ContributionRate",
        ("employer_class", "code_element", "contribution_worker_code", "contribution_type"),
    ),
    "deduction_rate": _Layout(
        "NOSSDeductionRate", "DeductionRate", ("employer_class", "worker_code", "deduction_code")
    ),
    "owedness": _Layout(
        "NOSSWorkerAndContributionComb",
        "WorkerAndContributionComb",
        ("employer_class", "worker_code", "contribution_worker_code"),
    ),
}

_CLASS: Final = {"employer_class": pl.String()}
SCHEMAS: Final[dict[Kind, pl.Schema]] = {
    "contribution_rate": pl.Schema(
        {
            **_CLASS,
            "code_element": pl.String(),
            "contribution_worker_code": pl.String(),
            "contribution_type": pl.Int64(),
            "personal_rate": pl.Int64(),
            "employer_rate": pl.Int64(),
            "moderation_rate": pl.Int64(),
            "total_rate": pl.Int64(),
            "flat": pl.Boolean(),
            "minimum_flat": pl.Int64(),
            "state": pl.String(),
            "further": pl.String(),
        }
    ),
    "deduction_rate": pl.Schema(
        {
            **_CLASS,
            "worker_code": pl.String(),
            "deduction_code": pl.String(),
            "max_base_rate": pl.Int64(),
            "further": pl.String(),
        }
    ),
    "owedness": pl.Schema(
        {
            **_CLASS,
            "worker_code": pl.String(),
            "contribution_worker_code": pl.String(),
            "owedness_code": pl.Int64(),
            "further": pl.String(),
        }
    ),
}
"""Columns of each kind; rates are ten-thousandths (38.07 % is 3807), flat amounts cents, further is a JSON object."""

TABLE_WORDS: Final[dict[Kind, str]] = {
    "contribution_rate": "Contribution rates of the official file of a quarter: one row per class, code and type",
    "deduction_rate": "Ceilings of the official file of a quarter: one row per class, worker code and deduction code",
    "owedness": "Who owes what by the official file of a quarter: one row per combination and owedness code",
}
COLUMN_WORDS: Final = {
    "quarter": "Quarter of the file in its official form, 20263 for 2026/3.",
    "employer_class": "Employer class (annex 27).",
    "code_element": "Element that names the code: ContributionWorkerCode, WorkerCode or UnrelatedWorkerCode.",
    "worker_code": "Worker code (annex 2).",
    "contribution_worker_code": "Contribution code (annex 2).",
    "contribution_type": "Contribution type (annex 3).",
    "deduction_code": "Deduction code (annex 4).",
    "personal_rate": "Share of the worker, in ten-thousandths.",
    "employer_rate": "Base share of the employer, in ten-thousandths.",
    "moderation_rate": "Wage moderation, in ten-thousandths.",
    "total_rate": "What the basis is multiplied with, in ten-thousandths; cents where the rate is flat.",
    "flat": "Whether the rate is an amount.",
    "minimum_flat": "Least amount, in cents; null where there is none.",
    "state": "Status as written, e.g. NEW; null where there is none.",
    "max_base_rate": "Highest rate of base contributions that the reduction may take, in ten-thousandths.",
    "owedness_code": "0, 1, 2 or 6; 1 is due except for apprentices over 18; no official legend is at hand.",
    "further": "Elements that this program does not know, as a JSON object; null where there are none.",
}

_NAME: Final = re.compile(r"(?P<year>\d{4})_0?(?P<number>[1-4])(?:_|$)")
_HUNDREDTHS: Final = re.compile(r"(?P<sign>-?)(?P<whole>\d{1,9})(?:\.(?P<part>\d{1,2})0*)?")
_TRUE = frozenset(("1", "true", "y", "yes", "j", "ja", "o", "oui"))
_FALSE = frozenset(("0", "false", "n", "no", "nee", "non"))


@dataclass(frozen=True)
class RateFile:
    """One official file, read.

    Attributes:
        name: its name, without any folder.
        sha256: of its bytes, hexadecimal.
        size: number of bytes.
        created_on: FormCreationDate of its Header, as written; empty where there is none.
        fictitious: whether it says that its figures are invented.
        rows: a frame of SCHEMAS, in the order of the file.
        unknown: elements and attributes that this program does not know -> how often they stand there.
        further: those of the Header and below the root, as a JSON object; empty where there are none.
    """

    kind: Kind
    quarter: Quarter
    name: str
    sha256: str
    size: int
    created_on: str
    fictitious: bool
    rows: pl.DataFrame
    unknown: Mapping[str, int] = field(default_factory=dict)
    further: str = ""


def kind_of(name: str) -> Kind | None:
    """Which of the three a file is by its name; None for any other file."""
    if not name.lower().endswith(".xml"):
        return None
    return next((kind for kind, layout in LAYOUTS.items() if name.startswith(f"{layout.prefix}_")), None)


def read_rate_file(name: str, data: bytes) -> RateFile:
    """Read one official file.

    Args:
        name: its name without any folder; its second and third part are year and quarter.
        data: its bytes.

    Raises:
        RateFileRefused: it is none of the three or not well-formed; an element that it must have is missing, twice
            there or has no value of its kind; two rows have one key; its name tells another quarter than its Header.
    """
    kind = kind_of(name)
    if kind is None:
        prefixes = ", ".join(layout.prefix for layout in LAYOUTS.values())
        raise RateFileRefused(name, f"its name begins with none of {prefixes}, or does not end in .xml")
    layout = LAYOUTS[kind]
    markup = read_markup(name, data, layout.label)
    quarter, header_unknown = _header(name, markup)
    if not markup.entries:
        raise RateFileRefused(name, f"it holds no {layout.label}")
    unknown = Counter({f"{element} (below the root)": many for element, many in markup.strange.items()})
    unknown.update({f"{element} (in Header)": len(texts) for element, texts in header_unknown.items()})
    rows: list[tuple[Any, ...]] = []
    keys: dict[tuple[Any, ...], int] = {}
    for number, entry in enumerate(markup.entries, start=1):
        values = _Values(name, f"{layout.label} {number} (line {entry.line})", entry)
        made = list(_ROWS[kind](values))
        key = made[0][: len(layout.key)]
        if key in keys:
            raise values.refused(f"is {layout.label} {keys[key]} once more ({_told(layout, key)})")
        keys[key] = number
        rest = values.rest()
        unknown.update({f"{element} (in {layout.label})": len(texts) for element, texts in rest.items()})
        rows += [(*row, _json(rest)) for row in made]
    fictitious = "invented" in name.lower() or markup.header.get(FICTITIOUS, ["0"])[0].lower() not in _FALSE
    return RateFile(
        kind,
        quarter,
        name,
        hashlib.sha256(data).hexdigest(),
        len(data),
        " ".join(markup.header.get("FormCreationDate", [])),
        fictitious,
        pl.DataFrame(rows, schema=SCHEMAS[kind], orient="row"),
        dict(sorted(unknown.items())),
        _json({**header_unknown, **markup.strangers}) or "",
    )


def _told(layout: _Layout, key: tuple[Any, ...]) -> str:
    return ", ".join(f"{name} {value}" for name, value in zip(layout.key, key, strict=True))


def _header(name: str, markup: Markup) -> tuple[Quarter, dict[str, list[str]]]:
    """The quarter, which name and Header must tell alike, and the elements of the Header that are not known."""
    texts = markup.header.get("Quarter", [])
    if len(texts) != 1 or not texts[0]:
        raise RateFileRefused(name, "its Header has no Quarter")
    try:
        quarter = Quarter.parse(texts[0])
    except ValueError:
        raise RateFileRefused(name, f"the Quarter {texts[0][:20]!r} of its Header is none") from None
    match = _NAME.match(name.partition("_")[2].removesuffix(".xml").removesuffix(".XML"))
    if match is None:
        raise RateFileRefused(name, "its name does not tell year and quarter, as in NOSSContributionRate_2026_3.xml")
    named = Quarter(int(match["year"]), int(match["number"]))
    if named != quarter:
        raise RateFileRefused(name, f"its name says {named}, its Header {quarter}")
    known = ("Quarter", "FormCreationDate", FICTITIOUS)
    return quarter, {element: texts for element, texts in markup.header.items() if element not in known}


def _json(texts: Mapping[str, list[str]]) -> str | None:
    """Elements with their text, or texts where there are several."""
    told = {name: values[0] if len(values) == 1 else values for name, values in texts.items()}
    return json.dumps(told, ensure_ascii=False, sort_keys=True) if told else None


class _Values:
    """The elements of one row; each one asked for is known, the rest is not."""

    def __init__(self, name: str, where: str, entry: Entry) -> None:
        self._name, self.where, self._entry = name, where, entry
        self._known: set[str] = set()

    def rest(self) -> dict[str, list[str]]:
        """Elements that nobody asked for."""
        if self._entry.texts.keys() <= self._known:
            return {}
        return {name: texts for name, texts in self._entry.texts.items() if name not in self._known}

    def refused(self, why: str) -> RateFileRefused:
        """The error that refuses the file for this row."""
        return RateFileRefused(self._name, f"{self.where} {why}")

    def several(self, element: str) -> list[str]:
        """All texts of an element that must be there."""
        self._known.add(element)
        texts = [text for text in self._entry.texts.get(element, []) if text]
        if not texts:
            raise self.refused(f"has no {element}")
        return texts

    def one(self, element: str) -> str:
        """The text of an element that must be there once."""
        texts = self.several(element)
        if len(texts) > 1:
            raise self.refused(f"has more than one {element}")
        return texts[0]

    def optional(self, element: str) -> str | None:
        """The text of an element that may be there once."""
        self._known.add(element)
        return self.one(element) if any(self._entry.texts.get(element, [])) else None

    def code(self, element: str, width: int) -> str:
        """A code, with its leading zeros."""
        return self._read(element, self.one(element), lambda text: _digits(text, width).zfill(width))

    def number(self, element: str, text: str | None = None) -> int:
        """A number from 0 to 999."""
        return self._read(element, text or self.one(element), lambda text: int(_digits(text, 3)))

    def hundredths(self, element: str) -> int:
        """A percentage or an amount with at most two decimals, in ten-thousandths or cents."""
        return self._read(element, self.one(element), _hundredths)

    def truth(self, element: str) -> bool:
        """Yes or no."""
        return self._read(element, self.one(element), _truth)

    def _read(self, element: str, text: str, read: Callable[[str], T]) -> T:
        try:
            return read(text)
        except ValueError:
            raise self.refused(f"has no readable {element}: {text[:20]!r}") from None


def _digits(text: str, width: int) -> str:
    if not (text.isascii() and text.isdecimal() and len(text) <= width):
        raise ValueError(text)
    return text


def _hundredths(text: str) -> int:
    match = _HUNDREDTHS.fullmatch(text)
    if match is None:
        raise ValueError(text)
    value = int(match["whole"]) * 100 + int((match["part"] or "").ljust(2, "0"))
    return -value if match["sign"] else value


def _truth(text: str) -> bool:
    if text.lower() not in _TRUE | _FALSE:
        raise ValueError(text)
    return text.lower() in _TRUE


def _rates(values: _Values) -> Iterator[tuple[Any, ...]]:
    named = [element for element in CODES if element in values.rest()]
    if len(named) != 1:
        raise values.refused(f"has {len(named) or 'none'} of {', '.join(CODES)}; it must have exactly one")
    shares = ("PersonalRate", "EmployerRate", "SalaryModerationRate", "TotalRate")
    yield (
        values.code("EmployerClass", 3),
        named[0],
        values.code(named[0], 3),
        values.number("ContributionType"),
        *(values.hundredths(share) for share in shares),
        values.truth("IsFlatRate"),
        None if values.optional("MinimumFlatRate") is None else values.hundredths("MinimumFlatRate"),
        values.optional("Status"),
    )


def _ceilings(values: _Values) -> Iterator[tuple[Any, ...]]:
    codes = values.code("EmployerClass", 3), values.code("WorkerCode", 3), values.code("DeductionCode", 4)
    yield (*codes, values.hundredths("MaxBaseRate"))


def _combinations(values: _Values) -> Iterator[tuple[Any, ...]]:
    codes = values.code("EmployerClass", 3), values.code("WorkerCode", 3), values.code(OF_PERSONS, 3)
    for owed in sorted({values.number("OwednessCode", text) for text in values.several("OwednessCode")}):
        yield (*codes, owed)


_ROWS: Final[dict[Kind, Callable[[_Values], Iterator[tuple[Any, ...]]]]] = {
    "contribution_rate": _rates,
    "deduction_rate": _ceilings,
    "owedness": _combinations,
}
