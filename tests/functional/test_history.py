"""What happened to declarations, told by `dmfa history` and `dmfa person`; and numbers that are replaced."""

from __future__ import annotations

import io
import json
import re
import shutil
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from dmfa.errors import WrongUsage
from dmfa.identifiers import insz_text
from dmfa.lake import Lake
from dmfa.quarter import Quarter
from dmfa.synth import Options, make_quarter
from flows.settings import Settings
from flows.stages import history, ingest, person, replacements
from flows.stages.history import Form
from tests.conftest import TODAY
from tests.correcting import CHANGE, DELETE, Correction, zone
from tests.unit.answers.probing import parsed

QUARTER = Quarter(2026, 3)
WHY = "counted <b>anew</b>"
NEW_PERSON, STRANGER, NOBODY, NEW_EMPLOYER = 77101500172, 5123112338, 10100105, 100006


@dataclass(frozen=True)
class Declared:
    """A lake with one declaration of three persons, corrected twice, and two corrections that were refused."""

    folder: Path
    employer: int
    persons: list[int]
    pay: int

    @property
    def settings(self) -> Settings:
        lake = str(self.folder / "lake")
        day = date.fromisoformat(TODAY)
        return Settings(lake=lake, out=self.folder / "out", received_on=day, received_on_given=True, workers=1)

    def rows(self, sql: str) -> list[dict[str, Any]]:
        with Lake.open(self.settings.lake) as lake:
            return lake.arrow(sql).to_pylist()


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> Declared:
    folder = tmp_path_factory.mktemp("history")
    make_quarter(QUARTER, 1, 5, folder / "inbox", Options(workers=3))
    (path,) = (folder / "inbox").glob("*.xml")
    original = path.read_bytes()
    corrections = (
        Correction(original, justification=WHY).line(0, 0, CHANGE, zone("RemunAmount", 321_000)),
        Correction(original).line(1, 0, DELETE),
        Correction(original, reference="2").line(0, 0, CHANGE, zone("RemunAmount", 1)),
    )
    sent = [correction.data() for correction in corrections]
    sent.append(re.sub(rb"(<EmployerDeclarationPID>)\d+", rb"\g<1>12345678", sent[0]))
    for number, data in enumerate(sent, 1):
        (folder / "inbox" / f"FI.DMFA.700001.20261122.0000{number}.R.1.1").write_bytes(data)
    declaration = corrections[0].declared
    made = Declared(
        folder,
        int(declaration.findtext("NOSSRegistrationNbr")),
        [int(one.findtext("INSS")) for one in declaration.iter("NaturalPerson")],
        int(declaration.find(".//RemunAmount").text),
    )
    ingest.run([folder / "inbox"], made.settings)
    return made


_TOLD: dict[tuple[Any, ...], str] = {}


def told(declared: Declared, form: Form = "json", **whose: int) -> str:
    """What the verb prints, asked once."""
    key = (declared.folder, form, *whose.items())
    if key not in _TOLD:
        with redirect_stdout(io.StringIO()) as printed:
            assert history.run(QUARTER, declared.settings, form=form, **whose) == 0
        _TOLD[key] = printed.getvalue()
    return _TOLD[key]


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def deepest(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The blocks that changed themselves."""
    return [one for node in nodes for one in ([node] if node["action"] != "kept" else []) + deepest(node["blocks"])]


def test_an_employer_is_told_each_version_and_what_was_refused(declared: Declared) -> None:
    found = events(told(declared, employer=declared.employer))
    assert [(one["version"], one["state"], one["by"]) for one in found] == [
        (1, "applied", "a sender whose number is not in the name of the file"),
        (2, "applied", "sender 700001"),
        (3, "applied", "sender 700001"),
        (None, "refused", "sender 700001"),
        (None, "refused", "sender 700001"),
    ]
    first, second, third, refused, astray = found
    assert first["holds"] == {"persons": 3, "lines": 3}
    assert (second["why"], third["why"]) == (WHY, None)
    (remun,) = deepest(second["changes"])
    assert (remun["block"], remun["action"]) == ("Remun", "changed")
    (amount,) = remun["zones"]
    assert (amount["zone"], amount["before"], amount["after"]) == ("RemunAmount", declared.pay, 321_000)
    gone = deepest(third["changes"])
    assert {one["action"] for one in gone} == {"removed"}
    assert [one["block"] for one in gone[:2]] == ["NaturalPerson", "WorkerRecord"]
    assert refused["codes"] == "00610-180 00620-180"
    assert astray["codes"] == "00534-182"


def test_each_version_tells_its_entry_in_the_account(declared: Declared) -> None:
    ledger = declared.rows("SELECT * FROM lake.computed.employer_account ORDER BY version")
    found = [one["amounts"] for one in events(told(declared, employer=declared.employer))[:3]]
    assert [one["entry"] for one in found] == ["original", "correction", "correction"]
    assert found == [{name: row[name] for name in found[0]} for row in ledger]
    # The pay alone was corrected, then a person left: what that one owed is no longer due.
    assert (found[1]["debit_cents"], found[1]["credit_cents"]) == (0, 0)
    assert found[2]["credit_cents"] > 0


def test_a_person_is_told_of_their_own_versions_alone(declared: Declared) -> None:
    own = events(told(declared, inss=declared.persons[0]))
    assert [(one["version"], one["person"]) for one in own] == [(1, 0), (2, 0)]
    other = events(told(declared, inss=declared.persons[1]))
    assert [one["version"] for one in other] == [1, 3]


def test_the_status_told_is_that_of_whom_it_is_told_of(declared: Declared) -> None:
    """A declaration that loses a person has changed; the person is cancelled in it."""
    assert [one.get("status") for one in events(told(declared, employer=declared.employer))[:3]] == [
        "new",
        "changed",
        "changed",
    ]
    of_person = told(declared, "text", inss=declared.persons[1])
    assert re.findall(r"^employer .*: (version \d, \w+);", of_person, re.MULTILINE) == [
        "version 1, new",
        "version 3, cancelled",
    ]
    assert events(told(declared, inss=declared.persons[1]))[1]["status"] == "cancelled"


@pytest.mark.parametrize("form", ["text", "json", "html"])
def test_no_number_of_a_person_is_told(declared: Declared, form: Form) -> None:
    text = told(declared, form, employer=declared.employer)
    for number in declared.persons:
        assert insz_text(number).lstrip("0") not in text


def test_the_page_is_whole_and_escaped(declared: Declared) -> None:
    page = told(declared, "html", employer=declared.employer)
    assert page.startswith("<!DOCTYPE html>") and page.rstrip().endswith("</html>")
    assert "&lt;b&gt;anew" in page and WHY not in page
    assert "http" not in page.replace("http-equiv", "")
    assert page.count("<section>") == 5


def test_lines_name_what_changed(declared: Declared) -> None:
    text = told(declared, "text", employer=declared.employer)
    assert f"RemunAmount (00070): {declared.pay / 100:,.2f} € -> 3,210.00 €" in text
    assert f"why: {WHY}" in text
    assert "refused for 00610-180 00620-180" in text


@pytest.mark.parametrize(
    ("whose", "said"),
    [
        ({}, "history needs a person or an employer"),
        ({"employer": 1}, "the employer never declared in 2026/3"),
        ({"inss": STRANGER}, "the person was never declared in 2026/3"),
        ({"inss": STRANGER, "employer": 1}, "the person was never declared by this employer in 2026/3"),
    ],
)
def test_who_was_never_declared_has_no_history(declared: Declared, whose: dict[str, int], said: str) -> None:
    with pytest.raises(WrongUsage, match=f"^{said}") as error:
        history.run(QUARTER, declared.settings, **whose)
    assert str(STRANGER) not in str(error.value)


@pytest.fixture(scope="module")
def replaced(declared: Declared, tmp_path_factory: pytest.TempPathFactory) -> tuple[Declared, replacements.Imported]:
    """The same lake, with other numbers for the employer and a person."""
    folder = tmp_path_factory.mktemp("replaced")
    shutil.copytree(declared.folder / "lake", folder / "lake")
    lines = [
        "kind,old,new,effective,reason",
        f"inss,{insz_text(declared.persons[0])},{insz_text(NEW_PERSON)},2026-10-01,90",
        f"inss,{insz_text(STRANGER)},{insz_text(NOBODY)},2026-10-01,91",
        f"noss,{declared.employer},{NEW_EMPLOYER},2026-11-01,92",
    ]
    (folder / "numbers.csv").write_text("\n".join(lines), encoding="utf-8")
    other = Declared(folder, declared.employer, declared.persons, declared.pay)
    return other, replacements.run(folder / "numbers.csv", other.settings)


def test_replaced_numbers_are_a_new_version(
    replaced: tuple[Declared, replacements.Imported], capsys: pytest.CaptureFixture[str]
) -> None:
    lake, found = replaced
    assert (found.read, found.changed, found.declarations, found.messages) == (3, True, 1, 2)
    replacements.show(found, lake.settings)
    out = capsys.readouterr().out
    assert "1 not replaced: no declaration in force has the number" in out
    for number in (*lake.persons, NEW_PERSON, STRANGER, NOBODY):
        assert insz_text(number).lstrip("0") not in out
    rows = lake.rows("SELECT version, inss FROM lake.authentic.natural_person WHERE natural_person_ordinal = 0")
    assert rows == [{"version": 4, "inss": NEW_PERSON}]
    rows = lake.rows("SELECT DISTINCT noss_registration_nbr AS n FROM lake.computed.difference")
    assert rows == [{"n": NEW_EMPLOYER}]
    entries = lake.rows(
        "SELECT entry, debit_cents, credit_cents FROM lake.computed.employer_account ORDER BY version DESC LIMIT 1"
    )
    assert entries == [{"entry": "replacement", "debit_cents": 0, "credit_cents": 0}]


def test_each_employer_is_told_of_the_numbers(replaced: tuple[Declared, replacements.Imported]) -> None:
    lake, _ = replaced
    files = sorted((lake.settings.out / "answers").iterdir())
    assert [file.name.split(".", 4)[1] for file in files] == ["IDFL", "IDFL"]
    # The five filings have the first sequences of the day.
    assert [file.name.rsplit(".", 4)[1:] for file in files] == [["00006", "R", "2", "1"], ["00006", "R", "2", "2"]]
    first, second = (parsed(file.read_text(encoding="utf-8")) for file in files)
    assert first.findtext(".//ValidSituation/INSS") == insz_text(NEW_PERSON)
    assert first.findtext(".//OutdatedSituation/INSS") == insz_text(lake.persons[0])
    assert first.findtext(".//EmployerId/NOSSRegistrationNbr") == str(NEW_EMPLOYER)
    assert second.findtext(".//OutdatedSituation/NOSSRegistrationNbr") == str(lake.employer)
    assert second.findtext(".//JustificationCode") == "92"


def test_the_same_file_again_changes_nothing(replaced: tuple[Declared, replacements.Imported]) -> None:
    lake, _ = replaced
    with Lake.open(lake.settings.lake) as opened:
        before = opened.snapshot_id()
    (gone, *_) = (lake.settings.out / "answers").iterdir()
    content = gone.read_bytes()
    gone.unlink()
    again = replacements.run(lake.folder / "numbers.csv", lake.settings)
    assert (again.read, again.changed) == (3, False)
    assert gone.read_bytes() == content
    with Lake.open(lake.settings.lake) as opened:
        assert opened.snapshot_id() == before


def test_a_history_is_found_by_any_number(replaced: tuple[Declared, replacements.Imported]) -> None:
    lake, _ = replaced
    found = told(lake, inss=NEW_PERSON, employer=lake.employer)
    assert found == told(lake, inss=lake.persons[0], employer=NEW_EMPLOYER)
    *_, last = events(found)
    assert (last["version"], last["by"]) == (4, "the NSSO, which replaced a number")
    assert last["amounts"]["entry"] == "replacement"


def test_a_version_that_changed_the_declaration_around_a_person_is_told_as_that(
    replaced: tuple[Declared, replacements.Imported],
) -> None:
    """The employer's number was replaced: the person's own block stays as it is."""
    lake, _ = replaced
    last = told(lake, "text", inss=lake.persons[2]).split("\nemployer ")[-1]
    assert last.startswith(f"{NEW_EMPLOYER}, person 3: version 4, the declaration around it changed;"), last
    *_, event = events(told(lake, inss=lake.persons[2]))
    assert (event["version"], event["status"]) == (4, None)


def test_a_person_is_told_every_version_under_every_number(
    replaced: tuple[Declared, replacements.Imported], capsys: pytest.CaptureFixture[str]
) -> None:
    lake, _ = replaced
    assert person.run(NEW_PERSON, lake.settings, as_json=True) == 0
    (one,) = json.loads(capsys.readouterr().out)["attestations"]
    versions = {version["version"]: version for version in one["versions"]}
    assert {number: version["in_force"] for number, version in versions.items()} == {1: False, 2: False, 4: True}
    assert len({version["ticket"] for version in versions.values()}) == 3

    def values(version: int, label: str) -> list[Any]:
        waiting, found = [versions[version]["blocks"]], []
        while waiting:
            node = waiting.pop(0)
            found += [zone["value"] for zone in node["zones"] if zone["zone"] == label]
            waiting += node["blocks"]
        return found

    assert [values(version, "INSS") for version in (1, 4)] == [
        [insz_text(lake.persons[0])],
        [insz_text(NEW_PERSON)],
    ]
    assert [values(version, "RemunAmount")[0] for version in (1, 2, 4)] == [lake.pay, 321_000, 321_000]
    assert values(4, "NOSSRegistrationNbr") == [f"{NEW_EMPLOYER:09d}"]
