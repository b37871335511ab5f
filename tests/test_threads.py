"""A thread that does the same with each thing."""

import threading

import pytest

from dxf.threads import Worker

from .support.waiting import wait_until


@pytest.fixture
def started():
    return set(threading.enumerate())


def left(started):
    return set(threading.enumerate()) - started


def test_it_does_them_in_order(started):
    done = []
    worker = Worker(done.append)
    for number in range(1000):
        worker.give(number)
    worker.wait()
    assert done == list(range(1000))
    worker.close()
    wait_until(lambda: not left(started), 'the thread to end')


def test_it_is_waited_for_until_so_many_are_left():
    may, done = threading.Semaphore(0), []

    def work(number):
        may.acquire()
        done.append(number)

    worker = Worker(work)
    for number in range(5):
        worker.give(number)
    may.release()
    may.release()
    worker.wait(3)
    assert done == [0, 1]
    for _ in range(3):
        may.release()
    worker.wait()
    assert done == [0, 1, 2, 3, 4]
    worker.close()


def test_what_it_raises_is_raised_where_it_is_waited_for():
    def work(number):
        if number == 1:
            raise ValueError(number)

    worker = Worker(work)
    for number in range(3):
        worker.give(number)
    with pytest.raises(ValueError):
        worker.wait()
    worker.wait()
    worker.close()


def test_nothing_to_wait_for():
    worker = Worker(print)
    worker.wait()
    worker.close()
