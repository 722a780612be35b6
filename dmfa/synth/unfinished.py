"""The truth of a quarter that is being made: one folder a part, so that a run that was stopped goes on where it was."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from dmfa.errors import WrongUsage
from dmfa.synth.truth import TABLES

_PLAN: Final = "plan.json"


class Unfinished:
    """Parts of a quarter below `truth/unfinished`, and the plan by which they were made.

    Attributes:
        target: where the truth goes in the end.
        merged: where it is put together until then.

    Args:
        out: folder of the quarter; made if it is not there.
        plan: what decides about the bytes, as JSON can hold it.

    Raises:
        WrongUsage: there is something in `out` that was not made by this plan.
    """

    def __init__(self, out: Path, plan: Mapping[str, Any]) -> None:
        self._folder = _folder(out)
        self.target = self._folder.parent
        self.merged = self._folder / "merged"
        made_by = json.dumps({"dmfa": version("dmfa"), **plan}, sort_keys=True)
        held = self._folder / _PLAN
        if held.is_file():
            if held.read_text(encoding="utf-8") != made_by:
                raise WrongUsage(
                    f"{out} holds an unfinished quarter of other options or of another version",
                    "Ask for the same again to go on with it, or name a new folder.",
                )
            return
        if out.is_dir() and any(out.iterdir()):
            raise WrongUsage(
                f"{out} is not empty", "Name a new folder, so that nothing old is taken for part of the quarter."
            )
        self._folder.mkdir(parents=True)
        draft = held.with_suffix(".draft")
        draft.write_text(made_by, encoding="utf-8")
        draft.rename(held)

    def tables(self, number: int) -> dict[str, pa.Table]:
        """The truth tables of a finished part."""
        place = self._folder / f"{number:05d}"
        return {name: _read(place / f"{name}.arrow") for name in TABLES}

    def publish(self) -> None:
        """Put the merged truth in its place and forget the parts.

        The plan goes last, so that an accident in between leaves work but no doubt.
        """
        for file in self.merged.iterdir():
            file.replace(self.target / file.name)
        for place in self._folder.iterdir():
            if place.is_dir():
                shutil.rmtree(place)
        (self._folder / _PLAN).unlink()
        self._folder.rmdir()


def is_kept(out: Path, number: int) -> bool:
    """Whether a part is finished."""
    return (_folder(out) / f"{number:05d}").is_dir()


def keep(out: Path, number: int, tables: Mapping[str, pa.Table]) -> None:
    """Keep the truth of a part: all of it or, after an accident, nothing."""
    place = _folder(out) / f"{number:05d}"
    draft = place.with_suffix(".draft")
    draft.mkdir(exist_ok=True)
    for name, table in tables.items():
        _write(draft / f"{name}.arrow", table)
    draft.rename(place)


# Arrow's own form in place of Parquet: these files are read once and removed.
_PACKED: Final = pa.ipc.IpcWriteOptions(compression="lz4")


def _write(path: Path, table: pa.Table) -> None:
    with path.open("wb") as file, pa.ipc.new_file(file, table.schema, options=_PACKED) as writer:
        writer.write_table(table)


def _read(path: Path) -> pa.Table:
    with path.open("rb") as file, pa.ipc.open_file(file) as reader:
        return reader.read_all()


def _folder(out: Path) -> Path:
    return out / "truth" / "unfinished"
