"""Running a flow: what goes wrong in it or in Prefect itself is told in plain words, with its exit code."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from dmfa.errors import DmfaError, ProgramError

R = TypeVar("R")


@contextmanager
def border() -> Iterator[None]:
    """Keep back what an unforeseen error says: Prefect would keep its words, and they may quote a person's data.

    Raises:
        ProgramError: in its place.
    """
    try:
        yield
    except DmfaError:
        raise
    except Exception as error:
        raise ProgramError(
            f"an error of the program ({type(error).__name__})",
            "Run it again with --no-prefect --debug, or without PREFECT_API_URL, and report it.",
        ) from None


def run_here(flow: Callable[..., R], **parameters: Any) -> R:
    """Run a flow in this process and return what it did.

    Everything inside a flow stands behind `border`, so what else comes out of it is Prefect's own trouble.

    Raises:
        DmfaError: as the flow raises it.
        ProgramError: Prefect cannot run it.
    """
    try:
        _have_a_server()
        return flow(**parameters)
    except DmfaError:
        raise
    except Exception as error:
        raise ProgramError(
            f"Prefect cannot run the flow ({type(error).__name__})",
            "Check PREFECT_API_URL and its server, or run the stages alone: --no-prefect, or without PREFECT_API_URL.",
        ) from error


def _have_a_server() -> None:
    """Start the server that Prefect starts where none is named, so that Ctrl-C does not reach it.

    It ends with this process in any case. A thread that blocks the signal starts it, and it inherits the block.
    """
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_URL

    if PREFECT_API_URL.value():
        return
    trouble: list[Exception] = []

    def start() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            get_client(sync_client=True)
        except Exception as error:
            trouble.append(error)

    starter = threading.Thread(target=start, daemon=True)
    starter.start()
    starter.join()
    if trouble:
        raise trouble[0]
