"""The page of explained amounts: all in one file, and no HTML that a declaration could have written."""

import re

from contributions.explain import explain
from dmfa.quarter import Quarter
from flows.report.explained import page
from flows.stages.explain import details, title, words
from tests.declared import Declarations

INSS = 77101500172


def made(declared):
    return "".join(page(Quarter(2026, 3), explain(declared.tables()), title, words, details))


def sample():
    declared = Declarations()
    employer = declared.employer()
    line = employer.person(INSS).line("000", "495")
    line.occupation().remun("001", 900_000)
    line.contribution("495", 0, 900_000, 342_630)
    line.contribution("856", 0, None, 5_772)
    employer.unrelated("000", "870", 1, 10_000)
    return declared


def test_every_amount_is_there_with_its_rate_rows_and_sources():
    text = made(sample())
    assert text.count("<summary>2026/3 ") == 3
    assert (
        "person 1, line 1 (class 000, code 495): contribution 495 type 0: declared 3,426.30, computed 3,426.30" in text
    )
    assert "no person (class 000): contribution 870: declared 0.01, computed 13.07: differs" in text
    assert "basis_cents = 9,000.00" in text
    assert "NSSO rate files 2026/2 and 2026/3 (copies)" in text
    assert "special_contribution/single/maximum 182.82 since 2022-01-01, trust B" in text
    assert "remun_amount 9,000.00" in text


def test_it_needs_nothing_from_elsewhere_and_names_nobody():
    text = made(sample())
    assert not re.search(r"<script|<link|<img|https?://|url\(", text)
    assert "default-src 'none'" in text
    assert str(INSS) not in text


def test_what_is_declared_cannot_write_html():
    declared = Declarations()
    declared.employer().unrelated("<b>", "<i>", 1, 10_000)
    text = made(declared)
    assert "<b>" not in text and "<i>" not in text
    assert "class &lt;b&gt;" in text


def test_no_amount_is_no_detail():
    assert "<summary>" not in made(Declarations())
