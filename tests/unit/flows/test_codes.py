"""What is told of a code: meaning, class, and what gives it or is lacked."""

import pytest

from dmfa.checks.coverage import coverage
from dmfa.errors import WrongUsage
from dmfa.schema.catalogue import catalogues
from flows.stages.codes import explain


def told(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert explain(*words) == 0  # type: ignore[arg-type]
    return " ".join(capsys.readouterr().out.split())


def test_a_code_of_the_xsd(capsys: pytest.CaptureFixture[str]) -> None:
    out = told(capsys, "00040-093", "nl")
    assert "00040-093: Border heeft de verkeerde lengte. zone 00040 Border, kind 093" in out
    assert "DmfAOriginal: B (refuses its declaration) in 2022/3, 2023/2, 2023/3 " in out
    assert "the XSD tells it: length" in out


def test_an_implemented_code_is_told_by_its_check(capsys: pytest.CaptureFixture[str]) -> None:
    out = told(capsys, "00015-007")
    assert "dmfa.checks.net_owed: The net amount owed is not the sum of the amounts declared. Sum of" in out
    assert "P (counted in percent) in 2022/3; B (refuses its declaration) in 2023/2, 2023/3" in told(
        capsys, "00039-014"
    )
    assert "The code list is known to 2022/2." in told(capsys, "00037-008")
    assert "flows.stages.originals" in told(capsys, "90007-006")


def test_a_code_that_is_lacking_something(capsys: pytest.CaptureFixture[str]) -> None:
    assert "not told yet; it lacks: Dimona" in told(capsys, "90007-262")
    assert "il lui manque" not in told(capsys, "90007-262", "fr")


def test_a_code_that_only_corrections_have(capsys: pytest.CaptureFixture[str]) -> None:
    only_update = sorted(catalogues()["DmfAUpdate"].codes.keys() - catalogues()["DmfAOriginal"].codes.keys())
    assert "00618-174" in only_update
    out = told(capsys, "00618-174")
    assert "zone 00618 UpdateAction, kind 174 DmfAUpdate: B (refuses its declaration) in 2023/2, 2023/3" in out
    assert out.endswith("told by dmfa.checks.corrections")
    assert "dmfa.checks.repeated: The same identifiers stand there already." in told(capsys, "90225-006")
    assert "it lacks: nothing: versions are counted by declaration" in told(capsys, "90225-177")


def test_a_refusal_of_a_whole_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "doctype", "fr").startswith("doctype: Le fichier déclare un DOCTYPE")


@pytest.mark.parametrize("code", ["85210100257", "00040-999", "093", ""])
def test_what_is_no_code_is_not_repeated(code: str) -> None:
    with pytest.raises(WrongUsage) as raised:
        explain(code)
    assert not code or code not in str(raised.value).replace("00037-008", "")


def test_codes_of_every_kind_can_be_explained(capsys: pytest.CaptureFixture[str]) -> None:
    for code in list(coverage())[::9]:
        assert code in told(capsys, code)
