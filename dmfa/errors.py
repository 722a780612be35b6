"""Errors that a person reads, each with the exit code of the command line."""

from __future__ import annotations


class DmfaError(Exception):
    """A failure told in one or two plain lines.

    Attributes:
        what: what happened and where, without any person's number or name.
        todo: what to do about it; empty when there is nothing to do.
        exit_code: the command line's exit code for this class of failure.
    """

    exit_code = 1

    def __init__(self, what: str, todo: str = "") -> None:
        super().__init__(what, todo)
        self.what = what
        self.todo = todo

    def __str__(self) -> str:
        return f"{self.what}\n{self.todo}" if self.todo else self.what


class WrongUsage(DmfaError):
    """The command was called with words or values it does not take."""

    exit_code = 2


class WrongSchema(WrongUsage, ValueError):
    """An XSD at hand is no schema of its message, or contradicts another release."""


class NothingToRead(DmfaError):
    """No such path, no filing in the folder, no readable byte."""

    exit_code = 10


class UnknownQuarter(DmfaError):
    """The quarter asked for, or a named rate file, has no schema or table."""

    exit_code = 11


class NotAuthorised(DmfaError):
    """An extract asked for by name has no valid authorisation."""

    exit_code = 12


class LakeProblem(DmfaError):
    """The lake is busy, full, damaged, or newer than the program."""

    exit_code = 13


class LakeBusy(LakeProblem):
    """Another program is writing to the lake; later the same run can succeed."""


class LakeFull(LakeProblem):
    """The disk is full; once somebody has made room the same run can succeed."""


class Interrupted(DmfaError):
    """The run was stopped from outside; what was there before is unchanged."""

    exit_code = 14


class ProgramError(DmfaError):
    """An error of the program itself; what it said is left out, because it may quote a person's data."""

    exit_code = 70
