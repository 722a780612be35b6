"""What a verb imports: only `run` as a flow needs Prefect, only a cluster what it takes, and no worker either."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT, SAMPLES

SCRIPT = """
import json, sys
from flows.cli import main
try:
    main()
except SystemExit:
    pass
json.dump(sorted(sys.modules), open({target!r}, "w"))
"""
GOOD = SAMPLES / "inbox" / "FI.DMFA.700001.20261003.00001.R.1.1"


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["doctor"],
        ["validate", str(GOOD)],
        ["ingest", str(GOOD)],
        ["run", "2026/3", "--inbox", str(SAMPLES / "inbox"), "--no-prefect"],
        ["sql", "SELECT 1"],
        ["simulate", "2026/3", "--parameters", str(SAMPLES / "what-if.yaml")],
        ["synth", "2026/3", "--employers", "1", "--processes", "1", "--out", "made"],
    ],
    ids=lambda words: words[0],
)
def test_neither_prefect_nor_what_a_cluster_takes_is_imported(words: list[str], tmp_path) -> None:
    target = tmp_path / "modules.json"
    subprocess.run(
        [sys.executable, "-c", SCRIPT.format(target=str(target)), *words],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "DMFA_RECEIVED_ON": "2026-11-22"},
        capture_output=True,
        check=True,
        timeout=300,
    )
    modules = set(json.loads(target.read_text()))
    assert not modules & {"prefect", "dask", "distributed", "prefect_dask", "fsspec", "s3fs", "botocore", "psycopg"}
    if words == ["--help"]:
        assert not modules & {"polars", "pyarrow", "duckdb", "xmlschema"}


def test_workers_do_not_import_prefect() -> None:
    script = (
        "import sys, flows.stages.item, flows.stages.validate; print('prefect' in sys.modules, 'duckdb' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
