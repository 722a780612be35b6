"""Amounts of corrections: what is touched is computed alone, and the ledger is the account of the state in force."""

from __future__ import annotations

from datetime import date
from random import Random

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contributions import Computed, compute, entries, ledger
from contributions.columns import EMPLOYER_ACCOUNT, ENTRY
from contributions.inputs import Tables
from contributions.ledger import BEFORE, SUMS, UNIT
from contributions.overview import OVERVIEW, overview
from tests.declared import Declarations, Employer, Line, insz_of

QUARTERS = [20231, 20263]
PERSONS, WIDE = 4, 1_000
FEW = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def person(employer: Employer, random: Random) -> None:
    """A person with lines of all kinds: what the law adds up over a person, a line, an occupation."""
    born = date(random.choice([1960, 1990, 2003, 2008]), 3, random.randint(1, 28))
    own = employer.person(insz_of(born, random.randint(1, 400)))
    for _ in range(random.randint(1, 2)):
        line = own.line(random.choice(["000", "000", "010", "122", "173"]), random.choice(["015", "495", "495", "840"]))
        for _ in range(random.randint(1, 2)):
            occupation(line, random)
        ordinary(line, random)
        for code in random.sample(["255", "809", "855", "856", "859", "862"], 3):
            line.contribution(code, random.choice([0, 0, 5]), None, random.randint(0, 9_000))
        if random.random() < 0.3:
            line.student(random.randint(1, 500_000), random.randint(0, 9_000), random.randint(1, 400))
        for code in random.sample(["0001", "0001", "0601", "1360", "3000"], 2):
            line.deduction(code, random.randint(0, 20_000), date(2026, 7, 1))


def ordinary(line: Line, random: Random) -> None:
    wage = random.randint(0, 1_200_000)
    line.contribution("495", 0, wage, wage * 38 // 100 + random.randint(-1, 2))


def occupation(line: Line, random: Random) -> None:
    part = random.random() < 0.5
    made = line.occupation(
        contract_type=int(part),
        ref_mean_working_hours=3800,
        mean_working_hours=random.choice([1900, 800]) if part else None,
        occupation_starting_date=date(2021, random.randint(1, 12), 1),
    )
    made.remun("001", random.randint(100_000, 1_200_000)).service("001", random.choice([6_500, 3_000]), 25_000)
    for code in random.sample(["3000", "3320", "3410", "6320", "7320", "8320"], 2):
        made.deduction(code, random.randint(0, 60_000), date(2025, 10, 1))


def declaration(number: int, seed: int, *, quarter: int) -> Tables:
    """One declaration with persons and what belongs to none, numbered as if there were others before it."""
    random = Random(seed)
    found = Declarations()
    for _ in range(number - 1):
        found.employer(quarter)
    employer = found.employer(quarter, net=random.randint(0, 10**6))
    for _ in range(PERSONS):
        person(employer, random)
    for code in random.sample(["862", "868", "870"], 2):
        employer.unrelated("000", code, random.randint(0, 9_000), random.randint(0, 9_000))
    for _ in range(random.randint(0, 2)):
        employer.vehicle(eco=random.choice([0, 1]), fuel="diesel", co2_grams_per_km=120, months=3)
    found.rows["employer_compensation"].append(
        {**employer.keys, "employer_compensation_ordinal": 0, "compensation_amount": random.randint(0, 9_000)}
    )
    tables = found.tables()
    return {name: frame.filter(pl.col("declaration_id") == number) for name, frame in tables.items()}


def of_units(tables: Tables, units: set[int | None]) -> dict[str, pl.DataFrame]:
    """The rows of some persons, and with None what belongs to no person; the declaration itself is always there."""
    named = pl.col("natural_person_ordinal").is_in([one for one in units if one is not None])
    found = {}
    for name, frame in tables.items():
        if name == "employer_declaration":
            found[name] = frame
        elif "natural_person_ordinal" in frame.columns:
            found[name] = frame.filter(named)
        else:
            found[name] = frame if None in units else frame.clear()
    return found


def renumbered(tables: Tables) -> dict[str, pl.DataFrame]:
    """The same with new numbers below the persons, as a new version gives them, and in another order of persons."""
    own = pl.selectors.ends_with("_ordinal") - pl.selectors.by_name("natural_person_ordinal", require_all=False)
    return {
        name: frame.with_columns(own + WIDE).with_columns(version=pl.lit(2, pl.Int16)) for name, frame in tables.items()
    }


def in_order(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.sort(frame.columns, nulls_last=True)


def together(*parts: Tables) -> dict[str, pl.DataFrame]:
    names = dict.fromkeys(name for part in parts for name in part)
    return {
        name: pl.concat([part[name] for part in parts if name in part], how="diagonal")
        if name != "employer_declaration"
        else parts[0][name]
        for name in names
    }


def touched_of(units: set[int | None], version: int) -> pl.DataFrame:
    schema = {**dict.fromkeys(UNIT, pl.Int64()), "version": pl.Int16()}
    rows = [(1, unit, version) for unit in sorted(units, key=lambda unit: -1 if unit is None else unit)]
    return pl.DataFrame(rows, schema=schema, orient="row").cast({UNIT[1]: pl.Int32()})


def made(filing: int, version: int, entry: str, net: int, quarter: int) -> pl.DataFrame:
    row = (1, filing, version, entry, quarter, 100006, net)
    names = ("declaration_id", "filing_id", "version", "entry", "quarter", "noss_registration_nbr")
    schema = {**{name: EMPLOYER_ACCOUNT[name] for name in names}, "declared_net_cents": pl.Int64()}
    return pl.DataFrame([row], schema=schema | {"entry": ENTRY}, orient="row")


def state(units: pl.DataFrame, computed: Computed) -> pl.DataFrame:
    return ledger.state(units, computed.difference, computed.employer_account)


UNITS = st.sets(st.sampled_from([None, *range(PERSONS)]), min_size=1, max_size=3)


@FEW
@given(st.integers(0, 10**6), st.sampled_from(QUARTERS), UNITS)
def test_what_is_touched_is_computed_alone_and_the_ledger_adds_up(
    seed: int, quarter: int, units: set[int | None]
) -> None:
    rest = {None, *range(PERSONS)} - units
    original = declaration(1, seed, quarter=quarter)
    corrected = of_units(renumbered(declaration(1, seed + 1, quarter=quarter)), units)
    before, alone = compute(original), compute(corrected)
    whole = compute(together(of_units(original, rest), corrected))
    for name, frame in whole.frames().items():
        if name != "employer_account":
            untouched = before.frames()[name].join(touched_of(units, 2), on=UNIT, how="anti", nulls_equal=True)
            assert in_order(frame).equals(in_order(pl.concat([untouched, alone.frames()[name]]))), name

    touched = touched_of(units, 2)
    first = state(touched.with_columns(version=pl.lit(BEFORE, pl.Int16)), before)
    later = ledger.entries(
        touched, pl.concat([first, state(touched, alone)]), made(8, 2, entries.CORRECTION, 0, quarter)
    )
    (stands,) = whole.employer_account.select(SUMS).to_dicts()
    sums = pl.concat([before.employer_account, later]).select(pl.col(SUMS).sum()).to_dicts()[0]
    assert sums == stands
    net = original["employer_declaration"]["net_owed_amount"].item()
    again = ledger.original(whole.employer_account, later, made(7, 1, entries.ORIGINAL, net, quarter))
    assert again.equals(before.employer_account)

    told = overview(touched, of_units(original, units), corrected)
    assert told.schema == OVERVIEW
    (entry,) = later.to_dicts()
    assert told["amount_cents"].sum() == entry["debit_cents"] - entry["credit_cents"] == entry["summed_net_cents"]


@pytest.mark.parametrize("kind", ["contribution", "deduction"])
def test_totals_of_units_are_the_account(kind: str) -> None:
    computed = compute(declaration(1, 5, quarter=20263))
    totals = ledger.totals(computed.difference)
    for name in (f"declared_{kind}_cents", f"covered_{kind}_cents", f"computed_{kind}_cents", f"{kind}s"):
        assert totals[name].sum() == computed.employer_account[name].item() > 0
