"""What a zone of an answer may hold: as libxml2 would judge it."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from dmfa.answers.zones import ACCOUNT, ACRF, CHANGES, NOTIFICATION, REPLACEMENT, blocks_of, kinds, zones_of
from tests.unit.answers.probing import allowed

TEXTS = (
    "", "0", "1", "3", "7", "9", "12", "15", "015", "123", "400", "999", "1000", "20263", "20265", "99999", "100006",
    "199999934", "199999935", "404455666", "0404455666", "1999999943", "1999999944", "85210100257", "9013185392",
    "5000000120", "302", "302.01", "XXX", "060,00", "2026-10-31", "2026-10", "08:00:00.000", "FA", "SU", "DMFA",
    "ACRF001", "x" * 13, "x" * 64, "x" * 65, "x" * 200, "x" * 201, "-1", "+5",
)  # fmt: skip
WRITTEN = {
    "Form", "FileReference", "HandledOriginalFile", "HandledOriginalForm", "Reference", "EmployerId",
    "ConcernedQuarter", "HandledReference", "AnomalyReport", "AnomalyLocation", "Path",
}  # fmt: skip


@pytest.mark.parametrize("block", sorted(WRITTEN))
def test_what_a_zone_takes_is_valid_in_it_and_nothing_valid_is_left_out(block: str) -> None:
    known = kinds(NOTIFICATION)
    for zone in zones_of(NOTIFICATION, block):
        for text in TEXTS:
            found = known[zone].text(text)
            assert found is None or allowed(NOTIFICATION, zone, found), (zone, text, found)
            assert found is not None or not allowed(NOTIFICATION, zone, text), (zone, text)


@pytest.mark.parametrize(
    ("zone", "value", "text"),
    [
        ("INSS", 9013185392, "09013185392"),
        ("INSS", 0, "0"),
        ("CompanyID", 404455666, "0404455666"),
        ("CompanyID", 123, "0000000123"),
        ("NOSSRegistrationNbr", 100006, "100006"),
        ("NOSSRegistrationNbr", 199999935, None),
        ("EmployerClass", "010", "010"),
        ("EmployerNotion", 100006, "00000100006"),
        ("Quarter", 20265, None),
        ("ScaleSalaryStartDate", date(2026, 7, 1), "2026-07-01"),
        ("JointCommissionNbr", None, None),
    ],
)
def test_numbers_have_their_leading_zeros(zone: str, value: object, text: str | None) -> None:
    assert kinds(NOTIFICATION)[zone].text(value) == text


@pytest.mark.parametrize("schema", [CHANGES, ACCOUNT, REPLACEMENT])
def test_a_whole_column_is_written_as_each_value_is(schema: str) -> None:
    other_digits = "\u0660\u0661\u0662"
    texts, days = pl.Series([*TEXTS, other_digits, None]), pl.Series([date(2026, 7, 1), None])
    numbers = pl.Series([int(text) for text in TEXTS if text.isdecimal()] + [-1])
    for zone, kind in kinds(schema).items():
        for column in (texts, numbers, days):
            found = pl.select(column=column).select(kind.texts(pl.col("column")))["column"].to_list()
            assert found == [kind.text(value) for value in column], zone


def test_blocks_stand_in_the_order_of_the_xsd() -> None:
    assert blocks_of(CHANGES, "WorkerRecordUpdateNotif") == ("LastSituationWR", "WRDclPart", "WRCorrectedPart")
    assert blocks_of(CHANGES, "ServiceAction") == ()


def test_zones_stand_in_the_order_of_the_xsd() -> None:
    assert zones_of(ACRF, "FileReference") == ("FileName", "ReferenceOrigin", "ReferenceNbr")
    path = zones_of(NOTIFICATION, "Path")
    assert path[:3] == ("Quarter", "NOSSRegistrationNbr", "NOSSLPARegistrationNbr")
    assert len(path) == 59
