"""Worker processes: every item once, no trace of a stop, a death told plainly."""

import gc
import os
import signal
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest

from dmfa.errors import Interrupted
from dmfa.reading import pool
from dmfa.reading.pool import Pool, WorkerDied, _as_workers_start, cores, run_pool


def square(number):
    return number * number, os.getpid()


def threads(_):
    import polars as pl

    return pl.thread_pool_size()


def end_abruptly(number):
    os._exit(9)


def fail(number):
    raise ValueError("bad item")


def stop(number):
    raise KeyboardInterrupt


def test_every_item_once_and_progress():
    seen = []
    results = dict(run_pool(square, list(range(9)), 2, lambda done, of: seen.append((done, of))))
    assert {position: value for position, (value, _) in results.items()} == {n: n * n for n in range(9)}
    assert seen == [(done, 9) for done in range(1, 10)]
    assert os.getpid() not in {process for _, process in results.values()}


def test_one_item_is_done_here_the_largest_first():
    assert list(run_pool(square, [3])) == [(0, (9, os.getpid()))]
    order = [position for position, _ in run_pool(square, [1, 5, 3], 1, weight=lambda item: item)]
    assert order == [1, 2, 0]
    assert list(run_pool(square, [])) == []


def test_the_same_workers_do_one_work_after_the_other():
    with Pool(2) as pool:
        pool.prepare()
        first = {process for _, (_, process) in pool.run(square, list(range(20)))}
        second = {process for _, (_, process) in pool.run(square, list(range(20)))}
    assert len(first | second) <= 2
    assert os.getpid() not in first | second
    for process in first | second:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def of_the_environment(name):
    return os.environ.get(name)


def _leave_a_trace(folder):
    (folder / str(os.getpid())).touch()
    raise ValueError("nobody asks what came of it")


def test_workers_are_made_ready_for_what_comes_next(tmp_path):
    with Pool(2) as workers:
        workers.prepare(partial(_leave_a_trace, tmp_path))
        done = {process for _, (_, process) in workers.run(square, list(range(4)))}
    traces = {int(path.name) for path in tmp_path.iterdir()}
    assert traces
    assert os.getpid() not in traces | done


def test_one_worker_alone_is_ready(tmp_path):
    with Pool(1) as workers:
        workers.prepare(partial(_leave_a_trace, tmp_path))
    assert not list(tmp_path.iterdir())


def test_workers_alone_have_one_thread_and_keep_memory_where_asked():
    names = ["POLARS_MAX_THREADS", "_RJEM_MALLOC_CONF"]
    here = [os.environ.get(name) for name in names]
    for keeps in (False, True):
        with Pool(2, keep_memory=keeps) as pool:
            threads, memory = (value for _, value in sorted(pool.run(of_the_environment, names)))
        assert threads == "1"
        assert ("thp:always" in (memory or "")) == keeps
    assert [os.environ.get(name) for name in names] == here


def looks_for_circles(_):
    return gc.get_freeze_count() > 10_000, gc.get_threshold()[0]


def test_workers_alone_seldom_look_for_circles_of_objects():
    here = gc.get_freeze_count(), gc.get_threshold()
    assert dict(run_pool(looks_for_circles, [1, 2], 2)) == dict.fromkeys((0, 1), (True, pool._NEW_OBJECTS))
    assert dict(run_pool(looks_for_circles, [1], 1)) == {0: (here[0] > 10_000, here[1][0])}
    assert (gc.get_freeze_count(), gc.get_threshold()) == here


def test_one_worker_alone_is_this_process():
    with Pool(1) as pool:
        pool.prepare()
        assert [process for _, (_, process) in pool.run(square, [1, 2])] == [os.getpid()] * 2


def test_workers_end_when_the_caller_fails():
    with pytest.raises(ValueError, match="elsewhere"), Pool(2) as pool:
        (_, (_, process)), *_ = pool.run(square, [1, 2])
        raise ValueError("elsewhere")
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def remember(name):
    os.environ["REMEMBERED"] = name


def remembered(_):
    return os.environ.get("REMEMBERED")


def test_every_process_that_works_is_started_with_the_same_words(monkeypatch):
    monkeypatch.setenv("REMEMBERED", "")
    assert dict(run_pool(remembered, [1, 2, 3], 2, start=(remember, ("yes",)))) == dict.fromkeys(range(3), "yes")
    assert os.environ["REMEMBERED"] == ""
    assert list(run_pool(remembered, [1], start=(remember, ("here",)))) == [(0, "here")]


@pytest.mark.parametrize("before", [None, "7"])
def test_own_number_of_threads_stays(monkeypatch, before):
    for name in pool._THREADS:
        monkeypatch.delenv(name, raising=False)
    if before:
        for name in pool._THREADS:
            monkeypatch.setenv(name, before)
    assert dict(run_pool(threads, [1, 2], 2)) == {0: 1, 1: 1}
    assert [os.environ.get(name) for name in pool._THREADS] == [before, before]


def test_a_worker_that_dies_is_one_clear_error():
    with pytest.raises(WorkerDied, match="ended without a result"):
        list(run_pool(end_abruptly, [1, 2, 3], 2))


def test_an_error_of_an_item_comes_through():
    with pytest.raises(ValueError, match="bad item"):
        list(run_pool(fail, [1, 2], 2))


def test_a_caller_may_stop_early():
    results = run_pool(square, list(range(50)), 2)
    next(results)
    results.close()


def much(_):
    return bytes(30_000_000)


def test_a_caller_may_stop_while_a_result_is_on_its_way():
    for _ in range(3):
        results = run_pool(much, list(range(8)), 2)
        next(results)
        results.close()


def test_interrupted():
    with pytest.raises(Interrupted) as caught:
        list(run_pool(stop, [1], 1))
    assert caught.value.exit_code == 14


SCRIPT = """
import os, sys, threading
from dmfa.reading.pool import run_pool
from dmfa.errors import Interrupted

def wait_for_ever(item):
    os.write(1, b"started" + os.linesep.encode())  # at once: two workers share the line
    threading.Event().wait()

if __name__ == "__main__":
    if "polars" in sys.argv:
        import polars as pl

        pl.LazyFrame({"a": [1]}).collect()
    try:
        list(run_pool(wait_for_ever, [1, 2, 3], 2))
    except Interrupted as error:
        print(error.what, flush=True)
        sys.exit(error.exit_code)
"""


@pytest.mark.parametrize("words", [[], ["polars"]], ids=["alone", "beside polars"])
def test_ctrl_c_leaves_no_trace_and_no_worker(tmp_path, words):
    script = tmp_path / "run.py"
    script.write_text(SCRIPT, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, str(script), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        start_new_session=True,
    )
    with process:
        try:
            assert [process.stdout.readline() for _ in range(2)] == ["started\n"] * 2
            # The whole group, as a terminal does it.
            os.killpg(process.pid, signal.SIGINT)
            out, err = process.communicate(timeout=30)
        finally:
            process.kill()
    assert (out, err, process.returncode) == ("stopped\n", "", 14)


def test_ctrl_c_while_workers_start_takes_effect_when_they_have():
    """Another thread, which blocks nothing, takes the signal."""

    def take():
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        signal.raise_signal(signal.SIGINT)

    handler, seen = signal.getsignal(signal.SIGINT), []
    with pytest.raises(KeyboardInterrupt), _as_workers_start({"POLARS_MAX_THREADS": "1"}):
        thread = threading.Thread(target=take)
        thread.start()
        thread.join()
        seen.append(os.environ["POLARS_MAX_THREADS"])
    assert seen == ["1"]
    assert signal.getsignal(signal.SIGINT) is handler
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_workers_end_with_a_parent_that_is_killed(tmp_path):
    script = tmp_path / "run.py"
    script.write_text(SCRIPT.replace('b"started"', 'b"%d" % os.getpid()'), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    words = [sys.executable, str(script)]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        assert len({int(process.stdout.readline()) for _ in range(2)} - {process.pid}) == 2
        process.kill()
        # The pipe ends when the last process that could write to it has ended.
        assert process.stdout.read() == ""


def test_cores():
    assert cores() >= 1
