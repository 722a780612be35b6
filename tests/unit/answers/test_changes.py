"""What came of a correction: every block with what was done to it, valid, in the order of the XSD."""

from __future__ import annotations

import polars as pl
import pytest
from lxml import etree

from dmfa.answers import ANSWER_SCHEMA
from dmfa.answers.changes import changes, steps_of, system_changes
from dmfa.answers.tickets import form_ticket
from dmfa.corrections.shape import ASKED_TYPES
from dmfa.reading.batch import Batch
from dmfa.schema import unit_of
from tests.unit.answers.changing import Rows, case, compared, corrected, declared, ended, ledger, standing
from tests.unit.answers.probing import FILING, parsed


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Batch:
    return declared(tmp_path_factory.mktemp("changes"), release="20231")


@pytest.fixture(scope="module")
def before(batch: Batch) -> Rows:
    return batch.shredded.tables


@pytest.fixture(scope="module")
def same(before: Rows) -> Rows:
    """What a correction does that says all once more."""
    return compared(before, corrected(before))


def written(batch: Batch, what: Rows, entries: pl.DataFrame | None = None) -> etree._Element:
    """The notification of what a correction did."""
    made = case(batch)
    found = changes(
        made.filings,
        made.corrections,
        made.applied,
        what,
        persons=made.persons,
        ledger=ledger(made) if entries is None else entries,
    )
    assert found.schema == ANSWER_SCHEMA
    assert found.select("kind", "declaration_id", "result").rows() == [("DMNO", 99, None)]
    return parsed(found["content"][0])


def told(batch: Batch, after: Rows, *, before: Rows | None = None) -> etree._Element:
    """The notification of a correction that leaves the declaration so."""
    return written(batch, compared(batch.shredded.tables if before is None else before, after))


def actions(root: etree._Element, label: str) -> list[str]:
    return [one.findtext("Action", "") for one in root.iter(label)]


def changed(rows: Rows, table: str, **zones: object) -> Rows:
    """The first row of a table has other zones."""
    first = pl.int_range(pl.len()) == 0
    return rows | {
        table: rows[table].with_columns(
            pl.when(first).then(pl.lit(value)).otherwise(pl.col(zone)).alias(zone) for zone, value in zones.items()
        )
    }


def cancelled(rows: Rows) -> Rows:
    """Every unit is no more: its own row says so, and nothing stands below a line."""
    gone = {name: frame if unit_of(frame.columns)[0] == name else frame.clear() for name, frame in rows.items()}
    return corrected(gone, status=3)


def test_a_correction_that_says_the_same_again_changes_nothing(batch: Batch, before: Rows, same: Rows) -> None:
    root = written(batch, same)
    assert {one.text for one in root.iter("Action")} == {"9"}
    assert len(list(root.iter("ServiceAction"))) == before["service"].height
    assert len(list(root.iter("NaturalPersonUpdateNotif"))) == before["natural_person"].height
    versions = {tag: {one.text for one in root.iter(tag)} for tag in ("WorkerRecordVersionNbr", "OccupationVersionNbr")}
    assert versions == {"WorkerRecordVersionNbr": {"1"}, "OccupationVersionNbr": {"1"}}
    for tag in ("DeclNaturalPersonNewVersionNbr", "WorkerRecordNewVersionNbr", "OccupationNewVersionNbr"):
        assert {one.text for one in root.iter(tag)} == {"2"}


def test_one_amount_marks_the_blocks_that_lead_to_it(batch: Batch, before: Rows) -> None:
    root = told(batch, changed(corrected(before), "remun", remun_amount=123_456))
    (remun,) = (one for one in root.iter("RemunAction") if one.findtext("Action") == "1")
    assert remun.findtext("RemunAmount") == "123456"
    occupation = remun.getparent()
    line = occupation.getparent()
    person = line.getparent().getparent()
    assert (occupation.findtext("Action"), line.findtext("Action"), person.findtext("Action")) == ("7", "7", "7")
    assert root.findtext(".//EmployerDeclarationUpdateNotif/Action") == "7"
    for label in ("RemunAction", "WRDclPart", "NaturalPersonUpdateNotif"):
        assert [one for one in actions(root, label) if one != "9"] == ["1" if label == "RemunAction" else "7"]


def test_a_block_that_is_left_out_is_told_as_removed_behind_the_others(batch: Batch, before: Rows) -> None:
    after = corrected(before)
    counts = after["service"].group_by("occupation_ordinal").len().filter(pl.col("len") > 1).sort("occupation_ordinal")
    lost = (
        pl.col("service_ordinal")
        == after["service"].join(counts.head(1), on="occupation_ordinal", how="semi")["service_ordinal"].min()
    )
    code = after["service"].filter(lost)["service_code"][0]
    root = told(batch, after | {"service": after["service"].filter(~lost)})
    (gone,) = (one for one in root.iter("ServiceAction") if one.findtext("Action") == "0")
    assert gone.findtext("ServiceCode") == code
    assert gone.getnext() is None or gone.getnext().tag != "ServiceAction"


def test_a_new_declaration_of_all_is_created_with_new_identifiers(batch: Batch, before: Rows) -> None:
    empty = {name: frame.clear() for name, frame in before.items()}
    root = told(batch, corrected(before, status=0), before=empty)
    assert {one.text for one in root.iter("Action")} == {"3"}
    assert not list(root.iter("LastSituationWR")) + list(root.iter("WorkerRecordVersionNbr"))
    known = case(batch).persons["declared_pid"].to_list()
    assert [int(one.text or 0) for one in root.iter("DeclNaturalPersonPID")] == known


def test_what_is_cancelled_is_told_with_all_that_it_held(batch: Batch, before: Rows) -> None:
    root = told(batch, cancelled(before))
    inside = [
        action for label in ("WRDclPart", "ServiceAction", "CompanyVehicleDclPart") for action in actions(root, label)
    ]
    assert set(inside) == {"0"}
    assert len(list(root.iter("ServiceAction"))) == before["service"].height
    assert {one.text for one in root.iter("WorkerRecordNewVersionNbr")} == {"2"}


def test_what_comes_back_is_reactivated_and_what_is_in_it_created(batch: Batch, before: Rows) -> None:
    again = corrected(before, status=4)
    root = told(batch, again, before=corrected(cancelled(before), version=1, status=3))
    assert set(actions(root, "WRDclPart")) == {"5"}
    assert set(actions(root, "ServiceAction")) == {"3"}
    assert not list(root.iter("LastSituationWR"))


def test_a_line_that_becomes_one_of_another_kind_is_valid_still(batch: Batch, before: Rows) -> None:
    """What it lost could not stand beside what it holds now."""
    lines = {table: before[table]["worker_record_ordinal"].unique() for table in ("occupation", "indemnity_wapm")}
    worked, hurt = (lines[table].min() for table in ("occupation", "indemnity_wapm"))
    after = corrected(before)
    place = pl.col("worker_record_ordinal")
    persons = dict(after["worker_record"].select(place.alias("line"), "natural_person_ordinal").iter_rows())
    swapped = {}
    for name, rows in after.items():
        below = "worker_record_ordinal" in rows.columns and name != "worker_record"
        other = place.replace({worked: hurt, hurt: worked}) if below else None
        swapped[name] = (
            rows
            if other is None
            else rows.with_columns(other).with_columns(
                place.replace_strict(persons, return_dtype=pl.Int32).alias("natural_person_ordinal")
            )
        )
    root = told(batch, swapped)
    assert "7" in actions(root, "WRDclPart")


@pytest.mark.parametrize(
    ("debit", "credit", "zones"),
    [
        (500, 0, [("DebitAmount", "500")]),
        (0, 700, [("CreditAmount", "700")]),
        (0, 0, [("DebitAmount", "0")]),
        (None, 0, []),
    ],
)
def test_the_account_is_told_where_it_is_known(
    batch: Batch, same: Rows, debit: int | None, credit: int, zones: list[tuple[str, str]]
) -> None:
    entries = ledger(case(batch), debit_cents=debit or 0, credit_cents=credit)
    amount = written(batch, same, entries.clear() if debit is None else entries).find(".//RectificationAmount")
    assert amount is not None
    assert [(zone.tag, zone.text) for zone in amount] == zones


def test_references_and_reasons(batch: Batch, before: Rows, same: Rows) -> None:
    made = case(batch, justification="counted anew <&>", reference_origin=1, reference_nbr="ours & theirs")
    person = before["natural_person"].head(1)
    asked = pl.DataFrame(
        [{"form_id": 99, "unit": "natural_person", "ordinal": 0, "justification": "he left"}], schema=ASKED_TYPES
    )
    made.corrections.asked = asked
    made.corrections.declared["natural_person"] = person.with_columns(
        declaration_id=pl.lit(99, pl.Int64), natural_person_ordinal=pl.lit(0, pl.Int32)
    )
    found = changes(
        made.filings,
        made.corrections,
        made.applied,
        same,
        persons=made.persons,
        ledger=ledger(made),
    )
    root = parsed(found["content"][0])
    references = [tuple(zone.text for zone in one) for one in root.iter("Reference")]
    assert [one[:2] for one in references] == [("1", "2"), ("3", "2"), ("3", "1")]
    assert [one[2] for one in references[1:]] == [form_ticket(FILING["sha256"], 0), "ours & theirs"]
    assert root.findtext(".//SubGroupInformation/Justification") == "counted anew <&>"
    (why,) = root.iter("NaturalPersonJustification")
    assert why.findtext("Justification") == "he left"
    assert why.getparent().findtext("INSS") == f"{person['inss'][0]:011d}"


def test_what_the_nsso_corrects_stands_beside_what_was_declared(batch: Batch, before: Rows) -> None:
    made = case(batch)
    steps = steps_of(made.filings, made.corrections, made.applied)
    fixed = changed(corrected(before), "worker_contribution", contribution_amount=4_321)
    found = system_changes(
        steps, compared(before, fixed), standing(before), persons=made.persons, ledger=ledger(made, credit_cents=9)
    )
    root = parsed(found["content"][0])
    assert (root.findtext(".//SubGroup"), root.findtext(".//UserQuality")) == ("2", "22")
    (changed_one,) = (one for one in root.iter("WorkerContributionAction") if one.findtext("Action") == "1")
    assert changed_one.findtext("ContributionAmount") == "4321"
    corrected_part = changed_one.getparent()
    assert (corrected_part.tag, corrected_part.findtext("WorkerRecordNewVersionNbr")) == ("WRCorrectedPart", "2")
    declared_part = corrected_part.getprevious()
    assert declared_part.tag == "WRDclPart"
    assert {one.text for one in declared_part.iter("Action")} == {"9"}
    assert declared_part.find("WorkerRecordNewVersionNbr") is None
    pays = [
        [one.findtext("RemunAmount") for one in part.iter("RemunAction")] for part in (declared_part, corrected_part)
    ]
    assert pays[0] == pays[1]
    assert root.findtext(".//CreditAmount") == "9"


def test_two_corrections_of_one_declaration_are_told_apart(batch: Batch, before: Rows) -> None:
    second = changed(corrected(before), "remun", remun_amount=77)
    third = changed(corrected(second, version=3), "remun", remun_amount=78)
    history = {name: pl.concat([second[name], third[name]]) for name in before}
    replaced = pl.concat([ended(before), ended(second, by=3)])
    both = {name: pl.concat([before[name], second[name]]) for name in before}
    found = compared(both, history, replaced)["remun"].filter(pl.col("action") == 1).sort("step")
    assert found.select("step", "remun_amount").rows() == [(2, 77), (3, 78)]
    assert found["remun_amount_before"][1] == 77


def test_nothing_applied_nothing_told(batch: Batch, same: Rows) -> None:
    made = case(batch)
    assert changes(
        made.filings,
        made.corrections,
        made.applied.clear(),
        same,
        persons=made.persons,
        ledger=ledger(made),
    ).is_empty()
