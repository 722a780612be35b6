"""Answers to senders: was a file received (ACRF), what came of each declaration (NOTI), what it is known by (DMPI).

Written after the XSDs in xsd/; made from frames alone, so that the same filing always gets the same bytes.
"""

from dmfa.answers.filings import ANSWER_SCHEMA, answers, refusals
from dmfa.answers.identification import identifications
from dmfa.answers.names import answer_name, environment_of, number_of
from dmfa.answers.tickets import filing_ticket, form_ticket

__all__ = [
    "ANSWER_SCHEMA",
    "answer_name",
    "answers",
    "environment_of",
    "filing_ticket",
    "form_ticket",
    "identifications",
    "number_of",
    "refusals",
]
