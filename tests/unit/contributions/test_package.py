"""What the package promises about its frames, words, reasons and fingerprint."""

import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl

import contributions
from contributions import COLUMN_WORDS, SCHEMAS, TABLE_WORDS, law_fingerprint, reasons, refusals
from contributions.columns import KEYS
from contributions.rules import all_rules
from contributions.target_groups import codes
from contributions.trust import enough, lowest

ROOT = Path(contributions.__file__).parent


def test_every_table_and_column_has_its_words():
    assert set(TABLE_WORDS) == set(SCHEMAS)
    assert set(COLUMN_WORDS) == {name for schema in SCHEMAS.values() for name in schema}
    assert all(words.endswith(".") for words in [*TABLE_WORDS.values(), *COLUMN_WORDS.values()])


def test_no_column_is_a_float():
    kinds = [kind for schema in SCHEMAS.values() for kind in schema.values()]
    assert {str(kind.base_type()) for kind in kinds} == {"Int16", "Int32", "Int64", "String", "Enum", "Categorical"}


def test_fixed_columns_of_the_lake():
    who = ["quarter", "noss_registration_nbr", "inss", "employer_class", "worker_code"]
    fixed = {
        "contribution": [*who, "contribution_worker_code", "contribution_type", "basis_cents", "amount_cents"],
        "deduction": [*who, "occupation_sequence_nbr", "deduction_code", "amount_cents"],
        "difference": [*who, "occupation_sequence_nbr", "kind", "code", "type", "declared_cents", "computed_cents"],
    }
    last = {
        "contribution": ["rate_source", "trust", "status", "reason"],
        "deduction": ["trust", "status", "reason", "refusal", "reservation", "lowest_cents", "highest_cents"],
        "difference": ["outcome", "trust", "reason"],
    }
    for name, columns in fixed.items():
        assert list(SCHEMAS[name]) == [*KEYS, *columns, *last[name]]


def test_reasons_are_a_closed_list():
    named = [value for name, value in vars(reasons).items() if name.isupper() and isinstance(value, str)]
    assert sorted(named) == sorted(reasons.ALL)
    assert len(set(reasons.ALL)) == len(reasons.ALL)


def test_trust_orders_as_its_letters():
    assert (lowest("A", "C", "B"), lowest("A", "A")) == ("C", "A")
    assert not enough("C", "C")


def test_the_fingerprint_changes_with_trust_and_with_any_figure(tmp_path):
    first = law_fingerprint()
    assert first == law_fingerprint("B")
    assert first != law_fingerprint("A")
    copy = tmp_path / "contributions"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns("__pycache__"))
    assert law_fingerprint("B", copy) == first
    changed = tmp_path / "changed"
    shutil.copytree(copy, changed)
    file = changed / "parameters" / "structural_reduction" / "category_1" / "s0.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("9975.37", "9975.38"), encoding="utf-8")
    assert law_fingerprint("B", changed) != first


def test_importing_stays_light():
    heavy = {"prefect", "duckdb", "lxml", "pyarrow", "xmlschema", "dmfa.lake", "dmfa.schema"}
    code = f"import contributions, sys; print(sorted({heavy!r} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT.parent, check=True, capture_output=True, text=True)
    assert told.stdout == "[]\n"


def test_frames_of_a_computation_have_the_schemas_promised():
    for name, frame in contributions.compute({}).frames().items():
        assert isinstance(frame, pl.DataFrame)
        assert dict(frame.schema) == dict(SCHEMAS[name])


def test_refusals_and_reservations_are_closed_lists():
    named = [value for name, value in vars(refusals).items() if name.isupper() and isinstance(value, str)]
    assert sorted(named) == sorted([*refusals.ALL, *refusals.RESERVATIONS])
    assert {rule.reason for rule in all_rules() if rule.kind == "nothing due"} <= set(refusals.ALL)
    assert {rule.reason for rule in all_rules() if rule.kind == "not computable"} <= set(reasons.ALL)


def test_what_a_deduction_code_lacks_is_a_reason():
    assert {row["lacking"] for row in codes()} - {""} <= set(reasons.ALL)
    assert {row["level"] for row in codes()} == {"line", "occupation"}
