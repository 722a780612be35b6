"""Names of the files that answers are sent in.

`FO.ACRF.999999.<day>.<sequence>.<environment>.1.1` answers a file, `FO.NOTI...<parts>.<part>` a declaration in it: as
many parts as the file has declarations. 999999 is the sender number of the NSSO. A file and its declarations share one
sequence, counted per day of receipt. No name holds anything of a declaration.
"""

from __future__ import annotations

from datetime import date
from string import ascii_uppercase, digits

import polars as pl

from dmfa.reading.names import PRODUCTION, FileName

SENDER = "999999"
NUMERIC = 99_999
"""The last sequence of digits alone; after it come those that start with a letter."""

_SIGNS = digits + ascii_uppercase
_REST = len(_SIGNS) ** 4


def answer_name(kind: str, day: date, number: int, environment: str, *, part: int = 1, parts: int = 1) -> str:
    """Name of an answer's file.

    Args:
        kind: ACRF or NOTI.
        day: the day of receipt.
        number: place of the filing among those of the day, from 1.
        environment: R, T or S, as in the name of the filing.
        part: place of the declaration in the filing, from 1.
        parts: declarations in the filing.

    Examples:
        >>> answer_name("NOTI", date(2026, 10, 31), 7, "R", part=2, parts=3)
        'FO.NOTI.999999.20261031.00007.R.3.2'
    """
    return f"FO.{kind}.{SENDER}.{day:%Y%m%d}.{sequence(number)}.{environment}.{parts}.{part}"


def answer_names(receipt: pl.Expr, kind: pl.Expr, *, part: pl.Expr, parts: pl.Expr) -> pl.Expr:
    """Names of answers to declarations, from those of the answers that told of the receipt of their filings.

    Args:
        receipt: name of the ACRF.
        kind: subjects of the answers.
        part: place of the declaration in the filing, from 1.
        parts: declarations in the filing.

    Examples:
        >>> one = pl.select(part=2, parts=3, kind=pl.lit("DMNO"), receipt=pl.lit("FO.ACRF.999999.20261031.00007.R.1.1"))
        >>> names = answer_names(pl.col("receipt"), pl.col("kind"), part=pl.col("part"), parts=pl.col("parts"))
        >>> one.select(names).item()
        'FO.DMNO.999999.20261031.00007.R.3.2'
    """
    shared = receipt.str.extract(r"^FO\.ACRF\.(.+)\.\d+\.\d+$")
    return pl.format("FO.{}.{}.{}.{}", kind, shared, parts, part)


def sequence(number: int) -> str:
    """A place in the day as the five signs of a file name; they sort as the numbers do.

    Args:
        number: from 1 to 43,770,015.

    Raises:
        ValueError: there is no such sequence.

    Examples:
        >>> sequence(12), sequence(99_999), sequence(100_000), sequence(100_036)
        ('00012', '99999', 'A0000', 'A0010')
    """
    if number < 1 or number > NUMERIC + len(ascii_uppercase) * _REST:
        raise ValueError(f"no sequence of five signs for {number}")
    if number <= NUMERIC:
        return f"{number:05d}"
    letter, rest = divmod(number - NUMERIC - 1, _REST)
    signs = ascii_uppercase[letter]
    for power in (3, 2, 1, 0):
        signs += _SIGNS[rest // len(_SIGNS) ** power % len(_SIGNS)]
    return signs


def number_of(signs: str) -> int:
    """The number that a sequence stands for.

    Examples:
        >>> number_of("00012"), number_of("A0010")
        (12, 100036)
    """
    if signs.isdecimal():
        return int(signs)
    return NUMERIC + 1 + ascii_uppercase.index(signs[0]) * _REST + int(signs[1:], len(_SIGNS))


def sender_of(filing: str) -> str | None:
    """Sender number in the name of a filing, None where the name is not an official one.

    Examples:
        >>> sender_of("FI.DMFA.700001.20261003.00001.R.1.1"), sender_of("wages.xml")
        ('700001', None)
    """
    name = FileName.of(filing)
    return name.sender if name else None


def environment_of(filing: str, otherwise: str = PRODUCTION) -> str:
    """Environment in the name of a filing: T and S are tests.

    Args:
        filing: its name.
        otherwise: environment of a name that tells none.

    Examples:
        >>> environment_of("FI.DMFA.700001.20261003.00001.T.1.1"), environment_of("wages.xml")
        ('T', 'R')
    """
    name = FileName.of(filing)
    return name.environment if name else otherwise
