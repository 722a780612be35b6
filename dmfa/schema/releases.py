"""Which release of a message's XSD judges a quarter."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dmfa.quarter import Quarter

_FILE = re.compile(r"(?P<message>[A-Za-z]\w*?)_(?P<quarter>\d{4}[1-4])\.xsd")


@dataclass(frozen=True, order=True)
class Release:
    """One message's XSD of one quarter.

    Attributes:
        message: name of the root element, e.g. `DmfAOriginal`.
        quarter: first quarter for which the release is made.
        path: where the XSD lies.
    """

    message: str
    quarter: Quarter
    path: Path

    @property
    def name(self) -> str:
        """File name, as filings cite it in their schemaLocation."""
        return f"{self.message}_{self.quarter.code}.xsd"


@cache
def home() -> Path:
    """The folder of the project's own XSDs: inside an installed package, or beside the packages in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "xsd"
    return installed if installed.is_dir() else package.parent / "xsd"


@cache
def releases(message: str, folder: Path | None = None) -> tuple[Release, ...]:
    """All releases of a message at hand, oldest first.

    Args:
        message: name of the root element.
        folder: a folder whose releases come before the project's own of the same quarter.
    """
    found: dict[Quarter, Release] = {}
    for place in filter(None, (folder, home())):
        for path in sorted(place.glob("*.xsd")):
            match = _FILE.fullmatch(path.name)
            if match and match["message"] == message:
                quarter = Quarter.parse(match["quarter"])
                found.setdefault(quarter, Release(message, quarter, path))
    return tuple(found[quarter] for quarter in sorted(found))


def release_for(message: str, quarter: Quarter, folder: Path | None = None) -> Release | None:
    """The newest release not later than a quarter, or None before the oldest."""
    return next((release for release in reversed(releases(message, folder)) if release.quarter <= quarter), None)


def newest(message: str, folder: Path | None = None) -> Release | None:
    """The newest release of a message, or None if there is none of it."""
    return next(reversed(releases(message, folder)), None)
