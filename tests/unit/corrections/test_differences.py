"""What a version changed: blocks paired by what identifies them, marked up to the declaration."""

from __future__ import annotations

from typing import Any

import polars as pl

from dmfa.checks.repeated import _ONCE
from dmfa.corrections.differences import IDENTIFYING, compare, earlier, later
from dmfa.schema import lake_tables, unit_of

LINE_KEYS = {"declaration_id": 1, "quarter": 20263, "filing_id": 7, "natural_person_ordinal": 0}
USED = ("employer_declaration", "natural_person", "worker_record", "occupation", "remun", "using_employer", "address")
USED += ("student_contribution", "company_vehicle")
TABLES = tuple(table for table in lake_tables() if table.name in USED)
SCHEMAS = {table.name: pl.DataFrame(table.arrow_schema.empty_table()).schema for table in TABLES}


def rows(name: str, *given: dict[str, Any], version: int = 1, status: int = 0) -> pl.DataFrame:
    own = {**LINE_KEYS, "version": version, "status": status}
    return pl.DataFrame([{**own, **row} for row in given], schema=SCHEMAS[name])


def state(version: int, pays: list[tuple[str, int]], *, first: int = 0, status: int = 0) -> dict[str, pl.DataFrame]:
    """A declaration of one person with one line, one occupation and these pays."""
    own = {"version": version, "status": status}
    line = {"worker_record_ordinal": 0}
    work = {**line, "occupation_ordinal": first}
    found = {name: pl.DataFrame(schema=schema) for name, schema in SCHEMAS.items()}
    found["employer_declaration"] = rows("employer_declaration", {"trusteeship": 0}, **own)
    found["natural_person"] = rows("natural_person", {"inss": 77101500172}, **own)
    found["worker_record"] = rows("worker_record", {**line, "employer_class": "010", "worker_code": "495"}, **own)
    if status != 3:
        found["occupation"] = rows("occupation", {**work, "occupation_sequence_nbr": 1}, **own)
        found["remun"] = rows(
            "remun",
            *(
                {**work, "remun_ordinal": first + place, "remun_code": code, "remun_amount": amount}
                for place, (code, amount) in enumerate(pays)
            ),
            **own,
        )
    return found


def between(
    before: dict[str, pl.DataFrame], after: dict[str, pl.DataFrame], version: int = 2
) -> dict[str, pl.DataFrame]:
    """What the second state does to the first, of which it ends every unit."""
    ended = pl.concat(
        before[table.name].select(
            "quarter",
            "declaration_id",
            unit=pl.lit(table.name),
            ordinal=pl.col(own) if own else pl.lit(0, pl.Int32),
            version="version",
            ended_by=pl.lit(version, pl.Int16),
        )
        for table in TABLES
        for unit, own in [unit_of(table.arrow_schema.names)]
        if unit == table.name
    )

    def read(name: str, keys: pl.DataFrame) -> pl.DataFrame:
        return before[name].join(keys, on=keys.columns, how="semi")

    return compare(earlier(read, ended, TABLES), later(after, TABLES), TABLES)


def actions(found: dict[str, pl.DataFrame]) -> dict[str, list[int]]:
    return {name: frame["action"].to_list() for name, frame in found.items() if frame.height}


def test_blocks_are_paired_by_what_identifies_them_and_not_by_their_numbers() -> None:
    before = state(1, [("001", 100), ("002", 50)])
    found = between(before, state(2, [("002", 50), ("001", 110), ("003", 1)], first=10, status=1))
    assert actions(found) == {
        "employer_declaration": [7],
        "natural_person": [7],
        "worker_record": [7],
        "occupation": [7],
        "remun": [9, 1, 3],
    }
    changed = found["remun"].filter(pl.col("action") == 1)
    assert changed.select("remun_code", "remun_amount_before", "remun_amount").rows() == [("001", 100, 110)]


def test_of_two_that_are_alike_the_first_is_paired_with_the_first() -> None:
    before = state(1, [("001", 100), ("001", 50)])
    found = between(before, state(2, [("001", 100), ("001", 60)], first=10, status=1))
    assert found["remun"].select("action", "remun_amount_before", "remun_amount").rows() == [(9, 100, 100), (1, 50, 60)]


def test_what_is_in_a_block_follows_it_to_its_new_number() -> None:
    found = between(state(1, [("001", 100), ("002", 50)]), state(2, [("002", 50)], first=10, status=1))
    assert found["remun"].select("action", "occupation_ordinal", "remun_ordinal_before", "remun_ordinal").rows() == [
        (9, 10, 1, 10),
        (0, 10, 0, 0),
    ]
    assert found["occupation"].select("action", "occupation_ordinal_before", "occupation_ordinal").rows() == [
        (7, 0, 10)
    ]


def test_of_two_blocks_that_exclude_one_another_the_one_around_it_counts() -> None:
    line = {"worker_record_ordinal": 0}

    def hired(first: int, version: int, places: list[str], company: int) -> dict[str, pl.DataFrame]:
        """A user of the occupation and one of the student contribution, in this order."""
        users = [
            {
                **line,
                f"{place}_ordinal": first,
                "using_employer_ordinal": first + number,
                "using_employer_company_id": own,
            }
            for number, place in enumerate(places)
            for own in [company if place == "occupation" else 7]
        ]
        own = {"version": version, "status": version - 1}
        student = rows("student_contribution", {**line, "student_contribution_ordinal": first}, **own)
        more = {"student_contribution": student, "using_employer": rows("using_employer", *users, **own)}
        return state(version, [], first=first, status=version - 1) | more

    found = between(
        hired(0, 1, ["occupation", "student_contribution"], 1), hired(10, 2, ["student_contribution", "occupation"], 2)
    )
    told = found["using_employer"].select("action", "using_employer_ordinal_before", "using_employer_ordinal")
    assert told.rows() == [(9, 1, 10), (1, 0, 11)]
    assert actions(found) | {"occupation": [7], "student_contribution": [9]} == actions(found)


def test_a_line_that_is_cancelled_takes_all_below_it_along() -> None:
    found = between(state(1, [("001", 100)]), state(2, [], status=3))
    assert actions(found) == {
        "employer_declaration": [0],
        "natural_person": [0],
        "worker_record": [0],
        "occupation": [0],
        "remun": [0],
    }
    assert found["worker_record"].select("version_before", "version").rows() == [(1, 2)]


def test_what_comes_back_is_reactivated_and_what_it_holds_created() -> None:
    found = between(state(2, [], status=3), state(3, [("001", 100)], first=5, status=4), version=3)
    assert actions(found) == {
        "employer_declaration": [5],
        "natural_person": [5],
        "worker_record": [5],
        "occupation": [3],
        "remun": [3],
    }


def test_what_tells_blocks_apart_is_what_may_stand_once() -> None:
    """Sequence numbers beside: an occupation has no other identifier, and details are told by theirs."""
    official: dict[str, set[tuple[str, ...]]] = {}
    for code, table, _, zones in _ONCE:
        if code.startswith("90") or table == "occupation":
            official.setdefault(table, set()).add(zones)
    known = {table.name: set(table.arrow_schema.names) for table in lake_tables()}
    below = {table.name for table in lake_tables() if unit_of(table.arrow_schema.names)[0] != table.name}
    assert official.keys() & below <= IDENTIFYING.keys()
    for table, zones in IDENTIFYING.items():
        assert set(zones) <= known[table]
        assert zones in official.get(table, {("deduction_detail_sequence_nbr",)})
