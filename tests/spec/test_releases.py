"""Each rule of each release by a pair: what keeps it is accepted, what breaks it is refused, by two engines.

The rules come from the facts (tools/xsd/facts), not from the XSDs; libxml2 judges whole filings, xmlschema the blocks.
"""

from __future__ import annotations

import re
from copy import deepcopy
from datetime import date, timedelta

import pytest
from lxml import etree

from dmfa.reading.validator import judge
from tests.making import XSD, Maker, to_bytes
from tests.spec.releases import RELEASES, branches, built, children, every_branch, facts, opinions, value, whole

YES, NO = [True, True], [False, False]
DIFFERENT = ("20221", "20222", "20231")
"""The releases that differ in a rule: that 2022/3 and 2022/4 say what 2022/2 says is a test of its own."""

ONLY_LIBXML2 = {("WorkerRecord", "4", "EarlyRetirementContribution", 3)}
"""What xmlschema lets pass against the standard: one more than may be of a block that is a branch by itself."""

NOT_ALONE = {("EmployerDeclaration", "1", "NaturalPerson", "without")}
"""Without its persons the first branch is the second."""


@pytest.mark.parametrize("release", DIFFERENT)
def test_one_of_each_child_in_order_is_accepted(release: str) -> None:
    """Every block, in every branch of the choices of EmployerDeclaration, WorkerRecord and StudentContribution."""
    wrong = [one for one in every_branch(release) if opinions(release, built(release, *one)) != YES]
    assert wrong == []
    assert len(list(every_branch(release))) == (29 if release < "20231" else 32) + 1 + 5 + 1


@pytest.mark.parametrize("release", DIFFERENT)
def test_order(release: str) -> None:
    """Two neighbours that change places are refused, wherever both may stand."""
    wrong = []
    for block, branch in every_branch(release):
        good = built(release, block, branch)
        for position in range(len(good) - 1):
            bad = deepcopy(good)
            bad.insert(position, bad[position + 1])
            if opinions(release, bad) != NO:
                wrong.append((block, branch, good[position].tag))
    assert wrong == []


@pytest.mark.parametrize("release", DIFFERENT)
def test_cardinality(release: str) -> None:
    """A child that must be there and is not is refused; so is one more than may be; one less than most is accepted."""
    wrong = set()
    for block, branch in every_branch(release):
        good = built(release, block, branch)
        for row in children(release, block):
            if row["branch"] not in {"", branch} or row["max"] == "0":
                continue
            without = deepcopy(good)
            without.remove(without.find(row["child"]))
            if opinions(release, without) != (YES if row["min"] == "0" else NO):
                wrong.add((block, branch, row["child"], "without"))
            most = 3 if row["max"] == "unbounded" else int(row["max"])
            several = deepcopy(good)
            for _ in range(most - 1):
                several.find(row["child"]).addnext(deepcopy(good.find(row["child"])))
            if opinions(release, several) != YES:
                wrong.add((block, branch, row["child"], most))
            several.find(row["child"]).addnext(deepcopy(good.find(row["child"])))
            if row["max"] != "unbounded" and opinions(release, several) != NO:
                wrong.add((block, branch, row["child"], most + 1))
                assert opinions(release, several)[0] is False
    assert wrong == ONLY_LIBXML2 | NOT_ALONE


@pytest.mark.parametrize("release", DIFFERENT)
def test_forbidden_zones(release: str) -> None:
    """A zone that the schema names but allows nowhere is refused there, at its own place."""
    wrong, seen = [], 0
    for row in facts("blocks.csv", release):
        if row["max"] != "0":
            continue
        seen += 1
        names = [other["child"] for other in children(release, row["block"])]
        bad = built(release, row["block"], "")
        before = [child for child in bad if names.index(child.tag) < names.index(row["child"])]
        zone = etree.Element(row["child"])
        zone.text = value(release, row["child"])
        bad.insert(len(before), zone)
        if opinions(release, bad) != NO:
            wrong.append((row["block"], row["child"]))
    assert wrong == []
    assert seen == {"20221": 15, "20231": 17}.get(release, 16)


@pytest.mark.parametrize(
    ("block", "mixed"),
    [
        ("WorkerRecord", ("Occupation", "StudentContribution")),
        ("WorkerRecord", ("Occupation", "EarlyRetirementContribution")),
        ("WorkerRecord", ("StudentContribution", "IndemnityWAPM")),
        ("WorkerRecord", ("DismissedStatutoryWorkerContribution", "WorkerDeduction")),
        ("StudentContribution", ("StudentNbrDays", "StudentHoursNbr")),
    ],
)
@pytest.mark.parametrize("release", RELEASES)
def test_one_branch_of_a_choice_alone(release: str, block: str, mixed: tuple[str, str]) -> None:
    first = next(row["branch"] for row in children(release, block) if row["child"] == mixed[0])
    other = next(row["branch"] for row in children(release, block) if row["child"] == mixed[1])
    good = built(release, block, first)
    bad = deepcopy(good)
    bad.find(mixed[0]).addnext(deepcopy(built(release, block, other).find(mixed[1])))
    assert (opinions(release, good), opinions(release, bad)) == (YES, NO)


@pytest.mark.parametrize("release", RELEASES)
def test_a_declaration_without_persons_needs_a_contribution_of_its_own(release: str) -> None:
    good = built(release, "EmployerDeclaration", "2")
    assert good.find("NaturalPerson") is None
    bad = deepcopy(good)
    bad.remove(bad.find("ContributionUnrelatedToNP"))
    assert (opinions(release, good), opinions(release, bad)) == (YES, NO)


def _next(bound: str, step: int) -> str:
    return str(date.fromisoformat(bound) + timedelta(step)) if "-" in bound else str(int(bound) + step)


def pairs(row: dict[str, str]) -> list[tuple[str, str, bool]]:
    """Kind of facet, a value at its border and whether it is accepted, of one zone."""
    found: list[tuple[str, str, bool]] = []
    listed = row["enumeration"].split("|") if row["enumeration"] else []
    found += [("enumeration", one, True) for one in listed]
    if listed:
        found.append(("enumeration", next(one for one in (*"98765432", "99") if one not in listed), False))
    if row["pattern"]:
        found.append(("pattern", "~", False))
    bounded = not listed and not row["pattern"]
    for fact, step in (("min_inclusive", -1), ("max_inclusive", 1)):
        if row[fact]:
            found += [(fact, row[fact], True)] if bounded else []
            found.append((fact, _next(row[fact], step), False))
    if row["total_digits"]:
        found.append(("total_digits", "1" + "0" * int(row["total_digits"]), False))
    if row["base"] == "xs:string" and bounded:
        for fact, step in (("length", 1), ("length", -1), ("max_length", 1), ("min_length", -1)):
            if row[fact] and int(row[fact]) + step >= 0:
                found += [(fact, "x" * int(row[fact]), True), (fact, "x" * (int(row[fact]) + step), False)]
    if row["base"] == "xs:integer":
        found += [("base", "1.5", False), ("base", "x", False), ("base", "", False)]
    if row["base"] == "xs:date":
        found += [("base", "2022-02-28", True), ("base", "2022-02-30", False), ("base", "28/02/2022", False)]
    return found


@pytest.mark.parametrize("release", DIFFERENT)
def test_each_kind_of_facet_of_every_zone(release: str) -> None:
    wrong = []
    kinds = set()
    homes = {row["child"]: row["block"] for row in facts("blocks.csv", release) if row["max"] != "0"}
    for row in facts("zones.csv", release):
        if row["zone"] not in homes:
            continue
        block = homes[row["zone"]]
        branch = next(one["branch"] for one in children(release, block) if one["child"] == row["zone"])
        good = built(release, block, branch or branches(release, block)[0])
        for kind, text, accepted in pairs(row):
            kinds.add((kind, accepted))
            one = deepcopy(good)
            one.find(row["zone"]).text = text
            if opinions(release, one) != [accepted, accepted]:
                wrong.append((row["zone"], kind, text))
    assert wrong == []
    # A value that keeps its pattern and its digits is what every block was built with.
    pair = {"base", "enumeration", "min_inclusive", "max_inclusive", "min_length", "max_length"}
    assert kinds == {(kind, accepted) for kind in pair for accepted in (True, False)} | {
        ("pattern", False),
        ("total_digits", False),
    }


def downgraded(element: etree._Element) -> etree._Element:
    """A block without what came with 2023/1 or left with 2022/2, so that one difference at a time can be put in."""
    later = {"UsingEmployer", "EmployerCompensation", "EmployabilityMeasure", "ActivationPercentageStatus"}
    for one in [one for one in element.iter() if one.tag in later | {"DefinitiveNominationDate"}]:
        one.getparent().remove(one)
    for name, text in (("SupplPensionContributionExemption", "1"), ("TenthOrTwelfth", "10")):
        for zone in element.iter(name):
            zone.text = text
    return element


@pytest.mark.parametrize(
    ("zone", "text", "since", "until"),
    [
        ("TenthOrTwelfth", "12", "20221", "20231"),
        ("TenthOrTwelfth", "20", "20222", "20231"),
        ("DefinitiveNominationDate", "2022-01-01", "20221", "20221"),
        ("EmployabilityMeasure", "1", "20231", "20231"),
        ("ActivationPercentageStatus", "1", "20231", "20231"),
        ("SupplPensionContributionExemption", "1", "20221", "20231"),
        ("SupplPensionContributionExemption", "2", "20231", "20231"),
    ],
)
@pytest.mark.parametrize("release", RELEASES)
def test_zones_that_differ_between_releases(release: str, zone: str, text: str, since: str, until: str) -> None:
    """One block judged by each release: it differs from what all accept in this zone alone."""
    home = next(row["block"] for row in facts("blocks.csv", since) if row["child"] == zone and row["max"] != "0")
    element = downgraded(built("20231", home, branches("20231", home)[0]))
    assert opinions(release, element) == YES
    names = [row["child"] for row in children(since, home)]
    if element.find(zone) is None:
        before = sum(names.index(child.tag) < names.index(zone) for child in element)
        element.insert(before, etree.Element(zone))
    element.find(zone).text = text
    expected = since <= release <= until
    assert opinions(release, element) == [expected, expected]


@pytest.mark.parametrize("block", ["EmployerCompensation", "UsingEmployer"])
@pytest.mark.parametrize("release", RELEASES)
def test_blocks_that_came_with_2023_1(release: str, block: str) -> None:
    """A filing with the block, valid but for it, is refused by every release before; its answer names that release."""
    filing = whole("20231", built("20231", block, ""))
    kept = deepcopy(filing.find(f".//{block}"))
    parent, position = (
        filing.find(f".//{block}/.."),
        list(filing.find(f".//{block}/..")).index(filing.find(f".//{block}")),
    )
    downgraded(filing)
    parent.insert(position, kept)
    filing.find("Form/EmployerDeclaration/Quarter").text = release
    judged = judge(to_bytes(filing))
    assert judged.release is not None
    assert judged.release.name == f"DmfAOriginal_{release}.xsd"
    assert judged.schema_valid is (release == "20231")
    without = deepcopy(filing)
    for one in list(without.iter(block)):
        one.getparent().remove(one)
    assert judge(to_bytes(without)).schema_valid is True


@pytest.mark.parametrize("release", ["20223", "20224"])
def test_three_releases_differ_in_nothing(release: str) -> None:
    """2022/3 and 2022/4 are 2022/2 word for word, but for the name; so each pair above holds for them too."""

    def rules(name: str) -> str:
        text = (XSD / f"DmfAOriginal_{name}.xsd").read_text(encoding="utf-8")
        return re.sub(r"2022/?[1-4]", "", text)

    assert rules(release) == rules("20222")
    assert rules(release) != rules("20231")
    for seed in (1, 2):
        filing = Maker("20222", seed).filing(persons=2, quarter=release)
        assert judge(to_bytes(filing)).schema_valid is True
