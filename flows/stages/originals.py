"""A second original of one employer and quarter is 90007-006: the first received wins."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from dmfa.anomaly import Anomaly, anomaly_frame
from dmfa.lake import ItemWriter, Lake, Manifest, staged_rows
from dmfa.reading.names import FileName
from flows.stages import steps
from flows.stages.item import Shared, anomaly_rows

CODE = "90007-006"
_MESSAGE = "an original of this employer and quarter was accepted before"


def second_originals(accepted: pl.DataFrame, lake: Lake) -> pl.DataFrame:
    """The declarations of a run that come second.

    Args:
        accepted: the run's accepted declarations: declaration_id, filing_id, quarter, employer, name, form_index.
        lake: whose accepted declarations came before this run.

    Returns:
        Those rows of `accepted` for which the lake holds an original of the same employer and quarter, or an earlier
        one stands in the run: the first by name of the filing, then by index of the Form. What came as parts of one
        transmission is one original.
    """
    quarters = accepted["quarter"].unique().to_list()
    before = pl.DataFrame(
        lake.arrow(
            """
            SELECT DISTINCT quarter, CASE WHEN noss_registration_nbr > 0 THEN noss_registration_nbr ELSE -company_id END
                AS employer
            FROM lake.received.form WHERE state = 'accepted' AND quarter IN (SELECT unnest(?::INTEGER[]))
            """,
            [quarters],
        )
    )
    # Two folders of one run may hold files of one name: then the content decides, the same in every run.
    in_order = accepted.sort("name", "form_index", "filing_id")
    sent = pl.coalesce(_transmissions(in_order["name"]), pl.col("declaration_id").cast(pl.String))
    ranked = in_order.with_columns(sent=sent).with_columns(first=pl.col("sent").first().over("quarter", "employer"))
    held = ranked.join(before, on=["quarter", "employer"], how="semi")
    later = ranked.filter(pl.col("sent") != pl.col("first"))
    return pl.concat([held, later]).unique("declaration_id").drop("sent", "first")


def _transmissions(names: pl.Series) -> pl.Series:
    """Of each name the transmission that it is a part of; null for one that came whole."""

    def told(name: str) -> str | None:
        parsed = FileName.of(name)
        return f"{name.rpartition('/')[0]}/{parsed.transmission}" if parsed and parsed.parts > 1 else None

    # Nearly every name tells of one part at its end: only the others are taken apart.
    several = names.str.contains("FI.", literal=True) & ~names.str.ends_with(".1.1")
    if not several.any():
        return pl.Series([None], dtype=pl.String).new_from_index(0, names.len())
    parts = {name: told(name) for name in names.filter(several).unique()}
    return names.replace_strict(parts, default=None, return_dtype=pl.String)


def amend(manifest: Manifest, losers: pl.DataFrame, shared: Shared) -> Manifest:
    """Take the declarations that come second out of an item's staged tables, and refuse them on the ledger.

    What was staged stays as it is until it is published in its new form: a rerun after an accident finds it, and
    settles anew which declarations come second.

    Args:
        manifest: the item.
        losers: declaration_id and filing_id of all declarations that come second.
        shared: what every item needs.

    Returns:
        The item in its new form: new files for the tables that changed, the same for all others. The item itself if
        none of the declarations is in it.

    Raises:
        LakeProblem: the lake's disk is full or cannot be written.
    """
    lake = shared.settings.lake
    forms = staged_rows(lake, manifest, "received.form")
    if forms is None:
        return manifest
    mine = losers.join(forms.select("declaration_id"), on="declaration_id", how="semi", maintain_order="left")
    filings = staged_rows(lake, manifest, "received.filing")
    if mine.is_empty() or filings is None:
        return manifest
    refused = pl.col("declaration_id").is_in(mine["declaration_id"].implode())
    state = pl.when(refused).then(pl.lit("refused")).otherwise("state")
    ledger = {"received.form": forms.with_columns(state=state), "received.filing": _refused_again(filings, mine)}
    taken = staged_rows(lake, manifest, steps.TABLE)
    if taken is not None:
        ledger[steps.TABLE] = steps.refused_instead(taken, mine["declaration_id"])
    unchanged = [file for file in manifest.files if file.schema == "received" and file.key not in ledger]
    with ItemWriter(lake, manifest.item_id, shared.specs) as writer:
        for key, rows in ledger.items():
            writer.append(key, rows)
        writer.append("received.anomaly", _anomalies(mine, filings, forms))
        for key in dict.fromkeys(file.key for file in manifest.files if file.schema != "received"):
            standing = staged_rows(lake, manifest, key)
            if standing is None or not standing.select(refused.any()).item():
                unchanged += manifest.of(key)
            else:
                writer.append(key, standing.filter(~refused))
        written = writer.close(())
    return replace(manifest, files=(*unchanged, *written.files))


def _anomalies(mine: pl.DataFrame, filings: pl.DataFrame, forms: pl.DataFrame) -> pl.DataFrame:
    found = anomaly_frame(
        Anomaly(filing, CODE, _MESSAGE, declaration_id=declaration, block="EmployerDeclaration", block_ordinal=0)
        for filing, declaration in mine.select("filing_id", "declaration_id").iter_rows()
    )
    return anomaly_rows(found, filings, forms)


def _refused_again(filings: pl.DataFrame, mine: pl.DataFrame) -> pl.DataFrame:
    """The ledger's rows with one more refusal per declaration that comes second."""
    more = mine.group_by("filing_id").agg(more=pl.len().cast(pl.Int32))
    joined = filings.join(more, on="filing_id", how="left", maintain_order="left")
    hit = pl.col("more").is_not_null()
    return joined.with_columns(
        state=pl.when(hit).then(pl.lit("refused")).otherwise("state"),
        refused=pl.col("refused") + pl.col("more").fill_null(0),
        reason=pl.when(hit)
        .then(pl.concat_str("reason", pl.lit(CODE), separator=" ", ignore_nulls=True))
        .otherwise("reason"),
    ).drop("more")
