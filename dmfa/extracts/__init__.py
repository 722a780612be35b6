"""What institutions may have: authorisations, selections, Parquet and XML files, deliveries and their log.

Nothing is written without a `Permit`, and a permit exists only under an authorisation that is valid on its day.
"""

from dmfa.extracts.authorisations import (
    NAME,
    Authorisation,
    Denied,
    Institution,
    Permit,
    Refusal,
    can_be_a_name,
    permit,
    permits,
    refusals,
    shown,
)
from dmfa.extracts.delivery import Delivery, Manner, Run, deliver, deliver_all
from dmfa.extracts.draft import Work, Written
from dmfa.extracts.exchange import authorisation_rows, delivery_rows, log_rows, record_refusals, recorder
from dmfa.extracts.register import authorised, load
from dmfa.extracts.selection import EXTRACTS, Extract, extract_named

__all__ = [
    "EXTRACTS",
    "NAME",
    "Authorisation",
    "Delivery",
    "Denied",
    "Extract",
    "Institution",
    "Manner",
    "Permit",
    "Refusal",
    "Run",
    "Work",
    "Written",
    "authorisation_rows",
    "authorised",
    "can_be_a_name",
    "deliver",
    "deliver_all",
    "delivery_rows",
    "extract_named",
    "load",
    "log_rows",
    "permit",
    "permits",
    "record_refusals",
    "recorder",
    "refusals",
    "shown",
]
