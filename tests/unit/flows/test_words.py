"""Plain words: they fit a line of the terminal, and every code of a check has some."""

from __future__ import annotations

from pathlib import Path

import yaml

from dmfa.checks.registry import checks
from flows import report
from flows.report.queries import Amounts, Anomalies
from flows.report.words import amount_words, anomaly_words

WORDS = yaml.safe_load((Path(report.__file__).parent / "words.yaml").read_text())


def test_words_of_amounts_fit_a_line() -> None:
    for kind in ("contributions", "deductions"):
        assert all(len(words) <= 28 for words in WORDS[kind].values())


def test_codes_are_written_as_people_write_them() -> None:
    assert all(len(code) == 3 and code.isdecimal() for code in WORDS["contributions"])
    assert all(len(code) == 4 and code.isdecimal() for code in WORDS["deductions"])


def test_an_unknown_code_has_no_words() -> None:
    assert amount_words(Amounts("contribution", "999", 0, 1, 1, 1, 1, 1, 0, 0, 0)) == ""


def test_a_check_speaks_for_itself() -> None:
    for check in checks():
        assert anomaly_words(Anomalies(check.code, "B", check.zone, check.block, 1, 1)) == check.words
    a_second_original = Anomalies("90007-006", "B", None, "EmployerDeclaration", 1, 1)
    assert anomaly_words(a_second_original) == "EmployerDeclaration stands twice with the same identification"


def test_an_anomaly_without_words_names_its_place() -> None:
    assert anomaly_words(Anomalies("00040-999", "B", None, "WorkerRecord", 1, 1)) == "WorkerRecord is not valid"
    assert anomaly_words(Anomalies("odd", "B", None, None, 1, 1)) == "The file is not valid"
