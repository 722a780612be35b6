"""What institutions may have: authorisations, selections, Parquet and XML files, deliveries and their log.

Nothing is written without a `Permit`, and a permit exists only under an authorisation that is valid on its day.
"""

from dmfa.extracts.authorisations import Authorisation, Institution, Permit, permit, permits
from dmfa.extracts.delivery import Delivery, Run, deliver
from dmfa.extracts.exchange import authorisation_rows, delivery_rows, log_rows, recorder
from dmfa.extracts.register import authorised, load
from dmfa.extracts.selection import EXTRACTS, Extract, extract_named

__all__ = [
    "EXTRACTS",
    "Authorisation",
    "Delivery",
    "Extract",
    "Institution",
    "Permit",
    "Run",
    "authorisation_rows",
    "authorised",
    "deliver",
    "delivery_rows",
    "extract_named",
    "load",
    "log_rows",
    "permit",
    "permits",
    "recorder",
]
