"""Answers written column by column: zones, blocks and what stands inside them, for many declarations at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from dmfa.answers.markup import around, envelope
from dmfa.answers.zones import kinds


def zone(schema: str, label: str, column: pl.Expr) -> pl.Expr:
    """A zone as text, empty where it has no value or one that may not stand in it.

    Args:
        schema: file name of the XSD, one of those in `dmfa.answers.zones`.
        label: label of the zone.
        column: its values.
    """
    kind = kinds(schema)[label]
    text = kind.texts(column)
    return element(label, text if kind.whole else escaped(text))


def element(label: str, text: pl.Expr) -> pl.Expr:
    """A zone of a text that may stand in it, escaped; nothing where there is none."""
    return pl.concat_str(pl.lit(f"<{label}>"), text, pl.lit(f"</{label}>\n")).fill_null("")


def wrapped(label: str, *parts: pl.Expr) -> pl.Expr:
    """A block around its parts, which have no null."""
    return pl.concat_str(pl.lit(f"<{label}>\n"), *parts, pl.lit(f"</{label}>\n"))


def joined(rows: pl.DataFrame, key: Sequence[str], name: str) -> pl.DataFrame:
    """The column text of the rows of each key as one, in their order.

    Args:
        rows: columns of the key, and text.
        key: the columns by which rows belong together.
        name: what the column is called then.
    """
    texts = rows.group_by(*key, maintain_order=True).agg(pl.col("text").alias(name))
    return texts.with_columns(pl.col(name).list.join(""))  # far faster than to join them while grouping


def tickets(rows: pl.DataFrame, ticket: Callable[[str, int], str]) -> pl.Expr:
    """The ticket of each row, by its sha256 and form_index."""
    places = rows.select("sha256", "form_index").iter_rows()
    return pl.lit(pl.Series([ticket(*place) for place in places], dtype=pl.String))


def reference(kind: str, origin: str, number: pl.Expr) -> pl.Expr:
    """A Reference.

    Args:
        kind: ReferenceType.
        origin: ReferenceOrigin.
        number: ReferenceNbr, escaped.
    """
    given = (("ReferenceType", pl.lit(kind)), ("ReferenceOrigin", pl.lit(origin)), ("ReferenceNbr", number))
    return wrapped("Reference", *(element(*zone) for zone in given))


def documents(schema: str, identification: str, made: pl.Series, *parts: pl.Expr) -> pl.Expr:
    """Whole messages.

    Args:
        schema: file name of the XSD.
        identification: what their Forms are.
        made: when each was made.
        parts: what is in their Forms.
    """
    start, end = around(schema)
    heads = pl.Series([start + envelope(identification, moment, type_form="SU") for moment in made], dtype=pl.String)
    return pl.concat_str(pl.lit(heads), *parts, pl.lit(end))


def escaped(text: pl.Expr) -> pl.Expr:
    """Text as XML holds it."""
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.str.replace_all(sign, entity, literal=True)
    return text


def answer_rows(rows: pl.DataFrame, answered: str, kind: str, written: pl.Expr | pl.Series) -> pl.DataFrame:
    """Messages as rows of ANSWER_SCHEMA; such a message has no result.

    Args:
        rows: one row for each, with filing_id.
        answered: its column with the declaration, or the Form, that is answered.
        kind: subject of the file.
        written: the messages.
    """
    return rows.select(
        "filing_id",
        declaration_id=answered,
        kind=pl.lit(kind),
        result=pl.lit(None, pl.String),
        content=written,
    )
