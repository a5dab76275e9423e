"""Liveness and readiness, and the HTTP side of both."""

import asyncio

import aiohttp

from streams.runtime.health import Health, HealthServer
from streams.runtime.metrics import Metrics


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_worker_without_an_assignment_lives_but_is_not_ready() -> None:
    health = Health()
    assert health.live() == []
    assert health.ready() == ["waiting for the group to assign partitions"]


def test_a_worker_is_ready_when_every_assigned_partition_is_recovered() -> None:
    health = Health()
    health.assigned([1, 0])
    health.recovered(1)
    assert health.ready() == ["partition 0: recovering"]
    health.recovered(0)
    assert health.ready() == []


def test_a_spare_worker_without_partitions_is_ready() -> None:
    health = Health()
    health.assigned([])
    assert health.ready() == []


def test_a_pipeline_that_stands_still_fails_liveness() -> None:
    clock = Clock()
    health = Health(stall_seconds=60, now_seconds=clock)
    health.assigned([0, 1])
    health.recovered(0)
    health.recovered(1)
    clock.seconds = 50
    health.beat(1)
    clock.seconds = 70
    assert health.live() == ["partition 0: no turn for 70 s"]


def test_a_long_recovery_never_fails_liveness() -> None:
    clock = Clock()
    health = Health(stall_seconds=60, now_seconds=clock)
    health.assigned([0])
    health.recovered(0)
    health.recovering(0)
    clock.seconds = 10_000
    assert health.live() == []
    assert health.ready() == ["partition 0: recovering"]


def test_a_dead_pipeline_fails_liveness_until_its_partition_is_elsewhere() -> None:
    health = Health()
    health.assigned([0, 1])
    health.recovered(1)
    health.failed(0, "the log lost records")
    assert health.live() == ["partition 0: the log lost records"]
    health.assigned([1])
    assert health.ready() == []


def test_a_worker_that_shuts_down_is_alive_and_not_ready() -> None:
    health = Health()
    health.assigned([])
    health.stopping()
    assert health.live() == []
    assert health.ready() == ["shutting down"]


def test_probes_and_metrics_are_served_over_http() -> None:
    async def ask() -> list[tuple[int, str]]:
        health, metrics = Health(), Metrics()
        metrics.intake(0, 3)
        server = HealthServer(health, metrics, bind="127.0.0.1", port=0)
        await server.start()
        answers = []
        try:
            async with aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as session:
                for path in ("/live", "/ready", "/metrics"):
                    async with session.get(path) as response:
                        answers.append((response.status, await response.text()))
        finally:
            await server.stop()
        return answers

    live, ready, metrics = asyncio.run(ask())
    assert live == (200, "ok\n")
    assert ready == (503, "waiting for the group to assign partitions\n")
    assert "streams_intake_records_total 3.0" in metrics[1]
