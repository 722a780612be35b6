"""R13: who applies all mutations ends with what a full extract says, whatever happened in between."""

from __future__ import annotations

import itertools
from pathlib import Path

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from dmfa.extracts.authorisations import CHANGE_TABLE, FLAG_TABLE, KEYS, NUMBER
from dmfa.extracts.changes import CANCELLED, ChangePart, Changes, Known, numbered
from dmfa.extracts.mutations import apply_mutations, in_order
from dmfa.extracts.open_anomalies import COLUMNS
from dmfa.extracts.quality import flags
from dmfa.extracts.selection import attestations
from tests.unit.extracts.material import NARROW, invented, permit_of
from tests.unit.extracts.shapes import shape_of

PERSONS = 4
WRONG = 2
"""Pay in which an anomaly is open."""

KEYS_AND_PREVIOUS = (*KEYS, NUMBER, "previous_inss", "previous_noss_registration_nbr")

worlds = st.lists(
    # Of each person at one moment: in the lake or not, allowed to the recipient or not, version, INSZ, pay.
    st.lists(
        st.tuples(
            st.booleans(), st.booleans(), st.integers(0, 1), st.sampled_from([10100105, 5123112338]), st.integers(0, 2)
        ),
        min_size=PERSONS,
        max_size=PERSONS,
    ),
    min_size=1,
    max_size=5,
)


class Recipient:
    """One recipient of changes: what the log knows of it, and what it received."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.shape = folder, shape_of(permit_of(folder, blocks=NARROW))
        self.log: list[pl.DataFrame] = []
        self.deliveries: list[dict[str, pl.DataFrame]] = []
        self.persons: list[pl.DataFrame] = []

    def deliver(self, everybody: pl.DataFrame, frames: dict[str, pl.DataFrame]) -> None:
        number = len(self.deliveries) + 1
        known = Known(number, self._given(), _none({KEYS[0]: pl.Int64, "version": pl.Int16}), _NO_NUMBERS)
        changes = Changes(known, ChangePart(KEYS_AND_PREVIOUS))
        selected = attestations(frames, self.shape)
        told, tables = changes.of(everybody, selected.persons, self.tables(frames))
        gone, last = changes.cancelled(self.shape)
        made = {name: pl.concat([rows, last[name]], how="vertical_relaxed") for name, rows in tables.items()}
        rows = pl.concat([told.select(*_LOGGED), gone.select(*_LOGGED)], how="vertical_relaxed")
        self.deliveries.append(made)
        self.persons.append(rows)
        self.log.append(rows.with_columns(pl.lit(number).alias("at")))

    def _given(self) -> Path:
        rows = pl.concat(self.log) if self.log else _none({**_LOGGED, "at": pl.Int32})
        last = (
            rows.sort("at").group_by(KEYS[0]).last().select(KEYS[0], pl.exclude(KEYS[0], "at").name.suffix("_before"))
        )
        last.write_parquet(self.folder / "given.parquet")
        return self.folder / "given.parquet"

    def full(self, frames: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
        return in_order(self.tables(frames))

    def tables(self, frames: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
        """What is given: with a flag on the first pay of whom it is said to be wrong."""
        tables = attestations(frames, self.shape).tables
        seen = {part.name: frozenset(zone.name for zone in part.zones) for part in self.shape.parts}
        return {**tables, FLAG_TABLE: flags(_wrong(frames["remun"]), frames, tables, seen, self.shape)}


_LOGGED = {KEYS[0]: pl.Int64, "version": pl.Int16, "status": pl.Int8, "content": pl.Int64, "inss": pl.Int64}
_NO_NUMBERS = pl.DataFrame(schema={"declaration_id": pl.Int64, "number_before": pl.Int64})


def _none(schema: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    return pl.DataFrame(schema=schema)


def world(
    state: list[tuple[bool, bool, int, int, int]], floor: list[int]
) -> tuple[pl.DataFrame, dict[str, pl.DataFrame]]:
    """All persons of one moment, and the tables of those whom the recipient may have; versions never go back."""
    tables = {name: rows.filter(pl.col("declaration_id") == 5) for name, rows in invented().items()}
    facts = []
    for place, (there, allowed, step, inss, pay) in enumerate(state):
        floor[place] += step
        facts.append((place, there, allowed, floor[place], inss, pay))
    told = pl.DataFrame(
        facts,
        orient="row",
        schema={
            "natural_person_ordinal": pl.Int32, "there": pl.Boolean, "allowed": pl.Boolean, "new": pl.Int16,
            "number": pl.Int64, "pay": pl.Int64,
        },
    )  # fmt: skip
    persons = tables["natural_person"].join(told, on="natural_person_ordinal").filter("there")
    persons = persons.with_columns(pl.col("new").alias("version"), pl.col("number").alias("inss"))
    remun = tables["remun"].join(told, on="natural_person_ordinal").with_columns(pl.col("pay").alias("remun_amount"))
    mine = persons.filter("allowed").select("natural_person_ordinal")
    frames = {**tables, "natural_person": persons, "remun": remun}
    kept = {
        name: rows.join(mine, on="natural_person_ordinal", how="semi")
        if "natural_person_ordinal" in rows.columns
        else rows
        for name, rows in frames.items()
    }
    return persons, kept


def _wrong(remun: pl.DataFrame) -> pl.DataFrame:
    """The anomalies of whose pay is two."""
    first = remun.filter(pl.col("pay") == WRONG).sort("remun_ordinal").group_by("natural_person_ordinal").first()
    told = {"block": "Remun", "zone": "RemunAmount", "code": "00070-008", "class": "P"}
    rows = first.with_columns(pl.col("remun_ordinal").alias("ordinal"), *(pl.lit(v).alias(k) for k, v in told.items()))
    return rows.select(COLUMNS)


def same(left: dict[str, pl.DataFrame], right: dict[str, pl.DataFrame]) -> bool:
    assert left.keys() == right.keys()
    return all(
        left[name].equals(right[name], null_equal=True) and left[name].schema == right[name].schema for name in left
    )


@settings(max_examples=12, deadline=None, derandomize=True)
@given(worlds, st.randoms(use_true_random=False))
def test_r13_all_mutations_lead_to_a_fresh_full_extract(tmp_path_factory, states, draw):
    recipient, versions = Recipient(tmp_path_factory.mktemp("r13")), [1] * PERSONS
    base: dict[str, pl.DataFrame] = {}
    for state in states:
        everybody, frames = world(state, versions)
        recipient.deliver(everybody, frames)
        base = apply_mutations(base, recipient.deliveries[-1])
        again = apply_mutations(base, draw.choice(recipient.deliveries))
        assert same(base, again), "a batch that comes again, however old, changes nothing"
        assert same({name: rows for name, rows in base.items() if name != CHANGE_TABLE}, recipient.full(frames))
    ordered = {name: rows for name, rows in base.items() if name != CHANGE_TABLE}
    shuffled: dict[str, pl.DataFrame] = {}
    for batch in draw.sample(recipient.deliveries, len(recipient.deliveries)):
        shuffled = apply_mutations(shuffled, batch)
    assert same({name: rows for name, rows in shuffled.items() if name != CHANGE_TABLE}, ordered)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(worlds)
def test_r13_statuses_follow_one_another_and_versions_never_go_back(tmp_path_factory, states):
    recipient, floor = Recipient(tmp_path_factory.mktemp("r13")), [1] * PERSONS
    history: dict[int, list[tuple[int, int]]] = {}
    for state in states:
        everybody, frames = world(state, floor)
        recipient.deliver(everybody, frames)
        changes = recipient.deliveries[-1][CHANGE_TABLE]
        assert changes.height == changes[KEYS[0]].n_unique() == recipient.persons[-1].height
        for number, version, status in changes.select(KEYS[0], "version", "status").iter_rows():
            history.setdefault(number, []).append((version, status))
        # What is given has content, what is cancelled has none.
        given_now = set(recipient.deliveries[-1]["natural_person"][KEYS[0]])
        assert given_now == set(changes.filter(pl.col("status") != CANCELLED)[KEYS[0]])
    for steps in history.values():
        statuses = [status for _, status in steps]
        assert statuses[0] == 0
        for before, after in itertools.pairwise(statuses):
            assert after in ({4} if before == CANCELLED else {1, CANCELLED})
        assert [version for version, _ in steps] == sorted(version for version, _ in steps)


def test_the_number_of_an_attestation_does_not_tell_the_person():
    persons = invented()["natural_person"]
    assert numbered(persons).height == persons.height
