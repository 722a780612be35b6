"""How corrections are shared out to who applies them."""

from __future__ import annotations

import polars as pl
import pytest

from dmfa.corrections.shape import ASKED_TYPES, OCCUPATION_VERSION_TYPES, Corrections
from dmfa.corrections.state import State
from dmfa.lake import Histories
from flows.stages import correcting
from flows.stages.correcting import Share

REPLACED = {"declaration_id": pl.Int64, "unit": pl.String, "ordinal": pl.Int32, "version": pl.Int16}


def share(*forms: tuple[int, int | None, int]) -> Share:
    """Forms: form_id, declaration_id and how many units each corrects."""
    ids = [form for form, _, _ in forms]
    corrections = Corrections(
        pl.DataFrame({"declaration_id": ids}, schema={"declaration_id": pl.Int64}),
        {},
        pl.DataFrame({"form_id": [form for form, _, many in forms for _ in range(many)]}).match_to_schema(
            ASKED_TYPES, missing_columns="insert"
        ),
        pl.DataFrame(schema=OCCUPATION_VERSION_TYPES),
    )
    matched = pl.DataFrame(
        {"form_id": ids, "declaration_id": [own for _, own, _ in forms]},
        schema={"form_id": pl.Int64, "declaration_id": pl.Int64},
    )
    of_declarations = pl.DataFrame(schema={"declaration_id": pl.Int64})
    return Share(
        corrections,
        pl.DataFrame(),
        State((), matched, {}, {}, amounts=of_declarations),
        Histories({}, pl.DataFrame(schema=REPLACED)),
        of_declarations,
        of_declarations,
        pl.Series("declaration_id", [], dtype=pl.Int64),
        None,  # type: ignore[arg-type] - what every item needs goes with each share, unseen
    )


def forms(shares: list[Share]) -> list[set[int]]:
    return [set(one.corrections.forms["declaration_id"]) for one in shares]


@pytest.fixture(autouse=True)
def _any_form_is_worth_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(correcting, "FORMS_A_SHARE", 1)


def test_shares_correct_about_as_many_units() -> None:
    """One large employer has a share of its own, whatever their order."""
    found = share((1, 11, 1), (2, 12, 2), (3, 13, 60), (4, 14, 3), (5, 15, 2)).shares(2)
    assert sorted(forms(found), key=len) == [{3}, {1, 2, 4, 5}]


def test_all_about_one_declaration_stays_together() -> None:
    """A Form about a declaration that is not there goes with any."""
    found = share((1, 11, 5), (2, 12, 5), (3, 11, 5), (4, None, 5), (5, 12, 5), (6, 11, 5)).shares(3)
    assert sorted(forms(found), key=min) == [{1, 3, 6}, {2, 5}, {4}]


def test_few_forms_are_one_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(correcting, "FORMS_A_SHARE", 200)
    few = share((1, 11, 5), (2, 12, 5))
    assert few.shares(2) == [few]
    assert share((1, 11, 0)).shares(2)[0].size == 1
