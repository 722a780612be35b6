"""Answers to senders: of a file (ACRF), of a declaration (NOTI, DMPI), of a correction (NOTI, DMNO, BEWA).

And what tells an employer that a number of a person, or its own, is replaced by another one (IDFL).

Written after the XSDs in xsd/; made from frames alone, so that the same filing always gets the same bytes.
"""

from dmfa.answers.account import accounts, system_accounts
from dmfa.answers.changes import changes, system_changes
from dmfa.answers.filings import ANSWER_SCHEMA, answers, refusals, supplemented
from dmfa.answers.identification import identifications
from dmfa.answers.names import answer_name, environment_of, number_of
from dmfa.answers.tickets import filing_ticket, form_ticket

__all__ = [
    "ANSWER_SCHEMA",
    "accounts",
    "answer_name",
    "answers",
    "changes",
    "environment_of",
    "filing_ticket",
    "form_ticket",
    "identifications",
    "number_of",
    "refusals",
    "supplemented",
    "system_accounts",
    "system_changes",
]
