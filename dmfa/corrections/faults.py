"""Anomalies that applying a Form finds, in the words of what it met."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dmfa.anomaly import Anomaly
from dmfa.schema.catalogue import catalogue

MESSAGE = "DmfAUpdate"

Told = tuple[str, str, int, str]
"""Code, table of the block, its ordinal in the Form, words: as `Faults.add` takes them."""


@dataclass(slots=True)
class Faults:
    """The anomalies of one Form.

    Attributes:
        filing_id: the filing that it came in.
        form_id: the Form.
        quarter: yyyyq; it decides which version of the catalogue judges.
        labels: by table, the label of its block in an original.
        found: the anomalies.
    """

    filing_id: int
    form_id: int
    quarter: int
    labels: Mapping[str, str]
    found: list[Anomaly] = field(default_factory=list)

    def add(self, code: str, table: str, ordinal: int, words: str) -> None:
        """Take one in.

        Args:
            code: official code.
            table: table of the block that it is about, in which the Form is declared.
            ordinal: ordinal of that block in the Form.
            words: what is wrong with the zone or block, without any person's number.
        """
        known = catalogue(MESSAGE)
        official = known.codes[code]
        weight = known.severity(code, self.quarter) or "B"
        zone = None if official.of_block else official.element
        message = f"{official.element} {words}"
        self.found.append(
            Anomaly(self.filing_id, code, message, weight, self.form_id, self.labels[table], ordinal, zone)
        )

    @property
    def blocking(self) -> list[str]:
        """The codes that refuse the Form, each once."""
        return sorted({anomaly.code for anomaly in self.found if anomaly.severity == "B"})
