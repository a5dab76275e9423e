"""The one-node Kafka that tests and benchmarks start for themselves."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from streams.runtime.local_kafka import GIVEN, KafkaUnavailableError, LocalKafka


def answers(bootstrap: str) -> bool:
    host, port = bootstrap.split(":")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_the_broker_and_its_data_are_gone_after_the_block() -> None:
    with LocalKafka() as kafka:
        assert answers(kafka.bootstrap)
        assert kafka.folder.exists()
    assert not answers(kafka.bootstrap)
    assert not kafka.folder.exists()


def test_a_broker_named_by_the_environment_is_used_and_left_running(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with LocalKafka() as theirs:
        monkeypatch.setenv(GIVEN, theirs.bootstrap)
        with LocalKafka.or_given() as ours:
            assert ours.bootstrap == theirs.bootstrap
        assert answers(theirs.bootstrap)


def test_the_broker_dies_with_a_parent_that_was_killed() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-m", "streams.runtime.local_kafka"], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    with parent.stdout:
        bootstrap = parent.stdout.readline().strip()
    host, port = bootstrap.split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        try:
            rest = connection.recv(1)  # returns when the broker is gone
        except ConnectionResetError:
            rest = b""
    assert rest == b""
    deadline = time.monotonic() + 30
    while answers(bootstrap):  # its sockets close one after the other
        assert time.monotonic() < deadline


def test_where_java_and_maven_are_missing_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(GIVEN, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(
        KafkaUnavailableError, match="apt-get install -y default-jdk-headless maven"
    ):
        LocalKafka.or_given()


def test_a_docker_engine_comes_before_java_and_its_failure_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program(tmp_path, "docker", '[ "$1" = info ] || { echo no such image; exit 125; }')
    monkeypatch.delenv(GIVEN, raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(KafkaUnavailableError, match=r"(?s)stopped while starting.*no such image"):
        LocalKafka.or_given()


def test_a_broker_that_stops_while_starting_is_told_with_its_log() -> None:
    with pytest.raises(KafkaUnavailableError, match="Invalid maximum heap size"):
        LocalKafka(heap="none")
