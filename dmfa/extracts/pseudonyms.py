"""Pseudonyms: the codes under which a project knows persons, employers, lines and places, and nobody else does.

A code is HMAC-SHA-256 under a key of the project over what the number is of and the number, `person:77101500172`: its
first 128 bits, as 32 hexadecimal digits. It is the same in every quarter under the same key, and another one under any
other key, so that two projects cannot be joined by it. Only this module is given keys; what is supplied has no code in
it, and what is received has no number.

Source: RFC 2104 (HMAC), FIPS 180-4 (SHA-256).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import numpy as np
import polars as pl
import pyarrow as pa

from dmfa.extracts.keys import Key
from dmfa.extracts.shape import Coding

CODE_BYTES: Final = 16
"""Bytes of a code: among as many numbers as there are persons no two codes meet."""

_BLOCK: Final = 64
_INNER, _OUTER = 0x36, 0x5C
_SEAL: Final = b"seal"


@dataclass(frozen=True)
class Pseudonyms:
    """Gives the codes of a project in a quarter.

    Attributes:
        key: the key of the project that codes the quarter.
    """

    key: Key

    @property
    def told(self) -> dict[str, str]:
        """What a manifest says of the codes."""
        return {"project": self.key.project, "key": self.key.id}

    @property
    def seal(self) -> str:
        """A digest that another key under the same id would not give; it tells nothing of the key or of a code."""
        return self._digests([_SEAL]).hex()

    def __call__(self, kind: str, numbers: pl.Series) -> pl.Series:
        """The codes of numbers, each distinct one hashed once.

        Args:
            kind: of whom they are: person, employer, line, place.
            numbers: Int64.

        Returns:
            Texts; null where the number is null or 0, which stands for an unknown one.
        """
        distinct = numbers.unique().drop_nulls()
        distinct = distinct.filter(distinct > 0)
        prefix = f"{kind}:".encode()
        codes = _texts(self._digests([prefix + b"%d" % number for number in distinct]), distinct.len())
        return numbers.replace_strict(distinct, codes, default=None, return_dtype=pl.String).alias(numbers.name)

    def _digests(self, messages: Sequence[bytes]) -> bytes:
        """HMAC of each message, cut, one after the other.

        The two hashes of an HMAC are called outright: half the time that the library's own function takes.
        """
        secret = self.key.secret if len(self.key.secret) <= _BLOCK else sha256(self.key.secret).digest()
        padded = secret.ljust(_BLOCK, b"\0")
        inner, outer = (bytes(byte ^ mask for byte in padded) for mask in (_INNER, _OUTER))
        return b"".join(
            [sha256(outer + sha256(inner + message).digest()).digest()[:CODE_BYTES] for message in messages]
        )


def under_codes(
    tables: Mapping[str, pl.DataFrame], coded: Mapping[str, Mapping[str, str]], coding: Coding
) -> dict[str, pl.DataFrame]:
    """Tables with codes in place of numbers; a number that stands in several tables is hashed once.

    Args:
        tables: the tables.
        coded: for each table, its columns with numbers to whose they are.
        coding: makes the codes.
    """
    kinds = sorted({kind for columns in coded.values() for kind in columns.values()})
    made = dict(tables)
    for kind in kinds:
        places = [(name, column) for name, columns in coded.items() for column, of in columns.items() if of == kind]
        numbers = pl.concat([made[name][column].cast(pl.Int64).rename("number") for name, column in places]).unique()
        codes = pl.DataFrame({"number": numbers, "code": coding(kind, numbers)})
        for name, column in places:
            told = made[name][[column]].join(
                codes, left_on=column, right_on="number", how="left", maintain_order="left"
            )
            made[name] = made[name].with_columns(told["code"].alias(column))
    return made


def _texts(digests: bytes, many: int) -> pl.Series:
    """Codes as texts, of their bytes one after the other."""
    width = 2 * CODE_BYTES
    offsets = np.arange(0, width * many + 1, width, dtype=np.int64)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(digests.hex().encode())]
    made = pl.from_arrow(pa.LargeStringArray.from_buffers(many, buffers[1], buffers[2]))
    assert isinstance(made, pl.Series)
    return made
