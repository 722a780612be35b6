"""Each fault is what its name says, and nothing else."""

from __future__ import annotations

import pytest
from lxml import etree

from dmfa.quarter import Quarter
from dmfa.schema import home
from dmfa.synth import FAULTS, Figures, Filing, Law, Tally, apply, document, employer, prepare
from dmfa.synth.declaration import Declaration
from dmfa.synth.truth import amounts

QUARTER = Quarter(2026, 3)
LAW = Law(Figures.of(QUARTER))


def declaration(index: int = 3, trade: str = "building", size: int = 12) -> Declaration:
    return prepare(1, employer(1, index, trade=trade, exact_size=size), QUARTER, LAW, size)


def faulty(name: str) -> Filing:
    trade = {"user_check_digits": "agency", "substitute_check_digits": "general"}.get(name, "building")
    for index in range(3, 90):
        filing = apply(name, declaration(index, trade), "x.xml")
        if filing:
            return filing
    raise AssertionError(f"no declaration can have the fault {name}")


def elements(content: bytes, name: str) -> list[str]:
    return [item.text or "" for item in etree.fromstring(content).iter(name)]


def owed(content: bytes) -> int:
    root = etree.fromstring(content)
    names = ("ContributionAmount", "StudentContributionAmount", "UnrelatedAmount")
    total = sum(int(item.text or 0) for name in names for item in root.iter(name))
    return total - sum(int(item.text or 0) for item in root.iter("DeductionAmount"))


def wrong_insz(text: str) -> bool:
    return int(text[9:]) not in {97 - int(nine) % 97 for nine in (text[:9], "2" + text[:9])}


def wrong_mod_97(text: str) -> bool:
    return int(text) % 100 != 97 - int(text) // 100 % 97


SIGNS = {
    "double_insz": lambda c: len(set(elements(c, "INSS"))) == len(elements(c, "INSS")) - 1,
    "net_wrong": lambda c: int(elements(c, "NetOwedAmount")[0]) == owed(c) + 100,
    "insz_check_digits": lambda c: sum(map(wrong_insz, elements(c, "INSS"))) == 1,
    "noss_check_digits": lambda c: int(elements(c, "NOSSRegistrationNbr")[0]) % 97 != 96,
    "enterprise_check_digits": lambda c: wrong_mod_97(elements(c, "CompanyID")[0]),
    "local_unit_check_digits": lambda c: sum(map(wrong_mod_97, elements(c, "LocalUnitID"))) == 1,
    "quarter_not_ended": lambda c: elements(c, "Quarter") == ["20264"],
    "quarter_too_old": lambda c: elements(c, "Quarter") == ["20214"],
    "user_check_digits": lambda c: sum(map(wrong_mod_97, elements(c, "UsingEmployerCompanyID"))) == 1,
    "substitute_check_digits": lambda c: sum(map(wrong_insz, elements(c, "SubstituteINSS"))) == 1,
    "missing_zone": lambda c: len(elements(c, "Border")) < len(elements(c, "WorkerCode")),
    "too_often": lambda c: len(elements(c, "Border")) > len(elements(c, "WorkerCode")),
    "not_numeric": lambda c: not all(text.isdigit() for text in elements(c, "RemunAmount")),
    "pattern": lambda c: "10" in elements(c, "JointCommissionNbr"),
    "enumeration": lambda c: elements(c, "TypeForm") != ["SU"],
    "too_long": lambda c: any(len(text) > 20 for text in elements(c, "ReferenceNbr")),
    "unknown_zone": lambda c: elements(c, "Bonus") == ["1"],
    "text_in_block": lambda c: b"paid in cash<INSS>" in c,
    "entity_bomb": lambda c: b"<!ENTITY" in c and b"&c;" in c,
    "wrong_encoding": lambda c: b"\xe9t\xe9" in c and b'encoding="UTF-8"' in c,
    "unknown_encoding": lambda c: b'encoding="DMFA-8"' in c,
    "tags_crossed": lambda c: c.count(b"</Border>") < c.count(b"<Border>"),
    "two_documents": lambda c: c.count(b"</DmfAOriginal>") == 2,
    "empty": lambda c: c == b"",
    "not_xml": lambda c: b"<" not in c,
    "other_xml": lambda c: etree.fromstring(c).tag == "Invoice",
    "doctype": lambda c: b"<!DOCTYPE" in c,
    "facet": lambda c: "800" in elements(c, "WorkingDaysSystem"),
    "order": lambda c: c.index(b"<WorkerCode>") < c.index(b"<EmployerClass>"),
    "truncated": lambda c: not c.rstrip().endswith(b"</DmfAOriginal>"),
}


@pytest.mark.parametrize("name", sorted(SIGNS))
def test_the_fault_is_there(name: str) -> None:
    assert SIGNS[name](faulty(name).content)


def test_a_good_filing_has_none_of_them() -> None:
    made = declaration()
    content = document([made])
    no_sign = {"other_xml"}
    assert [name for name in SIGNS if name not in no_sign and SIGNS[name](content)] == []
    assert etree.fromstring(content).tag == "DmfAOriginal"


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_well_formedness_and_validity_are_as_expected(name: str) -> None:
    filing = faulty(name)
    schema = etree.XMLSchema(file=str(home() / "DmfAOriginal_20231.xsd"))
    expected = filing.expected
    assert expected.fault == name
    if not expected.well_formed:
        if name in {"doctype", "entity_bomb"}:
            assert etree.fromstring(filing.content).getroottree().docinfo.doctype
        else:
            with pytest.raises(etree.XMLSyntaxError):
                etree.fromstring(filing.content)
    elif expected.schema_valid is not None:
        assert schema.validate(etree.fromstring(filing.content)) is expected.schema_valid


@pytest.mark.parametrize(
    ("name", "outcome", "kind", "code", "apart"),
    [
        ("contribution_differs", "differs", "contribution", "015", 1_234),
        ("reduction_cent_off", "rounding", "deduction", "3000", 1),
        ("reduction_missing", "missing", "deduction", "3000", None),
        ("reduction_superfluous", "superfluous", "deduction", "3000", 500),
        ("rate_unknown", "not computable", "contribution", "820", None),
    ],
)
def test_wrong_amounts_are_accepted_and_told(name: str, outcome: str, kind: str, code: str, apart: int | None) -> None:
    filing = faulty(name)
    assert filing.expected.verdict == "accepted"
    assert int(elements(filing.content, "NetOwedAmount")[0]) == owed(filing.content)
    # Columns of the amounts table from `kind` on, which is the seventh without file and form.
    rows = [row[6:] for row in amounts(filing.declarations[0])]
    odd = [row for row in rows if row[6 + 1] not in ("equal",) and row[1] != "862"]
    assert [(row[0], row[1], row[7]) for row in odd] == [(kind, code, outcome)]
    declared, lawful = odd[0][4], odd[0][5]
    if apart is not None:
        assert declared - lawful == apart
    elif name == "reduction_missing":
        assert declared is None
        assert lawful > 0
    else:
        assert declared == 12_345
        assert lawful is None


def test_a_fault_that_cannot_be_is_none() -> None:
    single = declaration(size=1)
    assert apply("double_insz", single, "x.xml") is None


def test_a_missing_reduction_is_not_counted_as_a_row() -> None:
    filing = faulty("reduction_missing")
    assert filing.tallies[0].rows["occupation_deduction"] == len(elements(filing.content, "DeductionAmount")) - len(
        [line for person in filing.declarations[0].persons for line in person.lines if line.deductions]
    )


def test_styles_mean_the_same() -> None:
    made = declaration()
    meanings = []
    for style in (0, 1, 2):
        content = document([made], [Tally()], style)
        flat = [(item.tag, (item.text or "").strip().lstrip("0")) for item in etree.fromstring(content).iter()]
        meanings.append([pair for pair in flat if pair[1]])
    assert meanings[0] == meanings[1] == meanings[2]
    assert b"\n\t" not in document([made], style=0)
