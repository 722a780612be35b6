"""How an answer is written: elements as text, escaped, in the order given."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from html import escape

_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
# A comment may hold neither two hyphens in a row nor one at its end.
_HYPHENS = re.compile("-{2,}|-$")


def document(schema: str, comment: str | None, form: str) -> str:
    """A whole answer with one Form.

    Args:
        schema: file name of its XSD, which starts with the name of the root element.
        comment: words for the reader, None for none.
        form: content of the Form.
    """
    start, end = around(schema, comment)
    return f"{start}{form}{end}"


@lru_cache(maxsize=64)
def around(schema: str, comment: str | None = None) -> tuple[str, str]:
    """What stands before and after the content of the Form in a whole answer; arguments as for `document`."""
    root = schema.partition("_")[0]
    words = f"<!-- {_HYPHENS.sub('', comment)} -->\n" if comment else ""
    start = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns:xsi="{_INSTANCE}"'
        f' xsi:noNamespaceSchemaLocation="{schema}">\n{words}<Form>\n'
    )
    return start, f"</Form>\n</{root}>\n"


def elements(values: Iterable[tuple[str, str | None]]) -> str:
    """Zones in their order, one a line; those without a value are left out."""
    return "".join([f"<{label}>{_escaped(text)}</{label}>\n" for label, text in values if text is not None])


def _escaped(text: str) -> str:
    # Looking first is cheaper: nearly no text has any of them.
    return escape(text, quote=False) if "&" in text or "<" in text or ">" in text else text


def block(label: str, content: str) -> str:
    """A block around its content; nothing where there is none."""
    return f"<{label}>\n{content}</{label}>\n" if content else ""


@lru_cache(maxsize=64)
def envelope(identification: str, made: datetime, type_form: str = "FA") -> str:
    """The zones that every Form of an answer starts with: its kind, when it was made, its type (FA: a final answer)."""
    return elements(
        (
            ("Identification", identification),
            ("FormCreationDate", made.date().isoformat()),
            ("FormCreationHour", made.time().isoformat("milliseconds")),
            ("AttestationStatus", "0"),
            ("TypeForm", type_form),
        )
    )
