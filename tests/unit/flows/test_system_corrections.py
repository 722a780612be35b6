"""System corrections over a small lake: what is proposed, what is applied, and what waits for approval.

By hand, 2026/3, class 000: 5,000.00 owes 1,903.50 (38.07 %) to 495 and 84.50 (1.69 %) to 855; a basis of 10.00 owes
1.31 (13.07 %) to 870, which rests on figures of trust A. The structural reduction is of trust B.
"""

import json
from datetime import date, datetime
from types import SimpleNamespace

import pytest
from lxml import etree

from dmfa.errors import NothingToRead, WrongUsage
from dmfa.lake import Lake, received_bytes
from dmfa.quarter import Quarter
from flows.settings import Settings
from flows.stages import filings
from flows.stages import system_corrections as stage
from flows.stages.whole import settle
from tests.declared import Declarations
from tests.oracle import Oracle
from tests.versioned import declare, opened

QUARTER = Quarter(2026, 3)


def declared():
    """Two declarations: the reductions of both differ, and the contribution of no person in the first."""
    found = Declarations()
    for number in (100006, 200012):
        employer = found.employer(number=number)
        line = employer.person().line()
        line.occupation().remun("001", 500_000).service("001", 6_600).deduction("3000", 100)
        line.contribution("495", 0, 500_000, 190_350)
        line.contribution("855", 0, 500_000, 8_451)
        if number == 100006:
            employer.unrelated("000", "870", 500, 1_000)
    return found


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """Proposed; then what is reliable, and one of the others that was approved, applied."""
    folder = tmp_path_factory.mktemp("system")
    day = date(2026, 11, 22)
    settings = Settings(lake=str(folder / "lake"), out=folder / "out", received_on=day, received_on_given=True)
    with opened(settings, create=True) as lake:
        declare(lake, declared(), filing=7, received=datetime(2026, 11, 1))
    proposed = stage.run(QUARTER, settings)
    file = folder / "approved.jsonl"
    file.write_text(list(stage._lines(proposed.proposals))[-1] + "\n\n")
    applied = stage.run(QUARTER, settings, apply=True, approvals=file)
    return SimpleNamespace(settings=settings, proposed=proposed, applied=applied, file=file)


def test_what_differs_is_proposed_and_a_cent_is_not(done):
    told = [json.loads(line) for line in stage._lines(done.proposed.proposals)]
    named = [(one["proposal"], one["code"], one["declared_cents"], one["reliable"], one["applied"]) for one in told]
    assert named == [
        ("1/contribution_unrelated_to_np/0", "870", 500, True, False),
        ("1/occupation_deduction/0", "3000", 100, False, False),
        ("2/occupation_deduction/0", "3000", 100, False, False),
    ]
    assert told[0]["computed_cents"] == 131
    assert (told[0]["person"], told[1]["person"], told[1]["line"]) == (None, 0, 0)
    assert "77101500172" not in json.dumps(told)


def test_what_is_reliable_or_approved_is_an_entry_of_the_ledger(done):
    reduction = Oracle(declared().tables()).structural[2, 0]
    with Lake.open(done.settings.lake) as lake:
        rows = lake.arrow(
            "SELECT a.declaration_id, a.version, a.entry, a.debit_cents, a.credit_cents, a.differences, f.kind, f.state"
            " FROM lake.computed.employer_account a JOIN lake.received.filing f USING (filing_id) ORDER BY ALL"
        ).to_pylist()
        left = stage.propose(lake, QUARTER)["proposal"].to_list()
    assert [tuple(row.values()) for row in rows] == [
        (1, 1, "original", 199_201, 0, 2, "DmfAOriginal", "accepted"),
        (1, 2, "system correction", 0, 369, -1, "SystemCorrection", "accepted"),
        (2, 1, "original", 198_701, 0, 1, "DmfAOriginal", "accepted"),
        (2, 2, "system correction", 0, reduction - 100, -1, "SystemCorrection", "accepted"),
    ]
    assert left == ["1/occupation_deduction/0"]


def test_nothing_is_applied_twice(done):
    with opened(done.settings) as lake:
        before = lake.snapshot_id()
        again = stage.correct(lake, QUARTER, done.settings, reliable=True)
        with pytest.raises(WrongUsage, match=r"1 of the proposals approved are none of 2026/3 any more"):
            stage.correct(lake, QUARTER, done.settings, reliable=False, names=stage.approved(done.file))
        assert lake.snapshot_id() == before
    assert (again.declarations, again.proposals["applied"].to_list()) == (0, [False])


def test_what_was_applied_is_kept_as_a_filing(done):
    with Lake.open(done.settings.lake) as lake:
        (kept,) = lake.arrow(
            "SELECT sha256, name, strftime(received_at, '%Y-%m-%d') AS day FROM lake.received.filing"
            " WHERE kind = 'SystemCorrection'"
        ).to_pylist()
        lines = received_bytes(lake.location, kept["sha256"]).splitlines()
    assert (kept["name"], kept["day"]) == ("system-corrections-2026-3.jsonl", "2026-11-22")
    assert [json.loads(line)["proposal"] for line in lines] == [
        "1/contribution_unrelated_to_np/0",
        "2/occupation_deduction/0",
    ]


def test_the_steps_of_the_filing_tell_how_many_declarations_it_corrected(done, capsys):
    with Lake.open(done.settings.lake) as lake:
        (kept,) = lake.arrow("SELECT ticket FROM lake.received.filing WHERE kind = 'SystemCorrection'").to_pylist()
    filings.run(done.settings, ticket=kept["ticket"], quarter=None, state=None, as_json=True)
    steps = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [step["what"] for step in steps] == [None, None, "declarations with a new version: 2"]


def test_each_employer_is_told_what_changed_and_what_it_does_to_the_account(done):
    reduction = Oracle(declared().tables()).structural[2, 0]
    told = {}
    for path in sorted((done.settings.out / "answers").iterdir()):
        root = etree.parse(path).getroot()
        amounts = [root.findtext(f".//{zone}") for zone in ("CreditAmount", "DmfANotAmount")]
        told[path.name] = (root.findtext(".//SubGroup"), root.findtext(".//NOSSRegistrationNbr"), *amounts)
    assert told == {
        "FO.BEWA.999999.20261122.00001.R.2.1": ("2", "100006", None, "-369"),
        "FO.BEWA.999999.20261122.00001.R.2.2": ("2", "200012", None, f"-{reduction - 100}"),
        "FO.DMNO.999999.20261122.00001.R.2.1": ("2", "100006", "369", None),
        "FO.DMNO.999999.20261122.00001.R.2.2": ("2", "200012", str(reduction - 100), None),
    }


@pytest.mark.parametrize(("setting", "calls"), [("off", []), ("propose", []), ("apply", [True])])
def test_a_run_applies_what_is_reliable_only_if_told(done, monkeypatch, setting, calls):
    called = []
    monkeypatch.setattr(stage, "correct", lambda *_, reliable: called.append(reliable))
    settle(QUARTER, Settings(**{**vars(done.settings), "system_corrections": setting}))
    assert called == calls


def test_the_verb_tells_what_became_of_them(done, capsys):
    stage.show(done.proposed)
    told = said(capsys)
    assert "3 proposals of 2026/3 = 0 applied in 0 declarations + 1 reliable, not applied + 2" in told
    assert "reliable: --apply applies them" in told
    assert "for approval: dmfa correct 2026/3 --json > FILE, take out the lines that are not approved" in told
    stage.show(done.applied)
    assert "3 proposals of 2026/3 = 2 applied in 2 declarations + 0 reliable, not applied + 1" in said(capsys)
    stage.show(stage.Corrected(QUARTER, done.proposed.proposals.clear()))
    assert said(capsys) == (
        "control: 0 proposals of 2026/3 = 0 applied in 0 declarations + 0 reliable, not applied + 0 for approval"
    )
    stage.show(done.proposed, as_json=True)
    assert len(capsys.readouterr().out.splitlines()) == 3


def said(capsys):
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("line", ["{", '{"code": "495"}', "495", "77101500172", "[1]"])
def test_a_list_that_names_no_proposal_is_refused(tmp_path, line):
    file = tmp_path / "list.jsonl"
    file.write_text(f"1/occupation_deduction/0\n{line}\n")
    with pytest.raises(WrongUsage, match=r"line 2: it names no proposal") as fault:
        stage.approved(file)
    assert "77101500172" not in str(fault.value)


def test_names_alone_are_a_list_too_and_a_list_must_be_there(tmp_path):
    file = tmp_path / "list"
    file.write_text("1/occupation_deduction/0\n\n 2/worker_contribution/7\n")
    assert stage.approved(file) == {"1/occupation_deduction/0", "2/worker_contribution/7"}
    with pytest.raises(NothingToRead, match="cannot be read"):
        stage.approved(tmp_path / "none")
