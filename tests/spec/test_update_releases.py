"""The rules of the blocks that only corrections have, by pairs and two engines, as those of originals are."""

from __future__ import annotations

from copy import deepcopy

import pytest
from lxml import etree

from dmfa.reading.validator import judge
from tests.making import XSD, Maker, to_bytes
from tests.spec.releases import RELEASES, branches, built, children, every_branch, facts, opinions, own, whole
from tests.spec.test_releases import NO, YES, pairs

DIFFERENT = ("DmfAUpdate_20221", "DmfAUpdate_20231")
"""The releases that differ in a block of corrections alone."""

NEWEST = DIFFERENT[-1]


@pytest.mark.parametrize("release", DIFFERENT)
def test_one_of_each_child_in_order_is_accepted(release: str) -> None:
    wrong = [one for one in every_branch(release) if opinions(release, built(release, *one)) != YES]
    assert wrong == []
    # Twelve blocks before 2023/1 and fifteen since, each once, and again for each further branch of two choices.
    assert len(list(every_branch(release))) == (13 + 2 + 5 if release < "DmfAUpdate_20231" else 16 + 3 + 5)


def test_cardinality() -> None:
    """A child that must be there and is not is refused; so is one more than may be; what may repeat is accepted."""
    release, wrong = NEWEST, set()
    for block, branch in every_branch(release):
        good = built(release, block, branch)
        for row in children(release, block):
            if row["branch"] not in {"", branch} or row["max"] == "0":
                continue
            without = deepcopy(good)
            without.remove(without.find(row["child"]))
            if opinions(release, without) != (YES if row["min"] == "0" else NO):
                wrong.add((block, branch, row["child"], "without"))
            several = deepcopy(good)
            several.find(row["child"]).addnext(deepcopy(good.find(row["child"])))
            if opinions(release, several) != (NO if row["max"] == "1" else YES):
                wrong.add((block, branch, row["child"], "twice"))
    # Without what opens a branch, it is another one; or, of a line, none at all.
    alone = {("EmployerDeclarationUpdate", "1", "NaturalPersonUpdate", "without")}
    alone |= {("EmployerDeclarationUpdate", "2", "CompanyVehicleUpdateAction", "without")}
    alone |= {("EmployerDeclarationUpdate", "3", "ContributionUnrelatedToNPUpdate", "without")}
    branches_of_one = {
        "2": "DismissedStatutoryWorkerContribution",
        "4": "EarlyRetirementContribution",
        "5": "ComplementaryIndemnity",
    }
    alone |= {("WorkerRecordUpdateAction", branch, child, "without") for branch, child in branches_of_one.items()}
    assert wrong == alone


@pytest.mark.parametrize("release", [f"DmfAUpdate_{quarter}" for quarter in RELEASES])
def test_a_line_may_have_nothing_below_it_but_one_branch_alone(release: str) -> None:
    line = built(release, "WorkerRecordUpdateAction", "1")
    bare = deepcopy(line)
    for child in bare.xpath("*[*]"):
        bare.remove(child)
    assert opinions(release, bare) == YES
    mixed = deepcopy(line)
    mixed.append(built(release, "WorkerRecordUpdateAction", "3").find("StudentContribution"))
    assert opinions(release, mixed) == NO


@pytest.mark.parametrize("release", [f"DmfAUpdate_{quarter}" for quarter in RELEASES])
def test_a_correction_corrects_something(release: str) -> None:
    bare = built(release, "EmployerDeclarationUpdate", "2")
    for child in bare.xpath("*[*]"):
        bare.remove(child)
    assert opinions(release, bare) == NO


def test_each_kind_of_facet_of_the_zones_of_corrections() -> None:
    release = NEWEST
    homes = {row["child"]: row["block"] for row in facts("blocks.csv", release) if row["max"] != "0"}
    wrong, seen = [], set()
    for row in own("DmfAUpdate", "zones.csv"):
        home = homes[row["zone"]]
        good = built(release, home, branches(release, home)[0])
        for kind, text, accepted in pairs(row):
            seen.add(row["zone"])
            one = deepcopy(good)
            one.find(row["zone"]).text = text
            if opinions(release, one) != [accepted, accepted]:
                wrong.append((row["zone"], kind, text))
    assert wrong == []
    assert len(seen) == 13


def test_what_is_shared_is_that_of_originals() -> None:
    """Every block and zone of both messages is the same in both, but for those that the facts of corrections name."""
    for quarter in RELEASES:
        types = []
        for message in ("DmfAOriginal", "DmfAUpdate"):
            root = etree.parse(str(XSD / f"{message}_{quarter}.xsd")).getroot()
            types.append({kind.get("name"): etree.tostring(kind) for kind in root if kind.get("name")})
        original, update = types
        changed = {name for name in original.keys() & update.keys() if original[name] != update[name]}
        assert changed == {"Form", "WorkerDeduction", "AttestationStatus", "Identification"}


@pytest.mark.parametrize("quarter", RELEASES)
def test_a_filing_is_judged_by_the_release_of_its_quarter(quarter: str) -> None:
    filing = Maker("DmfAUpdate_20221", 1).filing(persons=2)
    for one in list(filing.iter("DefinitiveNominationDate")):
        one.getparent().remove(one)
    filing.find("Form/EmployerDeclarationUpdate/Quarter").text = quarter
    judged = judge(to_bytes(filing))
    assert judged.release is not None
    assert (judged.release.name, judged.schema_valid) == (f"DmfAUpdate_{quarter}.xsd", True)


@pytest.mark.parametrize("quarter", RELEASES)
def test_compensations_are_corrected_since_2023_1(quarter: str) -> None:
    filing = whole("DmfAUpdate_20231", built("DmfAUpdate_20231", "EmployerCompensationUpdate", ""))
    for one in list(filing.iter("UsingEmployer", "EmployabilityMeasure", "ActivationPercentageStatus")):
        one.getparent().remove(one)
    filing.find("Form/EmployerDeclarationUpdate/Quarter").text = quarter
    assert judge(to_bytes(filing)).schema_valid is (quarter == "20231")
