"""The built wheel works outside the checkout: in an empty folder, with its own XSDs and parameters."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

from tests.conftest import ROOT, SAMPLES


def test_an_installed_wheel_runs_an_inbox_in_an_empty_folder(tmp_path: Path) -> None:
    def call(*words: object, cwd: Path = ROOT, code: int = 0) -> str:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("DMFA_", "PYTHON"))}
        done = subprocess.run(
            [*map(str, words)],
            cwd=cwd,
            env={**environment, "DMFA_RECEIVED_ON": "2026-11-22"},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    call(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path / "dist")
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    venv = tmp_path / "venv"
    call(sys.executable, "-m", "venv", "--without-pip", venv)
    (site,) = venv.glob("lib/python3*/site-packages")
    # The dependencies are those of this environment; the project itself comes from the wheel alone.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    call(sys.executable, "-m", "pip", "--python", venv / "bin/python", "install", "--no-index", "--no-deps", wheel)
    empty = tmp_path / "empty"
    empty.mkdir()
    where = call(venv / "bin/python", "-c", "import dmfa, contributions, flows; print(dmfa.__file__)", cwd=empty)
    assert where.startswith(str(site))
    output = call(
        venv / "bin/dmfa", "run", "2026/3", "--no-prefect", "--inbox", SAMPLES / "inbox",
        "--authorisations", SAMPLES / "authorisations.yaml", cwd=empty, code=1,
    )  # fmt: skip
    assert "Declared against computed, 2026/3" in output
    assert "control: " in output
    assert {path.name for path in empty.iterdir()} == {"lake", "out"}
