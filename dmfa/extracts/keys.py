"""The file of keys by which the codes of projects are made: one line a key, for its owner alone.

    # project            key id   from     key
    example-panel        1        2003/1   6f0c...  (64 hexadecimal digits)

A key codes the quarters from its own on, up to the next key of its project: which key coded a quarter depends on the
quarter alone, so a quarter that is given again has the codes that it had. Whoever holds the file can trace every code
back to its person by trying all numbers. No key is in any message, log, manifest, or in the lake.
"""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NoReturn

from dmfa.errors import WrongUsage
from dmfa.extracts.authorisations import ELEVEN_DIGITS, NAME
from dmfa.extracts.private import must_be_private
from dmfa.quarter import Quarter

KEY_BYTES: Final = 32
"""Least number of random bytes of a key: as many as SHA-256 gives."""

FIRST: Final = Quarter(2003, 1)
"""The first quarter that was ever declared: from where the first key of a project codes unless told otherwise."""

SETTING: Final = "DMFA_PSEUDONYM_KEYS"
_WHAT: Final = "key file"
_HEAD: Final = """\
# Keys of projects. Whoever has this file can trace their codes back to persons: it is its owner's alone, is in no
# archive and is sent to nobody. A lost key is lost: nobody can make its codes again.
# project  key id  from quarter  key
"""
_KEY: Final = re.compile(r"([0-9a-f]{2})+")
_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,19}")


@dataclass(frozen=True)
class Key:
    """One key of a project.

    Attributes:
        project: the project.
        id: what manifests tell of it.
        first: the first quarter that it codes.
        secret: the key.
    """

    project: str
    id: str
    first: Quarter
    secret: bytes = field(repr=False)


def key_of(keys: Iterable[Key], project: str, quarter: Quarter) -> Key | None:
    """The key that codes a quarter for a project: its newest one that begins no later; None if there is none."""
    known = [key for key in keys if key.project == project and key.first <= quarter]
    return max(known, key=lambda key: key.first, default=None)


def read_keys(file: Path) -> list[Key]:
    """Read a file of keys.

    Raises:
        WrongUsage: it is not there, others can read it, it lies in a folder under version control, or a line is not
            what it must be; the line is told, and nothing of what stands there.
    """
    try:
        must_be_private(file, _WHAT)
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise WrongUsage(f"there is no key file {file}.", f"{SETTING} names it; `dmfa keys new` makes it.") from None
    except (OSError, UnicodeDecodeError):
        raise WrongUsage(f"the key file {file} cannot be read.", "A text file that this user may read.") from None
    _must_be_nowhere_else(file)
    found: list[Key] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            found.append(_key(f"{file}, line {number}", line.split(), found))
    return found


def new_key(file: Path, project: str, first: Quarter | None = None) -> Key:
    """Make a key for a project and add it to the file, which is made if there is none.

    Args:
        file: the file of keys.
        project: the project.
        first: the first quarter that it codes; for the first key of a project, all quarters if not given.

    Raises:
        WrongUsage: as `read_keys`; or the project has a key already, and no quarter is given from which a new one
            takes its place; or it has one from that quarter on.
    """
    if not _is_name(project):
        raise WrongUsage(
            "no project can have such a name.", "Lower case, digits and hyphens, from a letter on: example-panel."
        )
    _must_be_nowhere_else(file)
    standing = read_keys(file) if file.exists() else []
    own = [key for key in standing if key.project == project]
    if own and first is None:
        raise WrongUsage(
            f"{project} has a key already, from {max(key.first for key in own)} on.",
            "To replace it, say from which quarter on: --from 2026/4. Quarters before keep their codes.",
        )
    since = first or FIRST
    if any(key.first >= since for key in own):
        raise WrongUsage(
            f"{project} has a key from {max(key.first for key in own)} on, and a new one comes after it.",
            "Name a later quarter with --from.",
        )
    numbers = [int(key.id) for key in own if key.id.isdecimal()]
    made = Key(project, str(max(numbers, default=0) + 1), since, secrets.token_bytes(KEY_BYTES))
    _written(file, [*standing, made])
    return made


def destroy_keys(file: Path, project: str) -> int:
    """Take all keys of a project out of the file: its codes can then be made and traced back by nobody.

    Returns:
        How many they were.

    Raises:
        WrongUsage: as `read_keys`; or the project has none.
    """
    standing = read_keys(file)
    kept = [key for key in standing if key.project != project]
    if len(kept) == len(standing):
        told = project if _is_name(project) else "a project of such a name"
        raise WrongUsage(f"{file} has no key of {told}.", "`dmfa keys list` shows the projects that have one.")
    _written(file, kept)
    return len(standing) - len(kept)


def _is_name(text: str) -> bool:
    return re.fullmatch(NAME, text) is not None and ELEVEN_DIGITS.search(text) is None


def _must_be_nowhere_else(file: Path) -> None:
    """Refuse a file of keys that would travel with a repository."""
    if any((folder / ".git").exists() for folder in file.absolute().resolve().parents):
        raise WrongUsage(
            f"the key file {file} lies in a folder under version control, from where it would be copied.",
            "Put it elsewhere, on this machine alone.",
        )


def _key(where: str, words: Sequence[str], before: Sequence[Key]) -> Key:
    def wrong(what: str, todo: str) -> NoReturn:
        raise WrongUsage(f"{where}: {what}.", todo)

    if len(words) != 4:
        wrong(f"there are {len(words)} words, not 4", "A line is: project, key id, first quarter, key.")
    project, name, quarter, text = words
    if not _is_name(project):
        wrong("the project is not written as it must be", "Lower case, digits and hyphens, from a letter on.")
    if not _ID.fullmatch(name):
        wrong("the key id is not written as it must be", "A short name, or a number: 1, 2, 3.")
    try:
        first = Quarter.parse(quarter)
    except ValueError:
        wrong("the third word is not a quarter", "Write it as 2026/3.")
    if not _KEY.fullmatch(text):
        wrong("the key is not written in hexadecimal digits", "`dmfa keys new` makes one.")
    if len(text) < 2 * KEY_BYTES:
        wrong(f"the key has {len(text) // 2} bytes, and {KEY_BYTES} or more are needed", "`dmfa keys new` makes one.")
    secret = bytes.fromhex(text)
    for key in before:
        if secret == key.secret:
            wrong(f"the key is that of {key.project}, {key.id}", "Every key is its own: `dmfa keys new` makes one.")
        if project == key.project and name == key.id:
            wrong(f"{project} has two keys with the id {name}", "Give each an id of its own.")
        if project == key.project and first == key.first:
            wrong(f"{project} has two keys from {first} on", "A key begins where the one before ends.")
    return Key(project, name, first, secret)


def _written(file: Path, keys: Iterable[Key]) -> None:
    """Write the file whole or not at all, for its owner alone."""
    lines = [f"{key.project} {key.id} {key.first} {key.secret.hex()}\n" for key in keys]
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # readable by its owner alone
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as made:
                made.write(_HEAD + "".join(lines))
                made.flush()
                os.fsync(made.fileno())
            Path(name).replace(file)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        reason = (error.strerror or "unknown").lower()
        raise WrongUsage(
            f"the key file {file} cannot be written: {reason}.", "What stood there before still does."
        ) from None
