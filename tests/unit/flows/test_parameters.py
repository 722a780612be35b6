"""Parameters of the flows: what a schedule or a person may fill in, and what is never asked."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from prefect.utilities.callables import parameter_schema
from pydantic import TypeAdapter, ValidationError

from flows.compute import compute_flow
from flows.extract import Names, extract_flow
from flows.ingest import ingest_flow
from flows.parameters import ENDED_LAST, QuarterText, planned_day, quarter_meant
from flows.quarter import quarter_flow
from flows.settings import Settings

FLOWS = (quarter_flow, ingest_flow, compute_flow, extract_flow)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 11, 2), "2026/3"),
        (date(2027, 2, 2), "2026/4"),
        (date(2027, 3, 31), "2026/4"),
        (date(2027, 4, 1), "2027/1"),
        (date(2026, 8, 2), "2026/2"),
    ],
)
def test_the_rule_means_the_quarter_before_that_of_the_day(day: date, expected: str) -> None:
    assert str(quarter_meant(ENDED_LAST, day)) == expected


@pytest.mark.parametrize("text", ["2026/3", "20263", ENDED_LAST])
def test_a_quarter_is_text_or_the_rule(text: str) -> None:
    assert TypeAdapter(QuarterText).validate_python(text) == text


@pytest.mark.parametrize("text", ["2026/5", "soon", "2026", "2026/3\n", "the quarter that ended"])
def test_anything_else_is_not_a_quarter(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(QuarterText).validate_python(text)


def test_what_is_asked_for_by_name_is_no_number_of_a_person() -> None:
    assert TypeAdapter(Names).validate_python(["pensions", "example-study"]) == ["pensions", "example-study"]
    with pytest.raises(ValidationError):
        TypeAdapter(Names).validate_python(["85210100257"])


def test_outside_a_deployment_the_day_of_the_run_counts() -> None:
    assert planned_day(Settings(received_on=date(2026, 11, 22))) == date(2026, 11, 22)


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_every_parameter_has_a_default_and_words_and_none_is_a_person(flow) -> None:
    schema = parameter_schema(flow)
    assert schema.required == []
    for name, facts in schema.properties.items():
        assert facts.get("description"), name
        assert name not in {"inss", "insz", "person"}
    assert flow.persist_result is False


def test_the_flows_of_the_deployments_are_there() -> None:
    import yaml

    wanted = yaml.safe_load((Path(__file__).parents[3] / "prefect.yaml").read_text())["deployments"]
    entrypoints = {one["entrypoint"] for one in wanted}
    assert entrypoints == {f"{flow.fn.__module__}.{flow.fn.__name__}" for flow in FLOWS}
