"""The messages that are read: what each calls its root, its declaration and its persons."""

from __future__ import annotations

from dataclasses import dataclass

FORM = "Form"


@dataclass(frozen=True)
class Message:
    """One kind of message.

    Attributes:
        name: its root element, by which its XSDs are named.
        top: the block of a Form that holds the declaration, or the correction of one.
        person: the block of a person in it, of which a filing may hold very many.
    """

    name: str
    top: str
    person: str


ORIGINAL = Message("DmfAOriginal", "EmployerDeclaration", "NaturalPerson")
UPDATE = Message("DmfAUpdate", "EmployerDeclarationUpdate", "NaturalPersonUpdate")

MESSAGES = {message.name: message for message in (ORIGINAL, UPDATE)}
"""By root element."""
