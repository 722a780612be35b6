"""Legal parameters: one YAML file each, values by first day of effect, read into exact integers.

A file lists `description`, `unit`, `values` and `checked_on`. Each value is quoted text in the law's own unit with its
source and trust; it holds from its day until the next one; `value: null` ends it. `conflict` names another value that a
source gives, and `alternative` gives that one with its own source: a setting may choose between the two, and the chosen
one then computes with trust B. A scale belongs to each unit, so that no figure ever becomes a float. `effect: month`
says that values may change inside a quarter: such a figure is read in the scope of a month (see MONTHS).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Final, Literal, cast

import yaml

from contributions import reasons
from contributions.trust import Trust, enough, lowest
from dmfa.errors import DmfaError
from dmfa.quarter import Quarter

FOLDER: Final = Path(__file__).parent

SCALES: Final = {
    "euro": 100,
    "euro per month": 100,
    "euro per quarter": 100,
    "fraction": 10_000,
    "factor": 10_000,
    "percent": 100,
    "points": 100,
    "grams per km": 1,
    "hours": 1,
    "years": 1,
    "quarters": 1,
}
"""Unit of a number -> what it is multiplied with to become an integer: cents, ten-thousandths of one, or the unit."""

Reading = Literal["", "published", "reformed"]
"""Which source is followed in 2025/2, where two conflict on the structural reduction: none, the page published that
quarter, or the later one that follows the royal decree of 2 July 2025."""

DISPUTED: Final = Quarter(2025, 2)
"""The quarter in which a reading may be chosen."""

MONTHS: Final = ("first_month", "second_month", "third_month")
"""Last parts of the scopes in which the rules of a single month of the quarter hold."""

_WORDS: Final = ("codes", "rule", "quarter")
_FILE_KEYS: Final = {"description", "unit", "values", "checked_on"}
_ENTRY_KEYS: Final = {"value", "source", "trust", "conflict", "alternative"}


class ParameterFault(DmfaError):
    """A parameter file does not follow the format."""


class ParameterUnknown(LookupError):
    """No value that may compute in this quarter; the engine turns it into "not computable".

    Attributes:
        reason: one of contributions.reasons.
    """

    def __init__(self, name: str, quarter: Quarter, reason: str) -> None:
        super().__init__(f"{name} in {quarter}: {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a parameter from its first day of effect on.

    Attributes:
        text: None where the parameter ends.
        conflict: what another source says, in words.
        alternative: the value of that source, with the same first day of effect.
    """

    since: date
    text: str | None
    source: str
    trust: Trust
    conflict: str = ""
    alternative: Value | None = None

    def read(self, reading: Reading) -> Value | None:
        """The value of one of two conflicting sources, of trust B because a person chose it; None where it has none."""
        found = {"published": self, "reformed": self.alternative}.get(reading) if self.conflict else None
        return replace(found, trust="B", conflict="", alternative=None) if found else None


@dataclass(frozen=True, slots=True)
class Parameter:
    """One legal parameter, as its file says it."""

    name: str
    description: str
    unit: str
    values: tuple[Value, ...]
    checked_on: date
    monthly: bool = False

    def in_force(self, quarter: Quarter, month: int | None = None) -> Value:
        """The value of a quarter, or of one of its months (0, 1, 2), whatever its trust.

        Raises:
            ParameterUnknown: the quarter lies before the first value or after the last.
            ValueError: the value may change inside the quarter, and no month is given.
        """
        if self.monthly and month is None:
            raise ValueError(f"parameter {self.name} holds for months: read it in the scope of one")
        day = quarter.first_day
        if self.monthly and month is not None:
            day = day.replace(month=day.month + month)
        current: Value | None = None
        for value in self.values:
            if value.since > day:
                break
            current = value
        if current is None or current.text is None:
            raise ParameterUnknown(self.name, quarter, reasons.PARAMETER_UNKNOWN)
        return current


def parse(name: str, text: str) -> Parameter:
    """Read one parameter file.

    Args:
        name: path below the folder without its suffix, e.g. `structural_reduction/category_1/s0`.
        text: the YAML.

    Raises:
        ParameterFault: a key is missing or unknown, a value is not quoted text, its unit does not fit, or a first day
            of effect is not the first day of a quarter.
    """
    try:
        content = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except yaml.YAMLError as fault:
        raise ParameterFault(f"parameter {name}: not readable as YAML") from fault
    if not isinstance(content, dict) or set(content) - {"effect"} != _FILE_KEYS:
        raise ParameterFault(f"parameter {name}: expected exactly the keys {', '.join(sorted(_FILE_KEYS))}")
    if content.get("effect", "month") != "month":
        raise ParameterFault(f"parameter {name}: effect can be month alone")
    monthly = "effect" in content
    unit = content["unit"]
    if unit not in SCALES and unit not in _WORDS:
        raise ParameterFault(f"parameter {name}: unknown unit {unit!r}", f"One of: {', '.join([*SCALES, *_WORDS])}.")
    if not isinstance(content["values"], dict) or not content["values"]:
        raise ParameterFault(f"parameter {name}: values must map a first day of effect to a value")
    if not isinstance(content["checked_on"], date):
        raise ParameterFault(f"parameter {name}: checked_on must be a day")
    values = [_value(name, unit, since, entry, monthly) for since, entry in content["values"].items()]
    if [value.since for value in values] != sorted({value.since for value in values}):
        raise ParameterFault(f"parameter {name}: first days of effect must rise, each once")
    return Parameter(name, str(content["description"]), unit, tuple(values), content["checked_on"], monthly)


def _value(name: str, unit: str, since: object, entry: object, monthly: bool = False) -> Value:
    if not isinstance(since, date) or since != (since.replace(day=1) if monthly else Quarter.of(since).first_day):
        raise ParameterFault(f"parameter {name}: {since} is not the first day of a {'month' if monthly else 'quarter'}")
    if not isinstance(entry, dict) or "value" not in entry or not set(entry) <= _ENTRY_KEYS:
        raise ParameterFault(f"parameter {name}, {since}: expected value, source, trust and perhaps conflict")
    text = entry["value"]
    if text is None:
        return Value(since, None, "", "C")
    if not isinstance(text, str):
        raise ParameterFault(
            f"parameter {name}, {since}: the value is not quoted text", 'Write it in quotes, as in "9779.77".'
        )
    if not entry.get("source") or entry.get("trust") not in ("A", "B", "C"):
        raise ParameterFault(f"parameter {name}, {since}: a value needs its source and its trust (A, B or C)")
    if unit in SCALES:
        scaled(name, text, unit)
    elif unit == "quarter" and not _is_quarter(text):
        raise ParameterFault(f"parameter {name}, {since}: {text!r} is not a quarter", 'Write it as in "2024/1".')
    conflict, other = str(entry.get("conflict", "")), entry.get("alternative")
    if other is not None and (not conflict or not isinstance(other, dict) or set(other) != {"value", "source"}):
        raise ParameterFault(f"parameter {name}, {since}: an alternative is a value and its source, beside a conflict")
    alternative = _value(name, unit, since, {**other, "trust": "C"}, monthly) if other else None
    return Value(since, text, str(entry["source"]), cast(Trust, entry["trust"]), conflict, alternative)


def _is_quarter(text: str) -> bool:
    try:
        Quarter.parse(text)
    except ValueError:
        return False
    return True


def scaled(name: str, text: str, unit: str) -> int:
    """A number of the law as an exact integer of its unit's scale.

    Raises:
        ParameterFault: not a number, or finer than the scale.

    Examples:
        >>> scaled("s0", "9779.77", "euro per quarter"), scaled("alpha", "0.14", "fraction")
        (977977, 1400)
    """
    try:
        number = Decimal(text) * SCALES[unit]
    except InvalidOperation:
        raise ParameterFault(f"parameter {name}: {text!r} is not a number") from None
    if not number.is_finite() or number != int(number):
        raise ParameterFault(f"parameter {name}: {text!r} is finer than the scale of {unit}")
    return int(number)


@cache
def load(folder: Path = FOLDER) -> dict[str, Parameter]:
    """Every parameter below a folder, by name; read once per process.

    Raises:
        ParameterFault: as `parse`.
    """
    found = {}
    for path in sorted(folder.rglob("*.yaml")):
        name = path.relative_to(folder).with_suffix("").as_posix()
        found[name] = parse(name, path.read_text(encoding="utf-8"))
    return found


@dataclass(slots=True)
class Parameters:
    """What a rule sees of the law of one quarter: numbers as scaled integers, code sets, rounding rules.

    It notes every value that it hands out, so that a rule's trust and explanation follow from what the rule read.

    Args:
        quarter: the declaration's own quarter.
        asked: lowest trust that may compute, A or B.
        scope: folder searched first, e.g. `structural_reduction/category_1`; one of a month ends in one of MONTHS.
        folder: where the files are.
        reading: which source is followed where two conflict in the disputed quarter.
        changed: parameters of a simulation by name, each in the place of the law's own.
    """

    quarter: Quarter
    asked: Trust = "B"
    scope: str = ""
    folder: Path = FOLDER
    reading: Reading = ""
    changed: Mapping[str, Parameter] = field(default_factory=dict)
    used: dict[str, Value] = field(default_factory=dict)

    def number(self, name: str) -> int:
        """A number, times the scale of its unit.

        Raises:
            ParameterUnknown: no value in this quarter, or none of the trust asked for.
        """
        parameter, value = self._value(name)
        return scaled(parameter.name, cast(str, value.text), parameter.unit)

    def hundredths(self, name: str) -> int:
        """A number of at most two decimals, times a hundred.

        Raises:
            ParameterUnknown: as `number`.
            ParameterFault: it has more decimals.
        """
        parameter, _ = self._value(name)
        found, rest = divmod(self.number(name) * 100, SCALES[parameter.unit])
        if rest:
            raise ParameterFault(f"parameter {parameter.name}: more than two decimals cannot be computed exactly")
        return found

    def codes(self, name: str) -> list[str]:
        """A set of codes, as text with leading zeros.

        Raises:
            ParameterUnknown: as `number`.
        """
        return cast(str, self._value(name)[1].text).split()

    def quarter_of(self, name: str) -> Quarter:
        """A quarter from or to which something holds.

        Raises:
            ParameterUnknown: as `number`.
        """
        return Quarter.parse(cast(str, self._value(name)[1].text))

    def method(self, name: str) -> str:
        """The words of a rounding rule; whatever its trust, since it moves a result by one cent at most.

        Raises:
            ParameterUnknown: no value in this quarter.
        """
        value = self._every[name].in_force(self.quarter)
        self.used[name] = value
        return cast(str, value.text)

    @property
    def trust(self) -> Trust:
        """The lowest trust among the figures handed out; rounding rules do not count."""
        every = self._every
        return lowest(*(value.trust for name, value in self.used.items() if every[name].unit != "rule"))

    @property
    def _month(self) -> int | None:
        last = self.scope.rpartition("/")[2]
        return MONTHS.index(last) if last in MONTHS else None

    @property
    def _every(self) -> Mapping[str, Parameter]:
        known = load(self.folder)
        return {**known, **self.changed} if self.changed else known

    def _value(self, name: str) -> tuple[Parameter, Value]:
        every = self._every
        scoped = f"{self.scope}/{name}"
        parameter = every.get(scoped) or every.get(name)
        if parameter is None:
            raise ParameterUnknown(scoped.lstrip("/"), self.quarter, reasons.PARAMETER_UNKNOWN)
        value = parameter.in_force(self.quarter, self._month)
        if self.quarter == DISPUTED:
            value = value.read(self.reading) or value
        if not enough(value.trust, self.asked):
            reason = reasons.SOURCES_CONFLICT if value.conflict else reasons.PARAMETER_BELOW_TRUST
            raise ParameterUnknown(parameter.name, self.quarter, reason)
        self.used[parameter.name] = value
        return parameter, value
