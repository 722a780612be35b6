"""What Prefect is told before its first import: work offline, and leave the terminal to this program.

Prefect reads its environment once, so every module of a flow imports this one before it. What is set outside wins. In
a worker's process Prefect is there first, and the worker's own settings hold.
"""

from __future__ import annotations

import os
import warnings

QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_SERVER_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    # A run without a server starts one, which first makes its database: on a busy machine that takes a while.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "60",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
}
"""Variables of the environment and what they are unless set outside."""

for _name, _value in QUIET.items():
    os.environ.setdefault(_name, _value)

# Their warnings are for those who develop Prefect: at import, and when its database is let go at the end.
for _package in ("prefect", "sqlalchemy"):
    warnings.filterwarnings("ignore", module=rf"{_package}(\..*)?$")
