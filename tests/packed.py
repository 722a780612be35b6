"""What packed files hold, read by nothing of the program."""

from __future__ import annotations

import gzip
import tarfile
import zipfile
from pathlib import Path


def unpacked(path: Path) -> dict[str, bytes]:
    """Every file that one file holds, by the name under which a receiver knows it; itself if it can not be unpacked."""
    try:
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                return {f"{path.name}/{name}": archive.read(name) for name in archive.namelist()}
        if path.name.endswith(".tar.gz"):
            with tarfile.open(path, "r:gz") as archive:
                files = {f"{path.name}/{member.name}": archive.extractfile(member) for member in archive.getmembers()}
                return {name: file.read() for name, file in files.items() if file}
        if path.suffix == ".gz":
            return {path.name: gzip.decompress(path.read_bytes())}
    except (zipfile.BadZipFile, EOFError):
        pass
    return {path.name: path.read_bytes()}


def contents(folder: Path) -> dict[str, bytes]:
    """Every filing of a folder of samples, unpacked, by name."""
    return {name: data for path in sorted(folder.iterdir()) for name, data in unpacked(path).items()}
