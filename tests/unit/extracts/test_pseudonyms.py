"""Codes of a project: an HMAC, by the library's own function; the same over quarters, others elsewhere (R22)."""

from __future__ import annotations

import hmac
import pickle

import polars as pl
import pytest

from dmfa.extracts.keys import FIRST, Key
from dmfa.extracts.pseudonyms import Pseudonyms, under_codes
from dmfa.quarter import Quarter

KEY = Key("panel", "1", FIRST, bytes(range(32)))
PERSONS = pl.Series("inss", [77101500172, None, 5123112338, 0, 77101500172], dtype=pl.Int64)


def code(secret: bytes, message: str) -> str:
    return hmac.digest(secret, message.encode(), "sha256").hex()[:32]


@pytest.mark.parametrize("size", [32, 64, 65, 200])
def test_r22_a_code_is_the_hmac_of_kind_and_number(size: int) -> None:
    secret = bytes(n % 256 for n in range(size))
    made = Pseudonyms(Key("panel", "1", FIRST, secret))("person", PERSONS)
    one, other = (code(secret, f"person:{number}") for number in (77101500172, 5123112338))
    assert made.to_list() == [one, None, other, None, one]
    assert made.name == "inss"


def test_r22_two_projects_cannot_be_joined_and_neither_can_two_kinds_of_number() -> None:
    codings = [Pseudonyms(key) for key in (KEY, Key("other", "1", FIRST, bytes(range(1, 33))))]
    made = [set(coding(kind, PERSONS).drop_nulls()) for coding in codings for kind in ("person", "employer")]
    assert sum(map(len, made)) == len(set().union(*made)) == 8


def test_r22_the_same_person_keeps_the_code_as_long_as_the_key_is_the_same() -> None:
    again = Pseudonyms(Key("panel", "1", Quarter(2026, 3), KEY.secret))
    assert again("person", PERSONS).to_list() == Pseudonyms(KEY)("person", PERSONS).to_list()
    rotated = Pseudonyms(Key("panel", "2", Quarter(2026, 3), bytes(32)))
    assert not {*rotated("person", PERSONS).drop_nulls()} & {*again("person", PERSONS).drop_nulls()}


def test_a_column_of_nobody_is_a_column_without_codes() -> None:
    for numbers in ([], [None], [0]):
        made = Pseudonyms(KEY)("person", pl.Series("inss", numbers, dtype=pl.Int64))
        assert made.to_list() == [None] * len(numbers)
        assert made.dtype == pl.String


def test_what_is_told_of_codes_holds_neither_key_nor_code() -> None:
    coding = Pseudonyms(KEY)
    assert coding.told == {"project": "panel", "key": "1"}
    assert coding.seal != Pseudonyms(Key("panel", "1", FIRST, bytes(32))).seal
    assert coding.seal == code(KEY.secret, "seal")
    for shown in (repr(coding), str(coding.told), coding.seal):
        assert KEY.secret.hex() not in shown
    assert pickle.loads(pickle.dumps(coding)) == coding


def test_tables_that_share_a_number_share_its_code_and_keep_their_order() -> None:
    tables = {
        "dmfa": pl.DataFrame({"person": [3, 1, None], "line": [7, 8, 9], "pay": [1, 2, 3]}),
        "c": pl.DataFrame({"line": [9, 7, 7]}),
    }
    asked: list[tuple[str, int]] = []

    class Counting(Pseudonyms):
        def __call__(self, kind: str, numbers: pl.Series) -> pl.Series:
            asked.append((kind, numbers.drop_nulls().len()))
            return super().__call__(kind, numbers)

    made = under_codes(tables, {"dmfa": {"person": "person", "line": "line"}, "c": {"line": "line"}}, Counting(KEY))
    assert asked == [("line", 3), ("person", 2)]
    line = {number: code(KEY.secret, f"line:{number}") for number in (7, 8, 9)}
    assert made["dmfa"]["line"].to_list() == [line[7], line[8], line[9]]
    assert made["c"]["line"].to_list() == [line[9], line[7], line[7]]
    assert made["dmfa"]["person"].to_list() == [code(KEY.secret, "person:3"), code(KEY.secret, "person:1"), None]
    assert made["dmfa"]["pay"].to_list() == [1, 2, 3]
