"""YAML read strictly: a key written twice is a fault, and every fault is told with its line."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, Final

import yaml

from dmfa.errors import WrongUsage

_NUMBER: Final = re.compile(r"\d{2,}")


class _Loader(yaml.SafeLoader):
    """YAML without a key written twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, "a key stands twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


class StrictDocument:
    """A YAML document whose faults are told with their line."""

    def __init__(self, file: Path, text: str) -> None:
        self._file, self._loader = file, _Loader(text)

    def get_single_node(self) -> Any:
        """The document as a tree; None if it is empty."""
        return self._told(self._loader.get_single_node)

    def construct_document(self, node: yaml.Node) -> Any:
        """What a tree says, as lists, dictionaries, texts and days."""
        return self._told(lambda: self._loader.construct_document(node))

    def _told(self, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except (yaml.YAMLError, ValueError) as error:
            mark = getattr(error, "problem_mark", None)
            where = f"line {mark.line + 1}" if mark else "some line"
            # What is wrong with a name or a tag repeats it.
            problem = _NUMBER.sub("...", getattr(error, "problem", None) or "a value is not what it seems")
            raise WrongUsage(f"{self._file}, {where}: {problem}.", "Correct the YAML; nothing was given out.") from None


def strict_document(file: Path) -> StrictDocument:
    """A file of YAML, read but not yet taken apart.

    Raises:
        WrongUsage: it cannot be read, or is not text.
    """
    try:
        text = file.read_text(encoding="utf-8")
        return StrictDocument(file, text)
    except OSError as error:
        reason = (error.strerror or "unreadable").lower()
        raise WrongUsage(f"{file} cannot be read: {reason}.", "Name a file with --authorisations.") from None
    except (UnicodeDecodeError, yaml.YAMLError):
        raise WrongUsage(f"{file} is not text in UTF-8.", "Save it as UTF-8.") from None
