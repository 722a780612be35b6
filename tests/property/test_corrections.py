"""Random histories of corrections against a plain model, and what holds of every history.

The model keeps, for each declaration, a dictionary of lines and of vehicles with their versions. It decides nothing by
the program's code: a Form is drawn as one that fits, and sometimes spoiled afterwards.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from dmfa.corrections.apply import apply
from dmfa.corrections.shape import CHANGE, CREATE, DELETE, UNCHANGED
from dmfa.corrections.state import state_of
from tests.unit.corrections.material import (
    ANN,
    BOB,
    CAS,
    NUMBER,
    STARTED,
    TABLES,
    Asking,
    Content,
    Kept,
    Lines,
    Occupation,
    contents,
    corrections_of,
    original,
)

EXAMPLES = settings(
    max_examples=15, stateful_step_count=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
PERSONS = (ANN, BOB, CAS)
KEYS = (("000", "495"), ("000", "015"), ("010", "027"))
LATER = 200008
"""Number of the employer whose original comes after its corrections."""

amounts = st.integers(1, 9)
occupations = st.builds(
    Occupation,
    st.lists(st.tuples(st.sampled_from(["001", "002"]), amounts), min_size=1, max_size=2).map(tuple),
    st.lists(st.tuples(st.just("3000"), amounts, st.none() | amounts), max_size=2).map(tuple),
    st.none() | amounts,
)
lines_of = st.builds(
    Content,
    st.lists(occupations, min_size=1, max_size=2).map(tuple),
    st.lists(st.tuples(st.just("495"), st.integers(0, 1), amounts), max_size=2).map(tuple),
    st.none() | amounts,
    st.none(),
)


@dataclass
class Declared:
    """What the model knows of one declaration."""

    version: int = 1
    lines: dict[tuple[int, tuple[str, str]], Content] = field(default_factory=dict)
    versions: dict[tuple[int, tuple[str, str]], int] = field(default_factory=dict)
    persons: dict[int, int] = field(default_factory=dict)
    plates: dict[int, str] = field(default_factory=dict)
    plate_versions: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, people: dict[int, Lines]) -> Declared:
        lines = {(inss, key): content for inss, own in people.items() for key, content in own.items()}
        return cls(lines=lines, versions=dict.fromkeys(lines, 1), persons=dict.fromkeys(people, 1))

    def content(self) -> dict[int, dict[str, Content]]:
        found: dict[int, dict[str, Content]] = {}
        for (inss, key), content in self.lines.items():
            found.setdefault(inss, {})["|".join(key)] = content
        return found


def people_drawn(draw: st.DrawFn) -> dict[int, Lines]:
    return {
        inss: {key: draw(lines_of) for key in draw(st.sets(st.sampled_from(KEYS), min_size=1).map(sorted))}
        for inss in draw(st.sets(st.sampled_from(PERSONS), min_size=1).map(sorted))
    }


people = st.composite(people_drawn)()


class Histories(RuleBasedStateMachine):
    """Originals and corrections as they may come; Forms are sent one by one or several together."""

    @initialize(people=people, later=people)
    def begin(self, people: dict[int, Lines], later: dict[int, Lines]) -> None:
        self.kept = Kept.of(original(people))
        self.later: dict[int, Lines] | None = later
        self.arrived = STARTED
        self.models = {NUMBER: Declared.of(people), LATER: Declared.of(later)}
        self.snapshots: list[tuple[int, int, datetime, dict[int, dict[str, Content]]]] = []
        self.pending: list[tuple[Asking, str]] = []
        self.waiting: list[tuple[Asking, str]] = []
        self.sent: list[Asking] = []
        self.count = 0

    @rule(data=st.data(), many=st.integers(1, 4), at_once=st.booleans())
    def correct(self, data: st.DataObject, many: int, at_once: bool) -> None:
        """Forms that fit, each for one or two persons and perhaps a vehicle; sometimes spoiled."""
        for _ in range(many):
            self._correct(data)
        if at_once:
            self._flush()

    def _correct(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from([NUMBER, NUMBER, LATER]))
        form, model = self._form(number), copy.deepcopy(self.models[number])
        model.version += 1
        some = st.lists(st.sampled_from(PERSONS), min_size=1, max_size=2, unique=True)
        for inss in data.draw(some):
            self._person(data, form, model, inss)
        if data.draw(st.booleans()):
            self._vehicle(data, form, model)
        old = [row for row in form.asked if row["last_version"] is not None]
        if old and data.draw(st.integers(0, 3)) == 0:
            data.draw(st.sampled_from(old))["last_version"] += data.draw(st.sampled_from([-1, 1]))
            self._send(form, "refused")
        elif form.asked:
            self.models[number] = model
            self.sent.append(form)
            self._send(form, "applied")
            moment = (1 if number == NUMBER else 2, model.version, form.received_at, model.content())
            self.snapshots.append(moment)

    @rule(data=st.data())
    def again(self, data: st.DataObject) -> None:
        """A Form that was applied comes a second time: it goes out from a situation that is the last no more."""
        fresh = [form for form in self.sent if any(row["action"] not in (None, UNCHANGED) for row in form.asked)]
        if fresh:
            form = copy.deepcopy(data.draw(st.sampled_from(fresh)))
            own = self._form(form.number)
            form.filing_id, form.received_at, form_id = own.filing_id, own.received_at, own.form_id
            for row in (*form.asked, *form.quoted):
                row["form_id"] = form_id
            for rows in form.writer.rows.values():
                for row in rows:
                    row |= {"declaration_id": form_id, "filing_id": own.filing_id}
            form.form_id = form_id
            self._send(form, "refused")

    @rule()
    def original_arrives(self) -> None:
        """The late original: what waited for it is taken up, in its order."""
        self._flush()
        if self.later is not None:
            self.count += 1
            self.arrived = self._now()
            late = original(self.later, 2, number=LATER, known_from=self.arrived)
            self.kept.tables = {name: pl.concat([rows, late[name]]) for name, rows in self.kept.tables.items()}
            self.later, self.waiting, self.pending = None, [], self.waiting
            self._flush()

    @rule()
    def send(self) -> None:
        """What was written so far goes in at once."""
        self._flush()

    def teardown(self) -> None:
        if not hasattr(self, "kept"):
            return
        self._flush()
        regular(self.kept)
        for declaration_id, version, at, content in self.snapshots[:: max(1, len(self.snapshots) // 3)]:
            if declaration_id == 1 or self.later is None:
                assert contents(self.kept.in_force(version=version)).get(declaration_id, {}) == content
                # What came before its original is known from then on, and only all of it together.
                if declaration_id == 1 or at > self.arrived:
                    assert contents(self.kept.in_force(at=at)).get(declaration_id, {}) == content
                else:
                    assert declaration_id not in contents(self.kept.in_force(at=at))

    def _form(self, number: int) -> Asking:
        self.count += 1
        return Asking(5000 + self.count, 9000 + self.count, number=number, received_at=self._now())

    def _now(self) -> datetime:
        return STARTED + timedelta(hours=self.count)

    def _person(self, data: st.DataObject, form: Asking, model: Declared, inss: int) -> None:
        own = {key: model.versions[inss, key] for key in KEYS if (inss, key) in model.lines}
        person = form.person(inss, model.persons[inss] if own else None)
        free = [key for key in KEYS if key not in own]
        touched = False
        for key, version in own.items():
            action = data.draw(st.sampled_from([CHANGE, DELETE, UNCHANGED, None]))
            if action is None:
                continue
            target, content = key, data.draw(lines_of)
            if action == CHANGE and free and data.draw(st.booleans()):
                target = free.pop()
            if action == CHANGE:
                form.line(person, action, target, content, last=key, version=version)
            else:
                form.line(person, action, target, version=version)
            if action != UNCHANGED:
                touched = True
                del model.lines[inss, key], model.versions[inss, key]
            if action == CHANGE:
                model.lines[inss, target], model.versions[inss, target] = content, model.version
        if free and (not own or data.draw(st.booleans())):
            touched, content = True, data.draw(lines_of)
            form.line(person, CREATE, free[-1], content)
            model.lines[inss, free[-1]], model.versions[inss, free[-1]] = content, model.version
        if touched:
            model.persons[inss] = model.version

    def _vehicle(self, data: st.DataObject, form: Asking, model: Declared) -> None:
        sequence = data.draw(st.integers(1, 2))
        plate = f"1-ABC-{sequence}"
        if sequence not in model.plates:
            form.vehicle(CREATE, sequence, plate)
            model.plates[sequence], model.plate_versions[sequence] = plate, model.version
        else:
            action = data.draw(st.sampled_from([CHANGE, DELETE]))
            form.vehicle(action, sequence, plate, model.plate_versions[sequence])
            model.plate_versions[sequence] = model.version
            if action == DELETE:
                del model.plates[sequence]

    def _send(self, form: Asking, verdict: str) -> None:
        self.pending.append((form, verdict))

    def _flush(self) -> None:
        """Apply what is pending and compare the verdicts with the model's."""
        sent, self.pending = self.pending, []
        if self.later is not None:
            self.waiting += [(form, verdict) for form, verdict in sent if form.number == LATER]
        if not sent:
            return
        asked, filings = corrections_of(*(form for form, _ in sent))
        found = apply(state_of(asked, filings, self.kept, TABLES), asked, filings)
        self.kept.add(found)
        waits = self.later is not None
        expected = {form.form_id: "waiting" if waits and form.number == LATER else verdict for form, verdict in sent}
        assert dict(found.outcomes.select("form_id", "state").rows()) == expected
        now = self.kept.in_force()
        lines, vehicles = contents(now), now["company_vehicle"]
        columns = ("company_vehicle_sequence_nbr", "license_plate")
        for own, number in ((1, NUMBER), (2, LATER)):
            if number == NUMBER or self.later is None:
                assert lines.get(own, {}) == self.models[number].content()
                plates = vehicles.filter(pl.col("declaration_id") == own).select(columns)
                assert dict(plates.rows()) == self.models[number].plates


def regular(kept: Kept) -> None:
    """Versions only grow, a number means one row, and what is replaced was the last."""
    for table in TABLES:
        rows = kept.tables[table.name]
        own = f"{table.name}_ordinal" if f"{table.name}_ordinal" in rows.columns else "quarter"
        unit = "worker_record_ordinal" not in rows.columns or table.name == "worker_record"
        key = ["declaration_id", own, *(["version"] if unit else [])]
        assert rows.select(key).is_duplicated().sum() == 0
        # Of what is cancelled a row tells; nothing stands below it.
        assert unit or rows.filter(pl.col("status") == 3).is_empty()
    for (unit,), ended in kept.replaced.partition_by("unit", as_dict=True).items():
        assert ended.filter(pl.col("ended_by") <= pl.col("version")).is_empty()
        assert ended.select("declaration_id", "ordinal", "version").is_duplicated().sum() == 0
        rows = kept.tables[str(unit)]
        own = pl.lit(0) if unit == "employer_declaration" else pl.col(f"{unit}_ordinal")
        many = rows.select("declaration_id", own.alias("own")).unique().height
        assert rows.height == ended.height + many


TestHistories = Histories.TestCase
TestHistories.settings = EXAMPLES


@settings(EXAMPLES, max_examples=6)
@given(people=people, data=st.data())
def test_corrections_of_different_lines_commute_and_may_come_in_one_run_or_in_two(
    people: dict[int, Lines], data: st.DataObject
) -> None:
    lines = [(inss, key) for inss, own in people.items() for key in own]
    first, second = (data.draw(st.sampled_from(lines)) for _ in range(2))
    if first == second:
        second = (CAS, ("840", "840"))
    new = {first: data.draw(st.none() | lines_of), second: data.draw(lines_of)}

    def form(place: int, line: tuple[int, tuple[str, str]], before: int | None) -> Asking:
        made = Asking(5000 + place, 9000 + place, received_at=STARTED + timedelta(hours=place))
        inss, key = line
        later = before is not None and before == inss
        person = made.person(inss, None if inss not in people and not later else 2 if later else 1)
        content = new[line]
        if line not in lines:
            made.line(person, CREATE, key, content)
        elif content is None:
            made.line(person, DELETE, key, version=1)
        else:
            made.line(person, CHANGE, key, content, version=1)
        return made

    results = []
    for order in ((first, second), (second, first)):
        forms = [form(place, line, order[0][0] if place else None) for place, line in enumerate(order)]
        for runs in ([forms], [[one] for one in forms]):
            kept = Kept.of(original(people))
            for run in runs:
                asked, filings = corrections_of(*run)
                found = apply(state_of(asked, filings, kept, TABLES), asked, filings)
                assert found.outcomes["state"].unique().to_list() == ["applied"]
                kept.add(found)
            results.append((contents(kept.in_force()), {name: rows.height for name, rows in kept.tables.items()}))
    assert all(result[0] == results[0][0] for result in results)
    # One run or two: the very same rows.
    assert results[0] == results[1]
    assert results[2] == results[3]
