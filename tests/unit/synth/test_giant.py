"""A declaration written person by person is the one that is written whole, and never holds many persons."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from dmfa.quarter import Quarter
from dmfa.synth import Figures, Filing, Law, Options, Tally, document, employer, giant, make_quarter, prepare
from dmfa.synth.declaration import DeclaredPerson
from dmfa.synth.giant import write_giant
from dmfa.synth.payroll import declared_persons
from dmfa.synth.truth import Collector

QUARTER = Quarter(2023, 1)
LAW = Law(Figures.of(QUARTER))


@pytest.mark.parametrize(("trade", "index"), [("general", 4), ("agency", 8), ("federal", 10), ("services", 1)])
def test_bytes_and_truth_are_those_of_the_whole_declaration(trade: str, index: int, tmp_path: Path) -> None:
    who = employer(3, index, trade=trade, exact_size=300)
    path = tmp_path / "giant.xml"
    written, whole = Collector(), Collector()
    draft = write_giant(path, 3, who, LAW, collector=written, count=300)
    declaration = prepare(3, who, QUARTER, LAW, 300)
    tallies = [Tally()]
    content = document([declaration], tallies)
    whole.add(Filing(path.name, content, [declaration], tallies))
    assert path.read_bytes() == content
    assert draft.net_owed == declaration.net_owed
    assert written.tables() == whole.tables()
    assert [path.name for path in tmp_path.iterdir()] == ["giant.xml"]


def test_few_persons_are_in_memory_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[weakref.ref[DeclaredPerson]] = []
    most = 0

    def counted(*arguments: object) -> Iterator[tuple[DeclaredPerson, bool]]:
        nonlocal most
        for person, car in declared_persons(*arguments):  # type: ignore[arg-type]
            seen.append(weakref.ref(person))
            most = max(most, sum(one() is not None for one in seen))
            yield person, car

    monkeypatch.setattr(giant, "declared_persons", counted)
    who = employer(3, 5, trade="services", exact_size=400)
    write_giant(tmp_path / "giant.xml", 3, who, LAW, collector=Collector(), count=400)
    assert len(seen) == 400
    assert most <= 3


def test_a_quarter_may_hold_a_giant(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plain = make_quarter(QUARTER, 2, 5, tmp_path / "plain", Options(workers=60))
    monkeypatch.setattr("dmfa.synth.part.GIANT_STAFF", 60)
    streamed = make_quarter(QUARTER, 2, 5, tmp_path / "streamed", Options(workers=60, faulty_per_million=1_000_000))
    assert plain.persons == streamed.persons == 120
    assert plain.bytes == streamed.bytes
    assert plain.declared_cents == streamed.declared_cents
    for path in (tmp_path / "plain").glob("*.xml"):
        assert path.read_bytes() == (tmp_path / "streamed" / path.name).read_bytes()


def test_packed_rows_are_no_other_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    declaration = prepare(3, employer(3, 6, trade="care", exact_size=20), QUARTER, LAW, 20)
    filing = Filing("x.xml", document([declaration], [Tally()]), [declaration], [Tally()])
    at_once, packed = Collector(), Collector()
    at_once.add(filing)
    at_once.add(filing)
    monkeypatch.setattr("dmfa.synth.truth._PACKED_ROWS", 10)
    packed.add(filing)
    packed.add(filing)
    assert packed.tables() == at_once.tables()
