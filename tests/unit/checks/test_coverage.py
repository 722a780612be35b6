"""Every official code is accounted for: told, or listed with what it lacks."""

import ast
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from dmfa.checks import checks, corrections, coverage, row_checks
from dmfa.checks.coverage import BY_SCHEMA, ELSEWHERE, IMPLEMENTED, NOT_YET, OF_CORRECTIONS, not_yet, sources
from dmfa.checks.words import LANGUAGES, kinds, told_of
from dmfa.schema import newest
from dmfa.schema.catalogue import catalogue, catalogues
from dmfa.schema.given import given
from flows.stages import differing, originals

# Of these the XSD gives the digits alone; which values there are, a list tells that ends before the oldest quarter.
LISTS_TOO_OLD = {
    "00041-008", "00052-008", "00057-008", "00067-008", "00144-008", "00523-008", "00961-008", "00962-008", "01199-008",
    "01215-008",
}  # fmt: skip

QUOTED = ("176", "180", "182")

PACKAGES = Path(__file__).parents[3]


MESSAGES = ("DmfAOriginal", "DmfAUpdate")


def told(message: str = "DmfAOriginal") -> set[str]:
    found = {one.code for one in checks()} | {one.code for one in row_checks()}
    elsewhere = set(ELSEWHERE)
    if message == "DmfAUpdate":
        found = {corrections.update_code(code) for code in found}
        elsewhere = {*OF_CORRECTIONS, *corrections.codes()}
    return found | (given(newest(message)).keys() - LISTS_TOO_OLD) | elsewhere


@pytest.mark.parametrize("message", MESSAGES)
def test_not_yet_is_what_the_file_says(message: str) -> None:
    assert catalogue(message).codes.keys() - told(message) == not_yet(message).keys()


@pytest.mark.parametrize("message", MESSAGES)
def test_every_code_has_one_state(message: str) -> None:
    found = coverage.coverage(message)
    assert found.keys() == catalogue(message).codes.keys()
    for code, one in found.items():
        assert one.state in (IMPLEMENTED, BY_SCHEMA, NOT_YET)
        assert bool(one.needs) == (code not in told(message)), code


def test_every_source_is_lacked_and_has_words() -> None:
    lacked = {one.needs for name in catalogues() for one in coverage.coverage(name).values()} - {""}
    assert lacked == sources().keys()
    assert all(tuple(words) == LANGUAGES and all(words.values()) for words in sources().values())


def test_codes_told_elsewhere_are_those_of_their_modules() -> None:
    amounts = {code for _, code, _ in differing._ZONES.values()} | set(differing._REFUSED.values())
    assert amounts == {code for code, module in ELSEWHERE.items() if module == differing.__name__}
    assert ELSEWHERE[originals.CODE] == originals.__name__
    for code, module in [*ELSEWHERE.items(), *OF_CORRECTIONS.items()]:
        # What quotes a situation is told by zone and kind, which are put together there.
        kind = code if code in ELSEWHERE or code[-3:] not in QUOTED else code[:5]
        assert kind in Path(find_spec(module).origin).read_text(encoding="utf-8"), code


def test_half_of_what_structure_does_not_decide_is_told() -> None:
    version = catalogue().versions[-1]
    structure = ("001", "002", "090", "091", "093", "146")
    zones = [one for one in coverage.coverage().values() if version in one.official.severities]
    zones = [one for one in zones if not one.official.of_block]
    decided = [one for one in zones if one.official.kind in structure]
    others = [one for one in zones if one.official.kind not in structure]
    assert (len(zones), len(decided), len(others)) == (1_649, 1_110, 539)
    assert sum(one.state != NOT_YET for one in others) >= 300
    # Texts that the XSD lets be empty: whether they are missing is a matter of conditions.
    by_conditions = {"00053", "00142", "00153", "00517", "00518", "00520", "00522"}
    assert {one.official.number for one in decided if not one.demands} == by_conditions


def test_every_kind_has_words_in_three_languages() -> None:
    official = {one.kind for name in catalogues() for one in catalogue(name).codes.values()}
    assert official <= kinds().keys()
    for kind, words in kinds().items():
        assert tuple(words) == LANGUAGES, kind
        assert all(text and not text.endswith(".") for text in words.values()), kind
        whole = not kind.isdecimal()
        assert all(text[0].isupper() == whole for text in words.values()), kind


def test_every_refusal_of_a_whole_file_has_words() -> None:
    found = set()
    for path in (*PACKAGES.glob("dmfa/reading/*.py"), *PACKAGES.glob("flows/stages/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Refusal":
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    found.add(first.value)
                elif isinstance(first, ast.Name):
                    module = import_module(".".join(path.relative_to(PACKAGES).with_suffix("").parts))
                    found.add(getattr(module, first.id, None))
    assert {"empty", "doctype", "too_large"} <= found
    assert {kind for kind in found if kind} <= kinds().keys()


@pytest.mark.parametrize(
    ("code", "label", "language", "words"),
    [
        ("00037-008", None, "en", "WorkerCode is not one of the values allowed"),
        ("00037-008", "EmployerClass", "nl", "WorkerCode is geen toegelaten waarde"),
        ("09901-093", "TrainingRight", "fr", "TrainingRight n'a pas la bonne longueur"),
        ("empty", None, "nl", "Het bestand is leeg"),
        ("odd", None, "fr", "Le fichier n'est pas valable"),
    ],
)
def test_words(code: str, label: str | None, language: str, words: str) -> None:
    assert told_of(code, label, language) == words  # type: ignore[arg-type]
