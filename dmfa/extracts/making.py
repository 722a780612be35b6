"""What one permit gives of the lake, shard by shard: of whom, which tables, and what waits until all is seen.

Whoever is given out or asks goes this way, whatever the mode of the extract: the population of the extract and of the
authorisation, the reference directory, the selection, the limits, the groups.
"""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from dmfa.extracts.authorisations import FLAG_TABLE, Permit
from dmfa.extracts.extract import OF_YEAR, Selected
from dmfa.extracts.groups import Gathering
from dmfa.extracts.persons import Frames, integrated, thinned, within
from dmfa.extracts.quality import flags, visible
from dmfa.extracts.rejects import rejected
from dmfa.extracts.selection import extract_named
from dmfa.extracts.shape import Shape


class Making:
    """Makes what a permit gives.

    Args:
        permit: the permit.
        shape: the tables that it leaves.

    Attributes:
        not_integrated: attestations left out so far, because the directory has no line of the person.
        keeps_rejects: whether these are kept in the queue of rejects.
        rejects: those of the last shard.
    """

    def __init__(self, permit: Permit, shape: Shape) -> None:
        self._row, self._shape = permit.authorisation, shape
        self._extract = extract_named(permit.authorisation.extract)
        self._gathering = Gathering(shape)
        self._seen = visible(self._row, shape)
        self.not_integrated = 0
        self.keeps_rejects = self._extract.rejects and self._row.directory is not None
        self.rejects: pl.DataFrame | None = None

    def of(self, frames: Frames, known: pl.DataFrame | None = None, anomalies: pl.DataFrame | None = None) -> Selected:
        """What one shard gives at once.

        Args:
            frames: the tables of the lake that the extract reads, by name.
            known: the persons with a line in the directory, where the authorisation asks for one.
            anomalies: those that are open, columns of `open_anomalies.COLUMNS`; None where there are none.
        """
        frames = {name.removesuffix(OF_YEAR): rows for name, rows in frames.items()}
        for population in self._extract.populations(self._row):
            frames = within(frames, population)
        frames = thinned(frames, self._extract.only)
        if known is not None:
            everybody = frames
            frames, without = integrated(frames, known)
            self.not_integrated += without
            self.rejects = rejected(everybody, known) if self.keeps_rejects else None
        selected = self._extract.select(frames, self._shape)
        if self._shape.flags is not None:
            told = flags(anomalies, frames, selected.tables, self._seen, self._shape)
            selected = replace(selected, tables={**selected.tables, FLAG_TABLE: told})
        return self._gathering.passed(selected)

    def rest(self) -> Selected | None:
        """What can be told only once all shards are seen; None if nothing."""
        return self._gathering.rest()
