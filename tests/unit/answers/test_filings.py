"""Which answers a batch of filings gets, and which declaration is told what."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from dmfa.anomaly import Anomaly, anomaly_frame
from dmfa.answers import ANSWER_SCHEMA, answers, form_ticket, refusals, supplemented
from dmfa.reading.plan import Plan, make_plan
from dmfa.reading.shredder import table_types
from tests.unit.answers.probing import FILING, FORM, parsed


@pytest.fixture(scope="module")
def plan() -> Plan:
    return make_plan()


def answer(plan: Plan, filing: dict[str, Any], forms: int, *anomalies: Anomaly, state: str = "refused") -> pl.DataFrame:
    """Answers to one filing with so many declarations, none of which has tables."""
    rows = [{**FORM, "declaration_id": 11 + index, "form_index": index, "state": state} for index in range(forms)]
    tables = {table.name: pl.DataFrame(schema=table_types(table)) for table in plan.tables}
    schema = pl.DataFrame([FORM]).schema
    return answers(pl.DataFrame([filing]), pl.DataFrame(rows, schema=schema), anomaly_frame(anomalies), tables, plan)


def codes(content: str) -> list[str | None]:
    return [error.text for error in parsed(content).iter("ErrorID")]


def fault(code: str, path: str | None) -> Anomaly:
    return Anomaly(7, code, "wrong", block="Occupation", zone="Border", path=path, line=3)


def test_every_filing_has_an_acknowledgement_and_every_form_a_notification(plan: Plan) -> None:
    found = answer(plan, FILING, 3, state="accepted")
    assert found.schema == ANSWER_SCHEMA
    assert found.select("kind", "declaration_id", "result").rows() == [
        ("ACRF", None, "1"),
        ("NOTI", 11, "1"),
        ("NOTI", 12, "1"),
        ("NOTI", 13, "1"),
    ]
    for content in found["content"]:
        parsed(content)


@pytest.mark.parametrize(("kind", "code"), [("doctype", "ACRF-135"), ("empty", "ACRF-134")])
def test_a_file_that_could_not_be_received_has_a_negative_acknowledgement_alone(
    kind: str, code: str, plan: Plan
) -> None:
    found = answer(plan, {**FILING, "state": "refused"}, 0, Anomaly(7, kind, "it is wrong"))
    assert found["result"].to_list() == ["0"]
    assert codes(found["content"][0]) == [code]
    assert "<!-- it is wrong -->" in found["content"][0]


def test_an_invalid_file_was_received_and_each_declaration_is_told_its_own_faults(plan: Plan) -> None:
    found = answer(
        plan,
        {**FILING, "state": "refused"},
        4,
        fault("00040-008", "/DmfAOriginal/Form[1]/EmployerDeclaration/x"),
        fault("00041-008", "/DmfAOriginal/Form[3]/EmployerDeclaration/x"),
        fault("00042-008", "/DmfAOriginal/Form[3]"),
    )
    assert found["result"].to_list() == ["1", "0", "0", "0", "0"]
    told = [codes(content) for content in found["content"]]
    # The second and fourth are refused for the fault of another.
    assert told == [[], ["00040-008"], ["00040-008"], ["00041-008", "00042-008"], ["00040-008"]]
    own, others = (parsed(found["content"][place]).find(".//Path") for place in (1, 2))
    assert own is not None and own.findtext("CompanyID") == "0404455666"
    assert others is None


def test_a_fault_that_is_in_no_form_is_told_to_all(plan: Plan) -> None:
    unfit = Anomaly(7, "unfit", "RemunAmount holds a number past what can be kept")
    found = answer(plan, {**FILING, "state": "refused"}, 2, unfit, fault("90169-146", "/DmfAOriginal/*"))
    assert [codes(content) for content in found["content"]] == [[], *[["90059-163", "90169-146"]] * 2]


def test_the_only_form_of_a_file_has_no_number_in_its_path(plan: Plan) -> None:
    found = answer(plan, {**FILING, "state": "refused"}, 1, fault("00040-008", "/DmfAOriginal/Form/x"))
    assert codes(found["content"][1]) == ["00040-008"]


def test_a_declaration_without_tables_has_the_keys_of_its_form(plan: Plan) -> None:
    old = Anomaly(7, "00013-008", "too old", declaration_id=11, block="EmployerDeclaration", zone="Quarter")
    found = answer(plan, {**FILING, "state": "refused"}, 1, old)
    path = parsed(found["content"][1]).find(".//AnomalyReport/Path")
    assert path is not None
    assert [(zone.tag, zone.text) for zone in path] == [
        ("Quarter", "20263"),
        ("NOSSRegistrationNbr", "100006"),
        ("CompanyID", "0404455666"),
    ]


def test_a_message_that_is_kept_for_later_is_acknowledged_with_a_word(plan: Plan) -> None:
    found = answer(plan, {**FILING, "state": "not_processed"}, 0)
    assert found["result"].to_list() == ["1"]
    assert "not processed yet" in found["content"][0]


def test_classes_that_refuse_nothing_are_told_of_an_accepted_declaration(plan: Plan) -> None:
    classes = ("P", "NP", "D", "W", "I")
    found = [Anomaly(7, "00086-050", "to be checked", severity=one, declaration_id=11) for one in classes]
    notification = answer(plan, FILING, 1, *found, state="accepted")["content"][1]
    told = parsed(notification)
    assert [one.text for one in told.iter("AnomalyClass")] == list(classes)
    assert (told.findtext(".//ResultCode"), told.find(".//Diagnosis")) == ("1", None)


@pytest.mark.parametrize(("severities", "diagnosis"), [(("P", "P"), "4"), (("P", "B"), "3")])
def test_the_diagnosis_of_a_refusal(severities: tuple[str, ...], diagnosis: str, plan: Plan) -> None:
    found = [Anomaly(7, "00040-008", "wrong", severity=one, declaration_id=11) for one in severities]
    told = parsed(answer(plan, FILING, 1, *found)["content"][1])
    assert (told.findtext(".//ResultCode"), told.findtext(".//Diagnosis")) == ("0", diagnosis)


def test_a_declaration_refused_in_the_end_gets_the_reason(plan: Plan) -> None:
    accepting = answer(plan, FILING, 2, state="accepted").filter(pl.col("declaration_id") == 12)
    second = Anomaly(7, "90007-006", "an original was accepted before", declaration_id=12, block="EmployerDeclaration")
    warning = Anomaly(7, "00013-313", "late", severity="W", declaration_id=12)
    forms = pl.DataFrame([{**FORM, "declaration_id": 12}])
    turned = refusals(accepting, forms, anomaly_frame([second, warning]))
    assert turned["result"].to_list() == ["0"]
    assert codes(turned["content"][0]) == ["90007-006"]
    assert parsed(turned["content"][0]).findtext(".//Diagnosis") == "3"


@pytest.mark.parametrize(
    ("severities", "result", "diagnosis"), [("W", "1", None), ("WP", "1", None), ("WB", "0", "3"), ("B", "0", "3")]
)
def test_what_is_found_later_is_told_beside_and_refuses_if_it_blocks(
    plan: Plan, severities: str, result: str, diagnosis: str | None
) -> None:
    first = Anomaly(7, "00040-008", "told at once", severity="W", declaration_id=11, block="EmployerDeclaration")
    accepting = answer(plan, FILING, 1, first, state="accepted").filter(pl.col("declaration_id") == 11)
    later = anomaly_frame(
        [
            Anomaly(7, "00610-180", "not the last", severity=one, declaration_id=11, block="WorkerRecord")
            for one in severities
        ]
    )
    tables = {table.name: pl.DataFrame(schema=table_types(table)) for table in plan.tables}
    for how in ((), (tables, plan)):
        found = supplemented(accepting, pl.DataFrame([FORM]), later, *how)
        assert found["result"].to_list() == [result]
        (content,) = found["content"]
        assert codes(content) == ["00610-180"] * len(severities) + ["00040-008"]
        assert parsed(content).findtext(".//Diagnosis") == diagnosis


def test_a_ticket_follows_from_content_and_place() -> None:
    tickets = {form_ticket(digest * 64, index) for digest in "ab" for index in range(50)}
    assert len(tickets) == 100
    assert all(len(ticket) == 13 and ticket.isalnum() for ticket in tickets)
