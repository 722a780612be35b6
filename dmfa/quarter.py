"""A quarter of the calendar, in its official form (zone 00013) and as people write it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

_FORM = re.compile(r"(?P<year>\d{4})/?(?P<number>[1-4])")


@dataclass(frozen=True, order=True, slots=True)
class Quarter:
    """One quarter; quarters order by time.

    Args:
        year: calendar year, four digits.
        number: 1 to 4.

    Examples:
        >>> Quarter.parse("2026/3").code
        20263
        >>> str(Quarter.from_code(20224).next), str(Quarter.from_code(20231).before)
        ('2023/1', '2022/4')
    """

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Quarter:
        """Read `2026/3` or `20263`.

        Raises:
            ValueError: the text is not a quarter.
        """
        match = _FORM.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text!r} is not a quarter; write it as 2026/3")
        return cls(int(match["year"]), int(match["number"]))

    @classmethod
    def from_code(cls, code: int) -> Quarter:
        """The quarter of its official integer form (zone 00013), e.g. 20263."""
        return cls.parse(str(code))

    @classmethod
    def of(cls, day: date) -> Quarter:
        """The quarter in which a day falls."""
        return cls(day.year, (day.month + 2) // 3)

    @property
    def code(self) -> int:
        """The official integer form, e.g. 20263."""
        return self.year * 10 + self.number

    @property
    def first_day(self) -> date:
        """First day of the quarter."""
        return date(self.year, 3 * self.number - 2, 1)

    @property
    def last_day(self) -> date:
        """Last day of the quarter."""
        return self.next.first_day - timedelta(days=1)

    @property
    def next(self) -> Quarter:
        """The quarter that follows."""
        return Quarter(self.year + 1, 1) if self.number == 4 else Quarter(self.year, self.number + 1)

    @property
    def before(self) -> Quarter:
        """The quarter before."""
        return Quarter(self.year - 1, 4) if self.number == 1 else Quarter(self.year, self.number - 1)

    def limitation(self, years: int) -> date:
        """Last day on which it is not past limitation, some years after the day on which it fell due.

        It falls due on the last day of the month that follows it.

        Examples:
            >>> Quarter(2022, 3).limitation(3), Quarter(2022, 4).limitation(7)
            (datetime.date(2025, 10, 31), datetime.date(2030, 1, 31))
        """
        due = self.next
        return date(due.year + years, due.first_day.month, 30 if due.number == 2 else 31)

    def __str__(self) -> str:
        return f"{self.year:04d}/{self.number}"
