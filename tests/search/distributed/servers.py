"""Real servers for tests: PostgreSQL, and a Dask scheduler with worker processes."""

import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

STARTED_WITHIN = 90
OPTIONS = ("--no-nanny", "--no-dashboard", "--preload", "attrsearch.search.distributed.dask_worker")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def answers(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex(("127.0.0.1", port)) == 0


def wait_for(port: int) -> None:
    deadline = time.monotonic() + STARTED_WITHIN
    while not answers(port):
        assert time.monotonic() < deadline, f"nothing answers at port {port}"
        time.sleep(0.1)


def postgres_programs() -> Path | None:
    """Where Debian's package (or the path) has ``initdb``."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


class Postgres:
    """A PostgreSQL server of its own, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        programs = postgres_programs()
        if programs is None:
            pytest.skip("no PostgreSQL server on this machine: apt-get install postgresql")
        self._programs, self._folder, self.port = programs, folder, free_port()
        self._as: dict[str, Any] = {}
        if os.getuid() == 0:  # PostgreSQL does not run as root
            try:
                user = pwd.getpwnam("postgres")
            except KeyError:
                pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
            self._as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
            os.chown(folder, user.pw_uid, user.pw_gid)
        self._run("initdb", "-D", folder / "data", "-A", "trust", "-U", "test", "--no-sync")
        self.start()

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://test:secret@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        options = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
        )
        log = ["-l", self._folder / "log"]
        self._run(
            "pg_ctl", "-D", self._folder / "data", "-o", options, *log, "-w", "-t", "60", "start"
        )

    def stop(self) -> None:
        """As a crash: nobody is told."""
        self._run("pg_ctl", "-D", self._folder / "data", "-m", "immediate", "-w", "stop")

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(self._programs / program), *(str(item) for item in arguments)]
        place = {"cwd": self._folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(command, check=True, timeout=STARTED_WITHIN, **place, **self._as)  # type: ignore[call-overload]


class Cluster:
    """A Dask scheduler and its worker processes."""

    def __init__(self, workers: int) -> None:
        self.port, self._count = free_port(), workers
        self.workers: list[subprocess.Popen[bytes]] = []
        self.start()

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def start(self) -> None:
        quiet = ["--no-dashboard"]
        self.scheduler = self._launch(
            "dask_scheduler", "--port", str(self.port), "--host", "127.0.0.1", *quiet
        )
        wait_for(self.port)
        self.workers = [self.add() for _ in range(self._count)]

    def add(self) -> "subprocess.Popen[bytes]":
        return self._launch("dask_worker", self.address, "--nthreads", "1", *OPTIONS)

    def stop(self) -> None:
        for process in (self.scheduler, *self.workers):
            process.kill()
            process.wait()

    def _launch(self, program: str, *arguments: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", f"distributed.cli.{program}", *arguments]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        return subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
        )
