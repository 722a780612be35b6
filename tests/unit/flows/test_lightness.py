"""What a process spares itself: looked at in one of its own, for it holds for the whole process."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT

SCRIPT = """
import atexit, gc, json, os
atexit.register(lambda: print(gc.get_freeze_count() > 1_000))
from flows.lightness import lighten
lighten()
print(json.dumps([gc.isenabled(), gc.get_threshold()[0], os.environ["OPENBLAS_NUM_THREADS"], gc.get_freeze_count()]))
"""


@pytest.mark.parametrize(("chosen", "threads"), [({}, "1"), ({"OPENBLAS_NUM_THREADS": "4"}, "4")])
def test_a_process_looks_for_circles_seldom_and_not_at_its_end(chosen: dict[str, str], threads: str) -> None:
    given = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"} | chosen
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, env=given, capture_output=True, text=True, check=True
    )
    meanwhile, at_the_end = done.stdout.splitlines()
    assert json.loads(meanwhile) == [True, 50_000, threads, 0]
    assert at_the_end == "True"
