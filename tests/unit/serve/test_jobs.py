from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from sirencodec.serve.cache import ByteCache
from sirencodec.serve.jobs import ASKING, Jobs
from sirencodec.serve.refusal import RefusalError


def size(_value: object) -> int:
    return 1


def test_equal_work_is_done_once() -> None:
    calls = []

    async def ask() -> list[int]:
        jobs = Jobs(ByteCache(10), 4, 10)
        waiting = [jobs.result("key", lambda: calls.append(0) or 7, size) for _ in range(20)]
        return [*await asyncio.gather(*waiting), await jobs.result("key", lambda: 8, size)]

    assert asyncio.run(ask()) == [7] * 21
    assert len(calls) == 1


def test_an_error_reaches_everyone_and_is_not_kept() -> None:
    async def ask() -> object:
        jobs = Jobs(ByteCache(10), 1, 10)
        waiting = [jobs.result("key", lambda: 1 // 0, size) for _ in range(3)]
        errors = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(error) for error in errors] == [ZeroDivisionError] * 3
        return await jobs.result("key", lambda: 5, size)

    assert asyncio.run(ask()) == 5


def test_who_leaves_takes_nothing_from_the_others() -> None:
    async def ask() -> object:
        jobs = Jobs(ByteCache(10), 1, 10)
        go = threading.Event()
        first = asyncio.ensure_future(jobs.result("key", lambda: go.wait(10), size))
        second = asyncio.ensure_future(jobs.result("key", lambda: None, size))
        await asyncio.sleep(0.01)
        first.cancel()
        await asyncio.sleep(0)
        go.set()
        return await second

    assert asyncio.run(ask()) is True


def test_work_that_waited_too_long_is_not_begun() -> None:
    async def ask() -> list[object]:
        jobs = Jobs(ByteCache(10), 1, 0.05)
        go = threading.Event()
        threading.Timer(0.3, go.set).start()
        begun: list[object] = []
        first = asyncio.ensure_future(jobs.result("slow", lambda: go.wait(10), size))
        await asyncio.sleep(0.01)
        with pytest.raises(RefusalError) as refusal:
            await jobs.result("late", lambda: begun.append(0), size)
        assert refusal.value.status == 503
        return [await first, *begun]

    assert asyncio.run(ask()) == [True]


def test_too_many_are_sent_away() -> None:
    async def ask() -> list[object]:
        jobs = Jobs(ByteCache(10), 1, 10, max_waiting=3)
        go = threading.Event()
        asked = (jobs.result(key, lambda: go.wait(10), size) for key in range(5))
        waiting = [asyncio.ensure_future(each) for each in asked]
        await asyncio.sleep(0.01)
        go.set()
        return await asyncio.gather(*waiting, return_exceptions=True)

    results = asyncio.run(ask())
    assert results[:3] == [True] * 3
    assert [getattr(each, "status", None) for each in results[3:]] == [503, 503]


def test_a_client_who_asks_for_much_waits_behind_himself_alone() -> None:
    """Sixteen pieces of one, then two of another: these are done next, and none is sent away."""

    async def ask() -> tuple[list[str], list[object]]:
        jobs = Jobs(ByteCache(100), 1, 10, max_waiting=12)
        go = threading.Event()
        order: list[str] = []

        def work(client: str) -> Callable[[], bool]:
            return lambda: go.wait(10) and not order.append(client)

        async def result(client: str, key: int) -> object:
            ASKING.set(client)
            return await jobs.result((client, key), work(client), size)

        greedy = [asyncio.ensure_future(result("greedy", key)) for key in range(16)]
        await asyncio.sleep(0.01)
        modest = [asyncio.ensure_future(result("modest", key)) for key in range(2)]
        await asyncio.sleep(0.01)
        go.set()
        assert await asyncio.gather(*modest) == [True, True]
        return order, await asyncio.gather(*greedy, return_exceptions=True)

    order, greedy = asyncio.run(ask())
    assert order.index("modest") <= 2
    assert order[:5].count("modest") == 2
    assert [getattr(each, "status", None) for each in greedy] == [None] * 10 + [503] * 6


def test_nothing_begins_after_the_end() -> None:
    async def ask() -> list[object]:
        jobs = Jobs(ByteCache(10), 1, 10)
        go = threading.Event()
        waiting = [asyncio.ensure_future(jobs.result(key, go.wait, size)) for key in range(3)]
        await asyncio.sleep(0.01)
        jobs.close()
        go.set()
        return await asyncio.gather(*waiting, return_exceptions=True)

    first, *others = asyncio.run(ask())
    assert first is True
    assert [type(each) for each in others] == [asyncio.CancelledError] * 2
