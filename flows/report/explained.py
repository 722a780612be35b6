"""Explained amounts as one page: HTML and style in a single file that needs no network and no script."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from dmfa.quarter import Quarter
from flows.report.template import template

Node = Mapping[str, Any]


def page(
    quarter: Quarter,
    amounts: Iterable[Node],
    title: Callable[[Node], str],
    words: Callable[[Node], str],
    details: Callable[[Node], Iterable[str]],
) -> Iterator[str]:
    """The parts of a page, each made when it is asked for.

    Args:
        quarter: the quarter.
        amounts: what `contributions.explain` tells.
        title: an amount in one line.
        words: a node of its tree in one line.
        details: the rate, the parameters and the declared rows behind a node, a line each.
    """
    functions = {"title": title, "words": words, "details": details}
    return template("explained.html", functions=functions).generate(quarter=quarter, amounts=amounts)
