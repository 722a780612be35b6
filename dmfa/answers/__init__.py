"""Answers to senders: whether a file was received (ACRF) and what came of each declaration in it (NOTI).

Written after the XSDs in xsd/; made from frames alone, so that the same filing always gets the same bytes.
"""

from dmfa.answers.filings import ANSWER_SCHEMA, answers, refusals
from dmfa.answers.names import answer_name, environment_of, number_of
from dmfa.answers.tickets import filing_ticket, form_ticket

__all__ = [
    "ANSWER_SCHEMA",
    "answer_name",
    "answers",
    "environment_of",
    "filing_ticket",
    "form_ticket",
    "number_of",
    "refusals",
]
