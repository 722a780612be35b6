"""The ledger by hand: totals of units, entries of versions, and what is left for the original."""

import polars as pl

from contributions import compute, entries, ledger
from contributions.columns import EMPLOYER_ACCOUNT
from contributions.ledger import BEFORE, COMPENSATION, SUMS, UNIT
from tests.declared import Declarations

KEYS = {"declaration_id": pl.Int64, "natural_person_ordinal": pl.Int32, "version": pl.Int16}


def touched(*rows):
    return pl.DataFrame(rows, schema=KEYS, orient="row")


def states(*rows):
    """Units at versions with what they declare and what is computed of it, all of it covered."""
    columns = [*KEYS, "declared_contribution_cents", "computed_contribution_cents", "declared_deduction_cents"]
    found = pl.DataFrame(rows, schema=[*columns, COMPENSATION], orient="row").cast(KEYS)
    found = found.with_columns(covered_contribution_cents="declared_contribution_cents")
    return found.with_columns(pl.lit(0, pl.Int64).alias(name) for name in SUMS if name not in found.columns)


def made(*versions):
    rows = [(1, 10 + version, version, entry, 20263, 100006, 0) for version, entry in versions]
    names = ["declaration_id", "filing_id", "version", "entry", "quarter", "noss_registration_nbr"]
    return pl.DataFrame(rows, schema=[*names, "declared_net_cents"], orient="row").cast(
        {name: EMPLOYER_ACCOUNT[name] for name in names}
    )


def test_an_entry_is_what_its_units_change_since_their_last_state():
    # Person 0: 100.00, then 130.00 at version 2, then 90.00 at version 4, computed 95.00; person 5 is new at 4; what is
    # of no person had a compensation of 7.00 that version 3 takes away.
    known = states(
        (1, 0, BEFORE, 10_000, 10_000, 0, 0),
        (1, 0, 2, 13_000, 13_000, 500, 0),
        (1, 0, 4, 9_000, 9_500, 500, 0),
        (1, 5, 4, 2_000, 2_000, 0, 0),
        (1, None, BEFORE, 0, 0, 0, 700),
        (1, None, 3, 0, 0, 0, 0),
    )
    versions = made(
        (2, entries.CORRECTION), (3, entries.SYSTEM_CORRECTION), (4, entries.CORRECTION), (5, entries.REPLACEMENT)
    )
    found = ledger.entries(touched((1, 0, 2), (1, None, 3), (1, 0, 4), (1, 5, 4)), known, versions)
    assert found.schema == EMPLOYER_ACCOUNT
    assert found.select("version", "debit_cents", "credit_cents", "summed_net_cents", "computed_net_cents").rows() == [
        (2, 2_500, 0, 2_500, 2_500),
        (3, 700, 0, 700, 700),
        (4, 0, 2_000, -2_000, -1_500),
        (5, 0, 0, 0, 0),
    ]


def test_the_original_is_what_corrections_leave():
    known = states((1, 0, BEFORE, 10_000, 10_000, 0, 0), (1, 0, 2, 13_000, 12_000, 500, 0))
    later = ledger.entries(touched((1, 0, 2)), known, made((2, entries.CORRECTION)))
    in_force = later.with_columns(
        pl.col("declared_contribution_cents") + 20_000, pl.lit(500, pl.Int64).alias(COMPENSATION)
    )
    first = made((1, entries.ORIGINAL)).with_columns(declared_net_cents=pl.lit(19_000, pl.Int64))
    (found,) = ledger.original(in_force, later, first).to_dicts()
    assert (found["declared_contribution_cents"], found["declared_deduction_cents"]) == (20_000, 0)
    assert (found["summed_net_cents"], found["declared_net_cents"], found["debit_cents"]) == (19_500, 19_000, 19_500)


def test_a_declaration_that_is_cancelled_whole_keeps_its_original():
    known = states((1, 0, BEFORE, 10_000, 10_000, 300, 0))
    later = ledger.entries(touched((1, 0, 2)), known, made((2, entries.CORRECTION)))
    nothing = pl.DataFrame(schema=EMPLOYER_ACCOUNT)
    (found,) = ledger.original(nothing, later, made((1, entries.ORIGINAL))).to_dicts()
    assert later["credit_cents"].to_list() == [9_700]
    assert (found["debit_cents"], found["credit_cents"]) == (9_700, 0)


def test_units_are_totalled_with_what_is_declared_or_only_owed():
    declared = Declarations()
    employer = declared.employer()
    line = employer.person().line()
    line.occupation().remun("001", 500_000).service("001", 6_600)
    line.contribution("495", 0, 500_000, 190_350)
    line.contribution("999", 0, None, 77)
    employer.unrelated("000", "870", 500, 1_000)
    declared.rows["employer_compensation"].append(
        {**employer.keys, "employer_compensation_ordinal": 0, "compensation_amount": 40}
    )
    computed = compute(declared.tables())
    units = touched((1, None, 3), (1, 0, 3), (1, 8, 3))
    found = ledger.state(units, computed.difference, computed.employer_account).sort("natural_person_ordinal")
    names = [*UNIT, "version", "contributions", "contributions_not_computable", COMPENSATION]
    sums = ["declared_contribution_cents", "covered_contribution_cents", "computed_contribution_cents"]
    assert found.select(*names, *sums).rows() == [
        (1, None, 3, 1, 0, 40, 500, 500, 131),
        (1, 0, 3, 2, 1, 0, 190_427, 190_350, 190_350),
        (1, 8, 3, 0, 0, 0, 0, 0, 0),
    ]
