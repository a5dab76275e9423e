"""A worker answers why from its memory, over HTTP, without changing anything."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import msgspec

from streams.contract.partitioning import partition_of
from streams.contract.why import Why
from streams.engine.fold import EngineFold
from streams.runtime.decide import DecidePipeline, State
from streams.runtime.health import Health, HealthServer
from streams.runtime.metrics import Metrics
from streams.runtime.why import Desk
from tests.engine.world import OPEN, World, alias_in, altered

PARTITIONS = 2
HERE, ELSEWHERE = 0, 1


def a_world() -> World:
    world = World(altered(OPEN, partitions=PARTITIONS))
    world.see(alias_in(HERE, PARTITIONS), "user.followed")
    return world


def answers(fold: object, *paths: str, state: State = State.RUNNING) -> list[tuple[int, bytes]]:
    """What a worker that has partition HERE answers."""
    pipelines = {HERE: cast(DecidePipeline, SimpleNamespace(fold=fold, state=state))}
    desk = Desk(PARTITIONS, pipelines.get, lambda: 0)

    async def ask() -> list[tuple[int, bytes]]:
        server = HealthServer(Health(), Metrics(), bind="127.0.0.1", port=0, why=desk.ask)
        await server.start()
        found = []
        try:
            async with aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as session:
                for path in paths:
                    async with session.get(path) as response:
                        found.append((response.status, await response.read()))
        finally:
            await server.stop()
        return found

    return asyncio.run(ask())


def problem(answer: tuple[int, bytes]) -> tuple[int, dict[str, Any]]:
    return answer[0], msgspec.json.decode(answer[1])


def test_a_worker_tells_why_and_its_state_stays_as_it_was() -> None:
    world, user = a_world(), alias_in(HERE, PARTITIONS)
    fold: EngineFold = world.folds[HERE]
    fold.changed_rows()
    status, body = answers(fold, f"/why?user={user}&journey=cart_rescue")[0]
    assert status == 200
    found = msgspec.json.decode(body, type=list[Why])
    assert [(one.user_id, one.journey, one.code) for one in found] == [
        (user, "cart_rescue", "NEEDS_EVENT")
    ]
    assert fold.changed_rows() == []


def test_without_a_journey_every_journey_is_answered() -> None:
    fold, user = a_world().folds[HERE], alias_in(HERE, PARTITIONS)
    status, body = answers(fold, f"/why?user={user}")[0]
    assert status == 200
    assert [one["journey"] for one in msgspec.json.decode(body)] == ["cart_rescue", "churn_coupon"]


def test_a_person_of_another_worker_is_not_found_and_the_partition_is_named() -> None:
    user = alias_in(ELSEWHERE, PARTITIONS)
    assert partition_of(user, PARTITIONS) == ELSEWHERE
    status, body = problem(answers(a_world().folds[HERE], f"/why?user={user}")[0])
    assert (status, body["partition"]) == (404, ELSEWHERE)


def test_a_partition_that_recovers_cannot_tell_yet() -> None:
    user = alias_in(HERE, PARTITIONS)
    found = answers(a_world().folds[HERE], f"/why?user={user}", state=State.RECOVERING)
    status, body = problem(found[0])
    assert (status, body["problem"]) == (503, "partition 0 is recovering")


def test_a_question_about_nobody_or_about_no_journey_is_refused() -> None:
    user = alias_in(HERE, PARTITIONS)
    nobody, no_journey = answers(a_world().folds[HERE], "/why", f"/why?user={user}&journey=carts")
    assert problem(nobody)[0] == 400
    assert "cart_rescue, churn_coupon" in problem(no_journey)[1]["problem"]


def test_a_job_that_cannot_be_asked_says_so() -> None:
    user = alias_in(HERE, PARTITIONS)
    assert problem(answers(object(), f"/why?user={user}")[0])[0] == 404
