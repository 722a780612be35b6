"""Corrections as a sender and a user meet them: applied, refused or waiting; versions, answers, states of before."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dmfa.errors import LakeProblem
from dmfa.lake import Lake
from dmfa.lake.location import Location
from dmfa.quarter import Quarter
from dmfa.synth import Options, make_quarter
from flows.settings import Settings
from flows.stages import compute_as_of, correcting, explain, extract, filings, read_again
from flows.stages import ingest as stage
from flows.stages.handing import HandedOver
from flows.stages.ingest import Ingested
from tests.conftest import SAMPLES, TODAY, dmfa
from tests.correcting import CHANGE, CREATE, DELETE, Correction, zone
from tests.keeping import content, left_over

QUARTER = Quarter(2026, 3)
FIRST = date.fromisoformat(TODAY)
SECOND = FIRST + timedelta(days=1)
"""Days of receipt of the originals and of the corrections."""

OF_A_RUN = {"received.filing_state", "received.answer", "received.meta"}
"""Tables that tell of runs, their order and their days: steps, and names of answers."""


@dataclass(frozen=True)
class Sent:
    """What was sent, and two lakes that took it: one after the other, and corrections before their originals.

    Attributes:
        folder: of all.
        originals: bytes of the originals, by employer.
        after: the run of the corrections.
        moments: when the lake `after` had taken in the originals, and the corrections.
        late: the run of the originals, some corrections with them and some before.
    """

    folder: Path
    originals: list[bytes]
    after: Ingested
    moments: tuple[datetime, datetime]
    late: Ingested

    @property
    def lake(self) -> Path:
        return self.folder / "after"

    def rows(self, sql: str) -> list[dict[str, Any]]:
        with Lake.open(self.lake) as lake:
            return lake.arrow(sql).to_pylist()


def ingest(folder: Path, lake: str, day: date, *inboxes: str) -> Ingested:
    settings = Settings(
        lake=str(folder / lake), out=folder / f"out-{lake}", received_on=day, received_on_given=True, workers=1
    )
    return stage.run([folder / name for name in inboxes], settings)


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Sent:
    folder = tmp_path_factory.mktemp("corrections")
    make_quarter(QUARTER, 3, 5, folder / "originals", Options(largest=2))
    paths = sorted((folder / "originals").glob("*.xml"))
    first, second, lonely = originals = [path.read_bytes() for path in paths]
    paths[2].unlink()  # its original never comes
    raised = zone("RemunAmount", 321_000)
    corrections = {
        "early": {
            "1-raised": Correction(first).line(0, 0, CHANGE, raised),
            "2-deleted": Correction(first).line(0, 0, DELETE, version=2, of_person=2),
            "9-lonely": Correction(lonely).line(0, 0, CHANGE, raised),
        },
        "late": {
            "3-again": Correction(first).line(0, 0, CREATE, of_person=3),
            "4-stale": Correction(first, reference="2").line(0, 0, CHANGE, raised),
            "5-other": Correction(second).line(0, 0, CHANGE, raised),
        },
    }
    for name, some in corrections.items():
        (folder / name).mkdir()
        for file, correction in some.items():
            (folder / name / f"{file}.xml").write_bytes(correction.data())
    ingest(folder, "after", FIRST, "originals")
    after = ingest(folder, "after", SECOND, "early", "late")
    with Lake.open(folder / "after") as lake:
        times = lake.arrow("SELECT snapshot_time FROM ducklake_snapshots('lake') ORDER BY 1").column(0).to_pylist()
    ingest(folder, "before", SECOND, "early")
    late = ingest(folder, "before", SECOND, "originals", "late")
    return Sent(folder, originals, after, (times[-2], times[-1]), late)


def test_every_correction_gets_its_verdict(sent: Sent) -> None:
    told = sent.rows(
        "SELECT name, state, reason, refused FROM lake.received.filing WHERE kind = 'DmfAUpdate' ORDER BY 1"
    )
    assert [tuple(row.values()) for row in told] == [
        ("1-raised.xml", "accepted", None, 0),
        ("2-deleted.xml", "accepted", None, 0),
        ("3-again.xml", "accepted", None, 0),
        ("4-stale.xml", "refused", "00610-180 00620-180", 1),
        ("5-other.xml", "accepted", None, 0),
        ("9-lonely.xml", "not_processed", "waits for its original", 0),
    ]
    rows = sent.rows(
        "SELECT c.state, c.version, c.codes, c.declaration_id IS NULL AS unknown, c.applied_at IS NULL AS never"
        " FROM lake.received.correction c JOIN lake.received.filing f USING (filing_id) ORDER BY f.name"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("applied", 2, None, False, False),
        ("applied", 3, None, False, False),
        ("applied", 4, None, False, False),
        ("refused", None, "00610-180 00620-180", False, True),
        ("applied", 2, None, False, False),
        ("waiting", None, None, True, True),
    ]
    assert dict(sent.after.states) == {"accepted": 4, "refused": 1, "not_processed": 1}
    assert sent.after.corrected.counts == {"applied": 4, "refused": 1, "waiting": 1}
    refusals = {(one.name, one.code) for one in sent.after.refusals}
    assert refusals == {("4-stale.xml", "00610-180"), ("4-stale.xml", "00620-180")}


def test_a_line_is_changed_cancelled_and_back(sent: Sent) -> None:
    """One line: declared, raised, deleted, created again under the same ordinal."""
    line = (
        "SELECT h.version, h.status, h.known_from::DATE AS since FROM lake.{0}.{1} h"
        " WHERE h.declaration_id = (SELECT declaration_id FROM lake.received.correction WHERE version = 4)"
        " AND h.{2} = 0 ORDER BY ALL"
    )
    versions = [(1, 0, FIRST), (2, 1, SECOND), (3, 3, SECOND), (4, 4, SECOND)]
    for table in ("worker_record", "natural_person"):
        rows = sent.rows(line.format("history", table, f"{table}_ordinal"))
        assert [tuple(row.values()) for row in rows] == versions
        assert [row["version"] for row in sent.rows(line.format("authentic", table, f"{table}_ordinal"))] == [4]
    wages = sent.rows(
        "SELECT r.version, r.remun_amount FROM lake.history.remun r JOIN lake.received.correction c"
        " USING (declaration_id) WHERE c.version = 4 AND r.worker_record_ordinal = 0 AND remun_ordinal IN"
        " (SELECT min(remun_ordinal) FROM lake.history.remun s WHERE s.declaration_id = r.declaration_id"
        " AND s.version = r.version AND s.worker_record_ordinal = 0) ORDER BY 1"
    )
    assert [row["version"] for row in wages] == [1, 2, 4]
    assert wages[1]["remun_amount"] == 321_000
    assert wages[2]["remun_amount"] == wages[0]["remun_amount"] != 321_000


def test_it_does_not_matter_whether_a_correction_comes_before_its_original(sent: Sent) -> None:
    without = frozenset({"processed_at", "reached_at", "applied_at", "received_at", "known_from", "known_until"})
    lakes = [content(sent.folder / name, without=without) for name in ("after", "before")]
    assert {name for name in lakes[0] if lakes[0][name] != lakes[1][name]} <= OF_A_RUN
    assert sent.late.corrected.counts == {"applied": 2, "refused": 1}
    assert sent.late.corrected.late == {"applied": 2}
    assert [left_over(sent.folder / name) for name in ("after", "before")] == [[], []]


class Many:
    """Five workers in this process, the last share first; which functions they were given, and how often."""

    workers = 5

    def __init__(self) -> None:
        self.given: Counter[str] = Counter()

    def __enter__(self) -> Many:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is to be ended."""

    def prepare(self, function: Callable[[], object] = os.getpid) -> None:
        """What workers do before a share comes is done here, and nobody sees that it was."""
        function()

    def run(
        self, function: Callable[[Any], Any], items: Sequence[Any], **_: Callable[[Any], int] | None
    ) -> Iterator[tuple[int, Any]]:
        for place in reversed(range(len(items))):
            self.given[function.__name__] += 1
            yield place, function(items[place])


@pytest.mark.parametrize(
    ("alike", "days", "sendings", "given"),
    [
        ("after", (FIRST, SECOND), (["originals"], ["early", "late"]), {"work": 3}),
        # Those that waited are read again.
        ("before", (SECOND, SECOND), (["early"], ["originals", "late"]), {"work": 5, "read_again": 2}),
    ],
)
def test_it_does_not_matter_how_many_work(
    sent: Sent,
    monkeypatch: pytest.MonkeyPatch,
    alike: str,
    days: Sequence[date],
    sendings: Sequence[Sequence[str]],
    given: dict[str, int],
) -> None:
    many = Many()
    monkeypatch.setattr(stage, "crew", lambda *_, **__: many)
    monkeypatch.setattr(correcting, "FORMS_A_SHARE", 1)
    monkeypatch.setattr(read_again, "BYTES_A_SHARE", 1)
    lake = f"shared-{alike}"
    for day, inboxes in zip(days, sendings, strict=True):
        done = ingest(sent.folder, lake, day, *inboxes)
    assert {name: times for name, times in many.given.items() if name in ("read_again", "work")} == given
    one = {"after": sent.after, "before": sent.late}[alike]
    assert (done.corrected.counts, done.corrected.late) == (one.corrected.counts, one.corrected.late)
    assert {(one.name, one.code) for one in done.refusals} == {(one.name, one.code) for one in one.refusals}
    assert content(sent.folder / lake) == content(sent.folder / alike)
    answers = [sorted((path.name, path.read_bytes()) for path in (sent.folder / f"out-{name}").rglob("FO.*"))
               for name in (lake, alike)]  # fmt: skip
    assert answers[0] == answers[1]
    assert left_over(sent.folder / lake) == []


def test_what_is_handed_to_a_worker_is_what_it_takes(tmp_path: Path) -> None:
    path = tmp_path / "one.share"
    path.write_bytes(b"as it is now")
    handed = HandedOver[str](path, sha256(b"as it was").hexdigest(), str(tmp_path))
    with pytest.raises(LakeProblem, match=r"one\.share was changed while it was handed to a worker"):
        handed.taken()


def test_each_decided_correction_is_answered_and_no_other(sent: Sent) -> None:
    answers = sent.rows(
        "SELECT f.name AS filing, a.kind, a.result, a.name FROM lake.received.answer a"
        " JOIN lake.received.filing f USING (filing_id) WHERE f.kind = 'DmfAUpdate' ORDER BY 1, 2"
    )
    told = {(row["filing"][0], row["kind"]): row["result"] for row in answers if row["name"]}
    applied = {(number, kind): result for number in "1235" for kind, result in
               (("ACRF", "1"), ("BEWA", None), ("DMNO", None), ("NOTI", "1"))}  # fmt: skip
    assert told == applied | {("4", "ACRF"): "1", ("4", "NOTI"): "0", ("9", "ACRF"): "1"}
    names = {row["name"] for row in sent.rows("SELECT name FROM lake.received.answer WHERE name IS NOT NULL")}
    assert {path.name for path in (sent.folder / "out-after" / "answers").iterdir()} == names
    # What waited is answered under the number of its own day, once it is decided.
    with Lake.open(sent.folder / "before") as lake:
        held = lake.arrow("SELECT name FROM lake.received.answer WHERE name IS NOT NULL").column(0).to_pylist()
    assert {path.name for path in (sent.folder / "out-before" / "answers").iterdir()} == set(held)


def test_a_run_that_refuses_what_waited_says_so_by_its_exit_code(sent: Sent, tmp_path: Path) -> None:
    """Its own filings are all accepted; the one refused came with a run before."""
    (original, *_) = sent.originals
    for name, data in {
        "first": Correction(original).line(0, 0, CHANGE, zone("RemunAmount", 1), version=7).data(),
        "then": original,
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.xml").write_bytes(data)
    waiting = ingest(tmp_path, "lake", FIRST, "first")
    assert (waiting.refused, dict(waiting.states)) == (0, {"not_processed": 1})
    done = dmfa("ingest", "then", cwd=tmp_path)
    assert "= 1 accepted + 0 refused + 0 not processed" in done.stdout
    assert "1 taken up now that their original is there = 0 applied + 1 refused" in done.stdout
    assert done.returncode == 1, done.stderr


def test_a_correction_sent_again_changes_nothing(sent: Sent) -> None:
    with Lake.open(sent.lake) as lake:
        state = lake.snapshot_id()
    again = ingest(sent.folder, "after", SECOND, "early", "late")
    assert (again.received, again.known, again.changed) == (0, 6, False)
    with Lake.open(sent.lake) as lake:
        assert lake.snapshot_id() == state


def test_a_correction_that_waits_keeps_its_bytes(sent: Sent) -> None:
    with Lake.open(sent.folder / "before", write=True) as lake:
        assert lake.maintain(received_before=datetime(2030, 1, 1)).received == 7
        (waiting,) = lake.arrow("SELECT sha256 FROM lake.received.filing WHERE state = 'not_processed'").to_pylist()
    kept = Location.of(sent.folder / "before").received
    assert [path.stem for path in kept.iterdir()] == [waiting["sha256"]]


def test_the_steps_of_a_declaration_lead_to_its_corrections(sent: Sent, capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(lake=str(sent.lake))

    def steps(ticket: str) -> list[tuple[str, str, str | None]]:
        filings.run(settings, ticket=ticket, quarter=None, state=None, as_json=True)
        rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return [(row["state"], row["ticket"], row["what"]) for row in rows if row["declaration"]]

    tickets = {
        row["name"][0]: row["ticket"]
        for row in sent.rows(
            "SELECT f.name, o.ticket FROM lake.received.form o JOIN lake.received.filing f USING (filing_id)"
        )
        if not row["name"].startswith("2026")
    }
    (original,) = sent.rows(
        "SELECT ticket FROM lake.received.form WHERE declaration_id ="
        " (SELECT declaration_id FROM lake.received.correction WHERE version = 4)"
    )
    by = "by the correction of this ticket"
    told = steps(original["ticket"])
    assert told[0][1:] == (original["ticket"], None)
    assert told[1:] == [("corrected", tickets[number], by) for number in "123"]
    applied = f"made version 3 of the declaration {original['ticket']}"
    assert steps(tickets["2"])[0][0].startswith("accepted")
    assert [what for _, _, what in steps(tickets["2"])] == [applied]
    assert steps(f" {tickets['2'].lower()}") == steps(tickets["2"])
    assert steps(tickets["4"]) == [("refused", tickets["4"], "00610-180 00620-180")]
    assert steps(tickets["9"]) == [("not_processed", tickets["9"], "waits for its original")]


KNOWN_AT = """
    SELECT h.declaration_id, h.worker_record_ordinal, h.version FROM lake.history.worker_record h
    ANTI JOIN (SELECT * FROM lake.history.replaced WHERE known_until <= ?1 AND unit = 'worker_record') r
        ON r.declaration_id = h.declaration_id AND r.ordinal = h.worker_record_ordinal AND r.version = h.version
    WHERE h.known_from <= ?1 AND h.status <> 3 ORDER BY ALL
"""
IN_FORCE = "SELECT declaration_id, worker_record_ordinal, version FROM lake.authentic.worker_record ORDER BY ALL"


def test_what_was_known_then_is_what_the_lake_held_then(sent: Sent) -> None:
    """Business time and lake time agree: day by day the columns of history tell what the lake was at that state."""
    for day, moment in zip((FIRST, SECOND), sent.moments, strict=True):
        with Lake.open(sent.lake) as now, Lake.open(sent.lake, as_of=moment) as then:
            end_of_day = datetime.combine(day, datetime.max.time())
            assert now.arrow(KNOWN_AT, [end_of_day]).to_pylist() == then.arrow(IN_FORCE).to_pylist()


def test_amounts_of_a_state_of_before(sent: Sent, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(lake=str(sent.lake), out=tmp_path)
    before, _ = sent.moments
    with Lake.open(sent.lake) as lake:
        state = lake.snapshot_id()
    done = compute_as_of.run(QUARTER, settings, before)
    names = ("declared_contribution_cents", "computed_contribution_cents", "computed_deduction_cents")
    sums = ", ".join(f"sum({name})::BIGINT AS {name}" for name in names)
    (original,) = sent.rows(f"SELECT {sums} FROM lake.computed.employer_account WHERE entry = 'original'")
    (now,) = sent.rows(f"SELECT {sums} FROM lake.computed.employer_account")
    assert {name: done.totals[name] for name in names} == original != now
    assert {path.name for path in Path(done.folder).iterdir()} == {
        f"{table}.parquet" for table in ("basis", "contribution", "deduction", "difference", "employer_account")
    }
    with Lake.open(sent.lake) as lake:
        assert lake.snapshot_id() == state
    (employer,) = sent.rows(
        "SELECT noss_registration_nbr AS number FROM lake.authentic.employer_declaration WHERE version = 2"
    )
    told = []
    for moment in (before, None):
        explain.run(QUARTER, settings, employer=employer["number"], form="json", as_of=moment)
        told.append(capsys.readouterr().out)
    assert told[0] != told[1]


def test_an_extract_of_a_state_of_before_says_so(sent: Sent, tmp_path: Path) -> None:
    """What was given then is given again, beside what stands in place, and is logged as what it is."""
    settings = Settings(lake=str(sent.lake), out=tmp_path, authorisations=SAMPLES / "authorisations.yaml")
    settings = replace(settings, received_on=SECOND)
    before, _ = sent.moments
    with Lake.open(sent.lake, as_of=before) as lake:
        state = lake.snapshot_id()
    done = extract.run(QUARTER, settings, names=["example-benefit-fund"], as_of=before)
    (folder,) = {path.parent for path in tmp_path.rglob("manifest.json")}
    assert folder.relative_to(tmp_path).parts[:3] == ("as-of", f"{before:%Y%m%dT%H%M%S}", "extracts")
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["as_of"], manifest["snapshot"]) == (before.isoformat(), state)
    given = pl.read_parquet(folder / "natural_person.parquet")
    assert set(given["version"]) == {1}
    assert len(given) == done.deliveries[0].attestations > 0
    with Lake.open(sent.lake) as lake:
        logged = lake.arrow("SELECT DISTINCT run_id FROM lake.exchange.log").column(0).to_pylist()
    assert logged == [f"20263-{state}-as-of-{before:%Y%m%dT%H%M%S}"]
