"""Explained amounts as one page: HTML and style in a single file that needs no network and no script."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from dmfa.quarter import Quarter

_HERE = Path(__file__).parent

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
    templates = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    templates.globals |= {"title": title, "words": words, "details": details}
    style = Markup((_HERE / "style.css").read_text(encoding="utf-8"))  # noqa: S704 - a file of this package
    return templates.get_template("explained.html").generate(quarter=quarter, amounts=amounts, style=style)
