"""The trees of XSDs as they were last read, in the user's cache folder.

Reading five releases takes half a second of every start, a remembered tree a millisecond. It is found again by the
bytes of the XSD and of the code that reads it, so that it can be neither old nor another's; whatever is wrong with the
folder, the XSD itself is read.
"""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from dmfa.schema.tree import Block, Zone

_READ_BY = ("tree.py", "reader.py", "remembered.py")


def recall(xsd: Path) -> Block | None:
    """The tree of an XSD, None if it is not remembered."""
    try:
        told = json.loads(_place(xsd).read_bytes())
        blocks: dict[str, Block] = {}
        for one in told:
            zones = (Zone(**{**zone, "facets": _facets(zone["facets"])}) for zone in one["zones"])
            children = (blocks[name] for name in one["children"])
            blocks[one["name"]] = Block(**{**one, "zones": tuple(zones), "children": tuple(children)})
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RuntimeError):
        return None
    return blocks.get(told[-1]["name"]) if told else None


def remember(xsd: Path, root: Block) -> None:
    """Keep the tree of an XSD; where that is not possible, nothing is kept."""
    blocks: dict[str, dict[str, Any]] = {}
    _note(root, blocks)
    # No home, no room, no right to write: the next start takes half a second longer, and that is all.
    with suppress(OSError, RuntimeError):
        place = _place(xsd)
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=place.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(list(blocks.values()), file)
            Path(draft).replace(place)
        finally:
            Path(draft).unlink(missing_ok=True)


def _note(block: Block, blocks: dict[str, dict[str, Any]]) -> None:
    """Blocks by name, each once and after all that are inside it."""
    for child in block.children:
        if child.name not in blocks:
            _note(child, blocks)
    own = {name: getattr(block, name) for name in ("name", "number", "words", "leaves_first")}
    zones = [asdict(zone) for zone in block.zones]
    blocks[block.name] = {**own, "zones": zones, "children": [child.name for child in block.children]}


def _facets(told: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(values) for name, values in told.items()}


def _place(xsd: Path) -> Path:
    told = sha256(_code())
    told.update(xsd.read_bytes())
    return _folder() / f"{xsd.stem}-{told.hexdigest()[:32]}.json"


@cache
def _code() -> bytes:
    return b"".join((Path(__file__).parent / name).read_bytes() for name in _READ_BY)


def _folder() -> Path:
    """Where a user's programs keep what they can make again, by the XDG base directory specification."""
    told = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(told) if told.startswith("/") else Path.home() / ".cache") / "dmfa"
