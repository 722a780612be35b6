"""The history of declarations as one page: HTML and style in a single file that needs no network and no script."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from dmfa.quarter import Quarter
from flows.report.template import template


def page(
    quarter: Quarter, events: Iterable[Mapping[str, Any]], lines: Mapping[str, Callable[..., Any]]
) -> Iterator[str]:
    """The parts of a page, each made when it is asked for.

    Args:
        quarter: the quarter.
        events: what `flows.stages.timeline` tells.
        lines: how it is told in lines, by name: `title` and `facts` of an event, `words` and `zones` of a block.
    """
    return template("history.html", functions=lines).generate(quarter=quarter, events=events)
