"""What accidents happen to."""

import pytest

from tests.unit.lake.material import new_lake, stage, writer


@pytest.fixture
def folder(tmp_path):
    """A lake in which one item is published."""
    folder = new_lake(tmp_path)
    with writer(folder) as lake:
        lake.publish([stage(folder, 1)])
    return folder
