"""Ingest the filings in a folder into a lake of their own and compare its tables with them, cell by cell.

`make samples-check DIR=FOLDER`. The comparison reads the XML anew, with plain XPath and none of the program's readers.
What passes the validator's checks alone is kept, since samples are filler; what all checks find in it is printed.
"""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from dmfa.errors import DmfaError
from flows.settings import Settings
from flows.stages import ingest, report, validate
from tests.oracle_lake import compare

SHOWN = 50


def main(paths: list[str]) -> int:
    """Ingest and compare; 1 if a cell differs."""
    with tempfile.TemporaryDirectory(prefix="dmfa-check-") as folder:
        alone = {**os.environ, "DMFA_CHECKS": "validator"}
        settings = Settings.gather(alone, lake=f"{folder}/lake", out=f"{folder}/out")
        try:
            report.show_ingest(ingest.run([Path(path) for path in paths], settings), settings)
            validate.run([Path(path) for path in paths], replace(settings, checks="all"), as_json=False)
        except DmfaError as error:
            print(error, file=sys.stderr)
            return error.exit_code
        declarations, found = compare(Path(settings.lake))
    print("\n".join(found[:SHOWN]))
    print(f"{declarations} accepted declarations compared cell by cell: {len(found)} differences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
