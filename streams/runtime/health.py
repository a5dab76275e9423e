"""Whether the worker lives and is ready, and its metrics, over HTTP: /live /ready /metrics /why.

Ready: the group has assigned partitions and each is recovered. Live: no pipeline has died and each
recovered one goes round its loop. Recovery never fails liveness, however long it takes: a restart
would begin it anew. A stuck event loop answers nothing at all: the probe's timeout finds it.
"""

import time
from collections.abc import Callable, Iterable

from aiohttp import web

from streams.runtime.metrics import Metrics

STALL_SECONDS = 60.0  # above any commit: transaction timeout 10 s, request timeout 40 s
Ask = Callable[[str, str | None], tuple[int, bytes]]  # user id, journey -> HTTP status, JSON


class Health:
    """What the pipelines report about themselves."""

    def __init__(
        self,
        *,
        stall_seconds: float = STALL_SECONDS,
        now_seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stall_seconds = stall_seconds
        self._now_seconds = now_seconds
        self._assigned: set[int] | None = None  # None: the group has not told us yet
        self._beats: dict[int, float] = {}  # recovered partitions -> their last turn
        self._failed: dict[int, str] = {}
        self._stopping = False

    def assigned(self, partitions: Iterable[int]) -> None:
        """The partitions that are ours from now on; the others are no longer."""
        self._assigned = set(partitions)
        self._beats = {p: at for p, at in self._beats.items() if p in self._assigned}
        self._failed = {p: why for p, why in self._failed.items() if p in self._assigned}

    def recovering(self, partition: int) -> None:
        """The partition is being recovered, at first or again after an indefinite commit."""
        self._beats.pop(partition, None)
        self._failed.pop(partition, None)

    def recovered(self, partition: int) -> None:
        """The partition is up to date; from now on its pipeline must go round."""
        self.beat(partition)

    def beat(self, partition: int) -> None:
        """The pipeline goes round: call it each turn, with or without records."""
        self._beats[partition] = self._now_seconds()

    def failed(self, partition: int, reason: str) -> None:
        """The pipeline ended and will not come back by itself."""
        self._failed[partition] = reason

    def stopping(self) -> None:
        """The worker shuts down: no longer ready, still alive."""
        self._stopping = True

    def live(self) -> list[str]:
        """What is wrong; empty when the process should go on."""
        problems = [f"partition {p}: {self._failed[p]}" for p in sorted(self._failed)]
        now = self._now_seconds()
        for partition in sorted(self._beats):
            silent = now - self._beats[partition]
            if silent > self._stall_seconds and partition not in self._failed:
                problems.append(f"partition {partition}: no turn for {silent:.0f} s")
        return problems

    def ready(self) -> list[str]:
        """What is still missing; empty when every assigned partition is served."""
        if self._stopping:
            return ["shutting down"]
        if self._assigned is None:
            return ["waiting for the group to assign partitions"]
        missing = [
            f"partition {p}: recovering"
            for p in sorted(self._assigned)
            if p not in self._beats and p not in self._failed
        ]
        return self.live() + missing


class HealthServer:
    """The HTTP side; start it in the worker's own event loop, so that it stops when that does."""

    def __init__(
        self, health: Health, metrics: Metrics, *, bind: str, port: int, why: Ask | None = None
    ) -> None:
        self._health = health
        self._ask_why = why
        self._metrics = metrics
        self._bind = bind
        self._port = port
        self._runner: web.AppRunner | None = None

    @property
    def port(self) -> int:
        """The port listened on; the one asked for until started."""
        addresses = self._runner.addresses if self._runner else []
        return int(addresses[0][1]) if addresses else self._port

    async def start(self) -> None:
        """Raises OSError where the address is taken."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/live", self._live),
                web.get("/ready", self._ready),
                web.get("/metrics", self._exposition),
                web.get("/why", self._why),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._bind, self._port).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _live(self, _request: web.Request) -> web.Response:
        return _answer(self._health.live())

    async def _ready(self, _request: web.Request) -> web.Response:
        return _answer(self._health.ready())

    async def _exposition(self, request: web.Request) -> web.Response:
        body, content_type = self._metrics.exposition(request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def _why(self, request: web.Request) -> web.Response:
        if self._ask_why is None:
            raise web.HTTPNotFound
        user_id, journey = request.query.get("user", ""), request.query.get("journey")
        status, body = self._ask_why(user_id, journey or None)
        return web.Response(body=body, status=status, content_type="application/json")


def _answer(problems: list[str]) -> web.Response:
    if problems:
        return web.Response(text="\n".join(problems) + "\n", status=503)
    return web.Response(text="ok\n")
