from datetime import date, datetime
from pathlib import Path

import pytest

from dmfa.errors import WrongUsage
from dmfa.extracts import EXTRACTS, authorised, load
from tests.unit.extracts.material import DAY, NARROW, register, row

SAMPLES = Path(__file__).parents[3] / "data" / "samples" / "authorisations.yaml"


def test_the_example_is_read_and_opens_every_extract():
    rows = load(SAMPLES)
    assert [made.id for made in rows][:5] == [
        "example-career",
        "example-employment",
        "example-pensions",
        "example-family",
        "example-study-2025",
    ]
    assert {made.deliberation for made in rows} == {"example"}
    assert {made.extract for made in rows} == {*EXTRACTS}
    assert authorised(SAMPLES, DAY)[:3] == [
        ("attestation", "example-career-fund"),
        ("attestation", "example-benefit-fund"),
        ("pensions", "example-pension-service"),
    ]
    asked = {made.extract for made in rows if made.directory is not None}
    assert asked - {"attestation"} == {name for name, extract in EXTRACTS.items() if extract.directory}
    assert ("attestation", "example-family-fund") in authorised(SAMPLES, DAY, inscribed=[("999", "005")])
    assert authorised(SAMPLES, date(2025, 6, 30)) == [
        ("attestation", "example-career-fund"),
        ("pensions", "example-pension-service"),
        ("attestation", "example-study"),
    ]


def test_zones_stand_in_the_order_of_the_schema(tmp_path):
    blocks = {**NARROW, "Remun": ["RemunAmount", "RemunCode"]}
    (made,) = load(register(tmp_path, row(blocks=blocks)))
    assert made.blocks["Remun"] == ("RemunCode", "RemunAmount")
    assert made.columns["occupation"] == ("occupation_starting_date", "joint_commission_nbr", "local_unit_id")


def test_an_empty_file_opens_nothing(tmp_path):
    file = tmp_path / "none.yaml"
    file.write_text("# nobody yet\n")
    assert load(file) == []


def test_sector_and_institution_have_three_digits(tmp_path):
    (made,) = load(
        register(tmp_path, row(recipient={"name": "fund", "title": "F", "sector": "31", "institution": "0"}))
    )
    assert (made.recipient.sector, made.recipient.institution) == ("031", "000")


def test_a_recipient_outside_the_network_has_an_enterprise_number(tmp_path):
    (made,) = load(register(tmp_path, row(recipient={"name": "fund", "title": "F", "cbe_number": "0449888671"})))
    assert made.recipient.cbe_number == "0449888671"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"zones": ["INSS"]}, "unknown key zones"),
        ({"purpose": None}, "purpose is missing or not a text"),
        ({"id": "Upper"}, "id is not written as it must be"),
        ({"recipient": {"name": "../up", "title": "F", "sector": "1", "institution": "1"}}, "recipient: name is not"),
        ({"recipient": {"name": "fund", "title": "F", "sector": 31, "institution": "0"}}, "sector is missing or not"),
        ({"recipient": {"name": "fund", "title": "F", "sector": "1", "institution": "1", "x": 1}}, "unknown key x"),
        ({"recipient": {"name": "fund", "title": "F", "cbe_number": "0449888672"}}, "wrong check digits"),
        ({"recipient": "fund"}, "recipient: is not a list"),
        ({"deliberation": "2013-084"}, "deliberation is not written"),
        ({"valid_from": None}, "valid_from is not a day"),
        ({"valid_from": "2026-01-01"}, "valid_from is not a day"),
        ({"valid_from": datetime(2026, 1, 1, 8)}, "valid_from is not a day"),
        ({"valid_to": date(2025, 1, 1)}, "valid_to lies before valid_from"),
        ({"mode": "all"}, "mode all is not one of raw"),
        ({"format": "parquet"}, "format is not a list"),
        ({"format": ["csv"]}, "format is not a list"),
        ({"frequency": "daily"}, "frequency daily is not one of"),
        ({"retention": "for ever"}, "retention is not written"),
        ({"blocks": None}, "blocks is missing"),
        ({"blocks": {**NARROW, "Wages": []}}, "there is no block Wages"),
        ({"blocks": {**NARROW, "Remun": ["Amount"]}}, "Remun has no zone Amount"),
        ({"blocks": {**NARROW, "Remun": "RemunCode"}}, "the zones of Remun are not a list"),
        ({"blocks": {"EmployerDeclaration": [], "NaturalPerson": [], "Remun": []}}, "lists Remun but not the blocks"),
        ({"population": "some"}, "population is neither"),
        ({"population": None}, "population is neither"),
        ({"population": {"Occupation": ["1"]}}, "there is no zone Occupation"),
        ({"population": {"WorkerRecord.WorkerCode": [15]}}, "are not a list of texts"),
        ({"population": {"Occupation.ContractType": ["full"]}}, "cannot have such a value"),
        ({"population": {"NaturalPerson.INSS": ["77101500172"]}}, "population names persons"),
    ],
)
def test_a_slip_in_a_row_is_told_with_file_row_and_line(tmp_path, changes, said):
    file = register(tmp_path, row(id="first"), row(**changes))
    with pytest.raises(WrongUsage) as error:
        load(file)
    line = file.read_text().splitlines().index(f"- id: {changes.get('id', 'all-of-it')}") + 1
    assert said in error.value.what
    assert error.value.what.startswith(f"{file}, row 2 (line {line})")
    assert "77101500172" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- id: a\n  extract: [b\n", "line 3: "),
        ("- id: a\n  id: b\n", "line 2: a key stands twice"),
        ("- id: a\n  valid_from: 2026-13-01\n", "a value is not what it seems"),
        ("- id: !!python/object:os.system a\n", "line 1: "),
        ("rows: []\n", "is not a list of authorisations"),
        ("a text", "is not a list of authorisations"),
        ("- a\n", "row 1 (line 1): is not a list of `key: value`"),
    ],
)
def test_broken_yaml_is_told_with_its_line(tmp_path, text, said):
    file = tmp_path / "broken.yaml"
    file.write_text(text)
    with pytest.raises(WrongUsage) as error:
        load(file)
    assert said in error.value.what
    assert error.value.exit_code == 2


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(WrongUsage, match="cannot be read: no such file"):
        load(tmp_path / "none.yaml")


def test_a_file_that_is_not_text(tmp_path):
    file = tmp_path / "binary.yaml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(WrongUsage, match="not text in UTF-8"):
        load(file)


def test_a_control_character_is_no_yaml(tmp_path):
    file = tmp_path / "control.yaml"
    file.write_bytes(b"- id: \x07\n")
    with pytest.raises(WrongUsage, match="not text in UTF-8"):
        load(file)


@pytest.mark.parametrize("second", [{}, {"id": "other"}], ids=["same id", "same recipient at the same time"])
def test_two_rows_that_say_the_same(tmp_path, second):
    with pytest.raises(WrongUsage, match="says again what row all-of-it says"):
        load(register(tmp_path, row(), row(**second)))


def test_a_renewal_follows_on_the_row_before(tmp_path):
    renewal = row(id="renewed", valid_from=date(2027, 1, 1), valid_to=None)
    assert len(load(register(tmp_path, row(), renewal))) == 2
