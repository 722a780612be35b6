"""Figures as SVG: where things stand, and that nothing from outside becomes markup."""

from __future__ import annotations

from lxml import etree

from flows.report import figures


def drawn(markup: str) -> etree._Element:
    return etree.fromstring(str(markup))


def test_a_stacked_bar_shares_its_width_by_number() -> None:
    widths = [float(rect.get("width")) for rect in drawn(figures.stacked("x", [("good", "a", 30), ("bad", "b", 10)]))]
    assert widths == [figures.WIDTH * 0.75 - 2, figures.WIDTH * 0.25 - 2]


def test_bars_are_as_long_as_their_numbers() -> None:
    rects = drawn(figures.bars("x", [("a", 40, ""), ("b", 10, ""), ("c", 0, "")])).findall("rect")
    widths = [float(rect.get("width")) for rect in rects]
    assert widths[0] == 4 * widths[1] > 0 == widths[2]


def test_ten_times_the_amount_is_one_step_of_the_axis() -> None:
    figure = drawn(figures.beside("x", [("a", "", 100_000, 10_000), ("b", "", 1_000, None)]))
    declared = [float(ring.get("cx")) for ring in figure.iter("circle") if "ring" in ring.get("class")]
    (computed,) = [float(dot.get("cx")) for dot in figure.iter("circle") if dot.get("class") == "computed"]
    step = float(figure.findall("line")[1].get("x1")) - float(figure.findall("line")[0].get("x1"))
    assert abs(declared[0] - computed - step) < 0.11
    assert abs(declared[0] - declared[1] - 2 * step) < 0.21
    assert [ring.get("class") for ring in figure.iter("circle") if "open" in ring.get("class")] == ["ring open"]


def test_less_stands_left_and_more_stands_right() -> None:
    figure = drawn(figures.around_zero("x", [("a", "", -500), ("b", "", 1_000)]))
    middle = float(figure.find("line").get("x1"))
    less, more = figure.findall("rect")
    assert float(less.get("x")) + float(less.get("width")) <= middle + 0.1
    assert float(more.get("x")) == middle
    assert abs(2 * float(less.get("width")) - float(more.get("width"))) < 0.2


def test_words_never_become_markup() -> None:
    for figure in (
        figures.stacked("<b>", [("good", "<i>&", 1)]),
        figures.bars("<b>", [("<i>", 1, "<u>")]),
        figures.beside("<b>", [("<i>", "&", 1, 1)]),
        figures.around_zero("<b>", [("<i>", "&", 1)]),
    ):
        assert not {"b", "i", "u"} & {element.tag for element in drawn(figure).iter()}
