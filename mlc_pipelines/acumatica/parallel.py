"""Work shared among several readers, each with a session of its own: the site runs the requests of one session one after another."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from queue import SimpleQueue
from typing import TypeVar

Reader = TypeVar("Reader")
Task = TypeVar("Task")
Result = TypeVar("Result")


def in_turn(
    work: Callable[[Reader, Task], Result], tasks: Iterable[Task], readers: Sequence[Reader]
) -> Generator[Result]:
    """The results in the order of the tasks. No reader does two things at once, and at most one task per reader is under way or untaken.

    The first failure stops all: no further task is begun, those under way are awaited, and what else they failed of stands as a note
    beside it. With one reader nothing runs ahead of the caller.
    """
    if len(readers) == 1:
        yield from (work(readers[0], task) for task in tasks)
        return
    free: SimpleQueue[Reader] = SimpleQueue()
    for reader in readers:
        free.put(reader)

    def done(task: Task) -> Result:
        reader = free.get()
        try:
            return work(reader, task)
        finally:
            free.put(reader)

    under_way: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(len(readers), thread_name_prefix="acumatica") as pool:
        try:
            for task in tasks:
                ready = [_next(under_way)] if len(under_way) == len(readers) else []
                under_way.append(pool.submit(done, task))
                yield from ready
            while under_way:
                yield _next(under_way)
        except BaseException as first:  # also when the caller stops listening
            _end(under_way, first)
            raise


def _next(under_way: deque[Future[Result]]) -> Result:
    """The result of the oldest task; a younger one that has failed by then is not worth further work."""
    wait([under_way[0]])
    for future in under_way:
        if future.done() and (failure := future.exception()) is not None:
            raise failure
    return under_way.popleft().result()


def _end(under_way: Iterable[Future[Result]], first: BaseException) -> None:
    """Begin nothing more, await what runs, and tell its failures."""
    for future in under_way:
        future.cancel()
    for future in under_way:
        failure = None if future.cancelled() else future.exception()
        if failure is not None and failure is not first:
            first.add_note(f"Read beside it, and failed as well: {failure}")
