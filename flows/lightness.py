"""What a process of the command line spares itself: time that would serve nothing here."""

from __future__ import annotations

import atexit
import gc
import os


def lighten() -> None:
    """Let this process start, work and end with less ado; to be called before anything heavy is imported."""
    # NumPy's algebra, of which nothing is used, would start a thread for each core when it is imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.set_threshold(50_000)  # many objects and hardly a circle among them
    atexit.register(gc.freeze)  # a process that ends need not look for any: all its memory goes with it
