"""The templates of pages: a single file each, with its style, that needs no network and no script."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

_HERE = Path(__file__).parent


def template(
    name: str, *, filters: Mapping[str, Any] | None = None, functions: Mapping[str, Any] | None = None
) -> Template:
    """The template of a page, with the frame and the style that all share.

    Args:
        name: its file, e.g. `page.html`.
        filters: what it may apply to a value, by name.
        functions: what it may call or look up, by name.
    """
    templates = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    templates.filters |= filters or {}
    templates.globals |= functions or {}
    templates.globals["style"] = Markup((_HERE / "style.css").read_text(encoding="utf-8"))  # noqa: S704 - our own file
    return templates.get_template(name)
