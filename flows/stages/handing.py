"""Work on its way from one process to another, as a file in a folder that all of them see.

It does not go with the call itself: on a cluster calls and their results pass through a scheduler, which is not made
for so much, and which nobody's number needs to pass.
"""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from dmfa.address import Place
from dmfa.errors import LakeProblem
from dmfa.lake import Location
from dmfa.lake.border import disk
from dmfa.lake.files import write_whole

T = TypeVar("T")


@dataclass(frozen=True)
class HandedOver(Generic[T]):
    """A thing on its way: the file that holds it, and what that must be.

    Attributes:
        path: the file.
        sha256: its digest.
        lake: the lake that it is for.
    """

    path: Place
    sha256: str
    lake: str

    @classmethod
    def of(cls, thing: T, folder: Place, lake: str) -> HandedOver[T]:
        """Hand something over.

        Raises:
            LakeProblem: the folder's disk is full or cannot be written.
        """
        data = pickle.dumps(thing, protocol=5)
        sha256 = hashlib.sha256(data).hexdigest()
        path = folder / f"{sha256}.share"
        with disk(Location.of(lake), "handing work on for"):
            write_whole(path, data, durable=False)
        return cls(path, sha256, lake)

    def taken(self) -> T:
        """The thing, for who needs it.

        Raises:
            LakeProblem: the file cannot be read, or is not what was handed over.
        """
        with disk(Location.of(self.lake), "handing work on for"):
            data = self.path.read_bytes()
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise LakeProblem(
                f"{self.path} was changed while it was handed to a worker.",
                "Nothing was published. See who else writes there, and run again.",
            )
        return cast("T", pickle.loads(data))  # noqa: S301 - the very bytes that were handed over

    def forget(self) -> None:
        """Remove the file once nobody needs it."""
        self.path.unlink(missing_ok=True)
