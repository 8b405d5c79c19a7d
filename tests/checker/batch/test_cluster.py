"""The same work on a Dask cluster: real scheduler and workers, on this machine's loopback."""

import logging
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from checker.batch import pool
from checker.batch.pool import DaskPool, NoCluster
from checker.course import installed_course
from tests.checker.waiting import until

KATA = installed_course().find("07")
WRONG = KATA.fingerprints.parent / "chunks_of_limit.py"


class Cluster:
    """A scheduler and its workers, as processes that can be killed."""

    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        self.folder = folder
        port = self.address.rpartition(":")[2]
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")
        self.workers = [self.worker(), self.worker()]

    def _start(self, name, *words):
        log = (self.folder / f"{name}.log").open("ab")
        command = [sys.executable, "-m", f"distributed.cli.dask_{name}", *words]
        with log:
            return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, cwd=self.folder)

    def worker(self):
        words = [self.address, "--nthreads", "1", "--no-dashboard", "--no-nanny", "--death-timeout", "60"]
        return self._start("worker", *words)

    def close(self):
        for process in (*self.workers, self.scheduler):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def cluster(tmp_path):
    found = Cluster(tmp_path)
    until(lambda: (tmp_path / "worker.log").read_text().count("Starting established connection") >= 2, "two workers")
    yield found
    found.close()


@pytest.fixture
def many(tmp_path):
    """Twelve submissions of three kinds."""
    for number in range(12):
        folder = tmp_path / "in" / f"learner{number:02}"
        folder.mkdir(parents=True)
        (folder / "07_semaphore.py").write_bytes([KATA.solution, KATA.stub, WRONG][number % 3].read_bytes())
    return tmp_path / "in"


def started(folder, out, address):
    command = [sys.executable, "-c", "from checker.cli import main; main()", "grade", str(folder), "--out", str(out)]
    return subprocess.Popen(
        [*command, "--dask", address, "--seed", "4"], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def rows(out):
    """Every row of the gradebook; none while there is no book."""
    try:
        with closing(sqlite3.connect(f"file:{out / 'gradebook.sqlite'}?mode=ro", uri=True)) as base:
            found = base.execute("SELECT learner, verdict, score FROM gradings ORDER BY learner").fetchall()
    except sqlite3.Error:
        return []
    return found


def test_a_killed_worker_of_a_cluster_costs_nothing_but_time(cluster, kata, many, tmp_path):
    """Local or Dask, with a worker killed on the way: the same rows, each once."""
    kata("grade", str(many), "--out", str(tmp_path / "local"), "--seed", "4", "--jobs", "2")
    driver = started(many, tmp_path / "out", cluster.address)
    until(lambda: len(rows(tmp_path / "out")) >= 2, "two rows")
    os.killpg(cluster.workers[0].pid, signal.SIGKILL)
    cluster.workers.append(cluster.worker())
    _, told = driver.communicate(timeout=200)
    assert driver.returncode == 1, told
    found = rows(tmp_path / "out")
    assert len(found) == 12
    assert found == rows(tmp_path / "local")


def test_a_scheduler_that_goes_away_ends_in_a_sentence(cluster, many, tmp_path):
    """Scheduler killed: exit status 3 and a sentence; what was written stays, and the same command goes on."""
    driver = started(many, tmp_path / "out", cluster.address)
    until(lambda: len(rows(tmp_path / "out")) >= 1, "one row")
    os.killpg(cluster.scheduler.pid, signal.SIGKILL)
    _, told = driver.communicate(timeout=120)
    assert driver.returncode == 3, told
    assert "The Dask scheduler has gone away" in told
    assert "Traceback" not in told
    assert {row[1] for row in rows(tmp_path / "out")} <= {"passed", "failed"}


def test_what_a_cluster_logs_is_kept_from_the_user(cluster):
    """Whatever comes to be logged on the cluster's account stays off the screen, tracebacks above all."""
    pool = DaskPool(cluster.address)
    try:
        loggers = [logging.getLogger(name) for name in ("distributed.client", "tornado.application", "asyncio")]
        assert not any(logger.isEnabledFor(logging.CRITICAL) for logger in loggers)
    finally:
        pool.close()
        logging.disable(logging.NOTSET)


def test_a_scheduler_that_does_not_answer_is_told(monkeypatch):
    """Nobody at the address: a sentence, not a wait without end."""
    monkeypatch.setattr(pool, "TO_ANSWER", 0.5)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(NoCluster, match="No Dask scheduler answers at"):
            DaskPool(address)


def test_dask_is_asked_for_where_it_is_missing(monkeypatch):
    """Without the extra, the sentence says what to install."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(NoCluster, match=r'pip install "asyncio-katas\[dask\]"'):
        DaskPool("tcp://127.0.0.1:1")
