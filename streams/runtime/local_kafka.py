"""A real one-node Kafka for tests, benchmarks and trying things out, with or without docker.

with LocalKafka() as kafka: ...kafka.bootstrap...    its own broker, by java and mvn
with LocalKafka.or_given() as kafka: ...             $STREAMS_TEST_KAFKA, else docker, else java
python -m streams.runtime.local_kafka                in the foreground, until Ctrl-C
"""

import base64
import fcntl
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from string import Template
from types import TracebackType
from typing import NamedTuple, Self

VERSION = "4.1.0"
GIVEN = "STREAMS_TEST_KAFKA"
DEPLOY = Path(__file__).parents[2] / "deploy" / "kafka"

# Runs "$@" until it ends or standard input closes, which happens however the parent dies. Only then
# is the folder removed: after a failure of the broker the parent still wants to read the log in it.
_GUARD = """
exec 3<&0 </dev/null
"$@" 3<&- &
child=$!
(read -r _ <&3; : >"$FOLDER/stopped"; if [ -n "$CONTAINER" ]; then docker kill "$CONTAINER"; fi
 kill -9 $child) >/dev/null 2>&1 &
watcher=$!
exec 3<&-
wait $child
if [ -e "$FOLDER/stopped" ]; then rm -rf "$FOLDER"; else kill $watcher; fi
"""


class KafkaUnavailableError(Exception):
    """No broker can be had; the message says what to install or what the broker's log holds."""


class GivenKafka(NamedTuple):
    """A broker somebody else runs."""

    bootstrap: str

    def stop(self) -> None:
        """Leaves the broker alone."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.stop()


class LocalKafka:
    """A broker of our own, gone with everything in it at `stop()` or when this process dies.

    Raises KafkaUnavailableError where it cannot be had or does not answer within `patience_s`.
    """

    def __init__(self, *, docker: bool = False, heap: str = "512m", patience_s: float = 60) -> None:
        self._docker = docker
        self._heap = heap
        self._patience_s = patience_s
        self.bootstrap = ""
        self._start_on_free_ports()

    @classmethod
    def or_given(cls) -> "LocalKafka | GivenKafka":
        """The broker that STREAMS_TEST_KAFKA names, else one in docker, else by java and mvn."""
        given = os.environ.get(GIVEN)
        if given:
            _wait_for_answer(given, patience_s=10, alive=lambda: True)
            return GivenKafka(given)
        return cls(docker=_has_docker_engine())

    def stop(self) -> None:
        """Kill the broker and remove its data; harmless when already stopped."""
        if self._guard.stdin is not None:
            self._guard.stdin.close()
        self._guard.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self) -> str:
        """What the broker said so far, warnings and worse."""
        path = self.folder / "broker.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.stop()

    def _start_on_free_ports(self) -> None:
        for attempt in range(1, 4):
            self._start()
            try:
                _wait_for_answer(self.bootstrap, self._patience_s, self._alive)
                return
            except KafkaUnavailableError as error:
                log = self.log()
                self.stop()
                # Another process may have taken a port between our look and the broker's bind.
                if "Address already in use" not in log or attempt == 3:
                    raise KafkaUnavailableError(f"{error}; its log ends:\n{log[-3000:]}") from error

    def _start(self) -> None:
        storage = None if self._docker else _formatted_storage()
        port, controller_port = _free_ports()
        self.bootstrap = f"127.0.0.1:{port}"
        self.folder = Path(tempfile.mkdtemp(prefix="streams-kafka-"))
        properties = self.folder / "server.properties"
        container = ""
        if storage is None:
            container = f"streams-kafka-{port}"
            command = _docker_command(container, port, properties, self._heap)
            everywhere = "0.0.0.0"  # noqa: S104 (of the container; published on 127.0.0.1 only)
            text = _properties(everywhere, port, controller_port, "/tmp/kafka")  # noqa: S108
        else:
            data = self.folder / "data"
            shutil.copytree(storage, data)
            command = _java(f"-Xmx{self._heap}", "kafka.Kafka", str(properties))
            text = _properties("127.0.0.1", port, controller_port, str(data))
        properties.write_text(text)
        with (self.folder / "broker.log").open("wb") as log:
            self._guard = subprocess.Popen(  # noqa: S603 (our own arguments)
                ["/bin/sh", "-c", _GUARD, "guard", *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for us; we stop the broker
                env={**os.environ, "FOLDER": str(self.folder), "CONTAINER": container},
            )

    def _alive(self) -> bool:
        return self._guard.poll() is None


def _properties(host: str, port: int, controller_port: int, log_dir: str) -> str:
    template = Template((DEPLOY / "server.properties").read_text())
    return template.substitute(
        host=host, port=port, controller_port=controller_port, log_dir=log_dir
    )


def _free_ports() -> tuple[int, int]:
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        second.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]


def _wait_for_answer(bootstrap: str, patience_s: float, alive: Callable[[], bool]) -> None:
    """Until the broker lists itself in its metadata: from then on it takes topics and records."""
    host, _, port = bootstrap.partition(",")[0].rpartition(":")
    end = time.monotonic() + patience_s
    while not _lists_brokers(host, int(port)):
        if not alive():
            raise KafkaUnavailableError("the Kafka broker stopped while starting")
        if time.monotonic() > end:
            raise KafkaUnavailableError(f"no Kafka answered at {bootstrap} in {patience_s:g} s")
        time.sleep(0.05)


def _lists_brokers(host: str, port: int) -> bool:
    """Asks for metadata (version 1, no topics).

    The answer is its length, a correlation id and an array of brokers.
    """
    request = struct.pack(">hhih", 3, 1, 1, -1) + struct.pack(">i", 0)
    try:
        with socket.create_connection((host, port), timeout=2) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            answer = connection.makefile("rb").read(12)
    except OSError:
        return False
    return len(answer) == 12 and struct.unpack(">iii", answer)[2] > 0


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "wechat-streams" / f"kafka-{VERSION}"


@contextmanager
def _one_at_a_time(cache: Path) -> Iterator[None]:
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _jars() -> Path:
    """The broker's jars, downloaded once; parallel callers wait for the first."""
    cache = _cache()
    jars = cache / "libs"
    with _one_at_a_time(cache):
        if not jars.exists():
            mvn = _needed("mvn")
            arriving = cache / "libs.arriving"
            shutil.rmtree(arriving, ignore_errors=True)
            _checked(
                [
                    mvn,
                    "--quiet",
                    "--batch-mode",
                    "dependency:copy-dependencies",
                    f"--file={DEPLOY / 'pom.xml'}",
                    f"-DoutputDirectory={arriving}",
                ],
                "Maven could not download Kafka",
            )
            arriving.rename(jars)
    return jars


def _formatted_storage() -> Path:
    """An empty, formatted data folder to copy: formatting takes a JVM start of its own."""
    cache = _cache()
    jars = _jars()
    formatted = cache / "formatted"
    with _one_at_a_time(cache):
        if not formatted.exists():
            arriving = cache / "formatted.arriving"
            shutil.rmtree(arriving, ignore_errors=True)
            properties = cache / "format.properties"
            properties.write_text(_properties("127.0.0.1", 9092, 9093, str(arriving)))
            cluster = base64.urlsafe_b64encode(b"k" + uuid.uuid4().bytes[1:]).decode()[:22]
            tool = ["kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(properties)]
            _checked(
                _java("-XX:TieredStopAtLevel=1", *tool),
                f"Kafka could not format its storage with the jars in {jars}",
            )
            arriving.rename(formatted)
    return formatted


def _java(*arguments: str) -> list[str]:
    quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
    return [_needed("java"), quiet, "-cp", f"{_cache() / 'libs'}/*", *arguments]


def _docker_command(container: str, port: int, properties: Path, heap: str) -> list[str]:
    """The image formats its storage itself and takes server.properties from this mount."""
    return [
        "docker",
        "run",
        "--rm",
        f"--name={container}",
        f"--publish=127.0.0.1:{port}:{port}",
        f"--env=KAFKA_HEAP_OPTS=-Xmx{heap}",
        f"--volume={properties}:/mnt/shared/config/server.properties:ro",
        f"apache/kafka:{VERSION}",
    ]


def _has_docker_engine() -> bool:
    docker = shutil.which("docker")
    if docker is None:
        return False
    asked = subprocess.run([docker, "info"], capture_output=True, timeout=30, check=False)  # noqa: S603
    return asked.returncode == 0


def _needed(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise KafkaUnavailableError(
            f"{program} is missing, so no Kafka can be started here. Either install a JDK "
            "(17 or later) and Maven (Debian, Ubuntu: "
            "apt-get install -y default-jdk-headless maven; "
            "macOS: brew install openjdk maven), or start docker, "
            f"or set {GIVEN}=host:port to a broker for tests."
        )
    return path


def _checked(command: list[str], what: str) -> None:
    run = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if run.returncode != 0:
        raise KafkaUnavailableError(f"{what}:\n{(run.stdout + run.stderr)[-3000:]}")


def main() -> int:
    """Run a broker until Ctrl-C or SIGTERM."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with LocalKafka(docker=_has_docker_engine()) as kafka:
            print(kafka.bootstrap, flush=True)
            signal.pause()
    except KafkaUnavailableError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
