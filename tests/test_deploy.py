"""The deployment files: valid, and what they name exists."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from ruamel.yaml import YAML

from streams.cli import app
from streams.runtime.metrics import MEASURED, MODELS, SUMMED, Metrics
from streams.settings import Settings, secrets, variable
from tests.scrape import samples

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
DASHBOARDS = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))
MANIFESTS = sorted((DEPLOY / "k8s").glob("*.yaml"))
# Labels that Prometheus itself puts on every series, and `le` of histograms.
SCRAPED_LABELS = frozenset(("job", "instance", "le"))


def yaml(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text("utf-8"))


def documents(path: Path) -> list[Any]:
    return list(YAML(typ="safe").load_all(path.read_text("utf-8")))


def compose() -> Any:
    return yaml(ROOT / "docker-compose.yml")


def containers(path: Path) -> Iterator[Any]:
    for document in documents(path):
        yield from (
            document.get("spec", {}).get("template", {}).get("spec", {}).get("containers", [])
        )


def settings_variables() -> frozenset[str]:
    names = [variable(name) for name in Settings.model_fields]
    return frozenset(names + [f"{variable(name)}_FILE" for name in secrets()])


def busy_metrics() -> Metrics:
    """Metrics after everything that can be reported was reported once."""
    metrics = Metrics(partitions=1)
    metrics.assigned(1)
    metrics.recovery(0, 1.0, {})
    metrics.batch(0, 1, 0.1, 0.1, 0.1)
    metrics.pipeline_depth(0, 1)
    metrics.intake(0, 1)
    metrics.skew(0.0)
    measures = (*MEASURED, *SUMMED)
    metrics.counters(0, {f"model.{m}.{measure}": 0.5 for m in MODELS for measure in measures})
    return metrics


def expressions() -> Iterator[tuple[str, str]]:
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text("utf-8"))["panels"]:
            for target in panel.get("targets", []):
                yield panel["title"], target["expr"]
    for group in yaml(DEPLOY / "prometheus" / "alerts.yml")["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]


EXPRESSIONS = list(expressions())


def test_compose_is_valid_against_the_compose_specification() -> None:
    checker = Path(sys.executable).parent / "check-jsonschema"
    checked = subprocess.run(
        [checker, "--builtin-schema", "vendor.compose-spec", ROOT / "docker-compose.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_service_waits_only_for_services_that_can_be_waited_for() -> None:
    services = compose()["services"]
    for name, service in services.items():
        for other, wait in service.get("depends_on", {}).items():
            assert other in services, f"{name} waits for {other}"
            if wait["condition"] == "service_healthy":
                assert "test" in services[other]["healthcheck"], (
                    f"{name} waits for {other}'s health"
                )
            if wait["condition"] == "service_completed_successfully":
                assert services[other]["restart"] == "no", f"{other} never completes"


def test_every_long_running_service_restarts_and_is_bounded() -> None:
    for name, service in compose()["services"].items():
        if service["restart"] != "no":
            assert service["restart"] == "unless-stopped", name
            assert "memory" in service["deploy"]["resources"]["limits"], name


def test_named_volumes_and_mounted_files_exist() -> None:
    found = compose()
    for name, service in found["services"].items():
        for volume in service.get("volumes", []):
            source, colon, _ = volume.partition(":")
            if source.startswith("./"):
                assert (ROOT / source).exists(), f"{name} mounts {source}"
            elif colon:
                assert source in found["volumes"], f"{name} mounts {source}"


def test_every_published_port_is_open_to_this_machine_only() -> None:
    for name, service in compose()["services"].items():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name} publishes {port}"


@pytest.mark.parametrize("service", ["topics", "worker", "simulator"])
def test_compose_sets_only_settings_that_exist(service: str) -> None:
    environment = compose()["services"][service]["environment"]
    ours = {name for name in environment if name.startswith("STREAMS_")}
    assert ours <= settings_variables()


@pytest.mark.parametrize(
    ("place", "command"),
    [
        ("compose topics", compose()["services"]["topics"]["command"]),
        ("compose simulator", compose()["services"]["simulator"]["command"]),
        ("compose worker", ["worker"]),
        *(
            (f"{path.name} {container['name']}", container["args"])
            for path in MANIFESTS
            for container in containers(path)
        ),
    ],
)
def test_every_container_runs_a_command_that_exists(place: str, command: list[str]) -> None:
    commands: Any = typer.main.get_command(app)
    name, *options = command
    assert name in commands.commands, place
    known = {option for param in commands.commands[name].params for option in param.opts}
    assert set(options) <= known, place


def test_kubernetes_sets_only_settings_that_exist() -> None:
    text = "".join(path.read_text("utf-8") for path in MANIFESTS)
    assert set(re.findall(r"STREAMS_[A-Z_]+", text)) <= settings_variables()


def test_the_image_sets_only_settings_that_exist() -> None:
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    assert set(re.findall(r"STREAMS_[A-Z_]+", text)) <= settings_variables()


def test_the_image_copies_only_what_the_build_context_has() -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    sent = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    for line in (DEPLOY / "Dockerfile").read_text("utf-8").splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            for source in line.split()[1:-1]:
                assert source in sent, f"{source} is not sent to the build"
                assert (ROOT / source).exists(), f"{source} does not exist"


def test_the_kustomization_names_every_manifest() -> None:
    kustomization = yaml(DEPLOY / "k8s" / "kustomization.yaml")
    others = {path.name for path in MANIFESTS} - {"kustomization.yaml"}
    assert set(kustomization["resources"]) == others


def test_the_kubernetes_worker_is_a_static_member_by_its_pods_name() -> None:
    (worker,) = [
        document
        for document in documents(DEPLOY / "k8s" / "worker.yaml")
        if document["kind"] == "StatefulSet"
    ]
    (container,) = worker["spec"]["template"]["spec"]["containers"]
    by_name = {entry["name"]: entry for entry in container["env"]}
    source = by_name["STREAMS_INSTANCE_ID"]["valueFrom"]["fieldRef"]["fieldPath"]
    assert source == "metadata.name"
    assert container["livenessProbe"]["httpGet"]["path"] == "/live"
    assert container["readinessProbe"]["httpGet"]["path"] == "/ready"


def test_every_kubernetes_mount_has_its_volume() -> None:
    for path in MANIFESTS:
        for document in documents(path):
            pod = document.get("spec", {}).get("template", {}).get("spec")
            if pod is not None:
                volumes = {volume["name"] for volume in pod["volumes"]}
                for container in pod["containers"]:
                    assert {mount["name"] for mount in container["volumeMounts"]} <= volumes


@pytest.mark.parametrize(("title", "expression"), EXPRESSIONS, ids=[e[0] for e in EXPRESSIONS])
def test_every_expression_asks_for_series_the_worker_really_has(
    title: str, expression: str
) -> None:
    found = samples(busy_metrics())
    asked = set(re.findall(r"\bstreams_[a-z_]+\b", expression))
    assert asked <= found.keys(), f"{title}: {asked - found.keys()}"
    for labels in re.findall(r"\bby \(([^)]*)\)", expression):
        for label in labels.replace(" ", "").split(","):
            if label not in SCRAPED_LABELS:
                assert all(label in found[name][0][0] for name in asked), f"{title}: {label}"
    for name, label, wanted in re.findall(r'(streams_\w+)\{(\w+)="(\w+)"\}', expression):
        assert wanted in {labels[label] for labels, _ in found[name]}, f"{title}: {label}={wanted}"


def test_every_legend_names_a_label_its_expression_keeps() -> None:
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text("utf-8"))["panels"]:
            for target in panel.get("targets", []):
                for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
                    grouped = re.search(rf"by \([^)]*\b{label}\b", target["expr"])
                    assert grouped or label in SCRAPED_LABELS, panel["title"]


@pytest.mark.parametrize("path", DASHBOARDS, ids=[path.stem for path in DASHBOARDS])
def test_panels_have_ids_of_their_own_and_do_not_overlap(path: Path) -> None:
    panels = json.loads(path.read_text("utf-8"))["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24, panel["title"]
        taken |= cells


@pytest.mark.parametrize("path", DASHBOARDS, ids=[path.stem for path in DASHBOARDS])
def test_panels_use_the_provisioned_data_source_and_two_languages(path: Path) -> None:
    source = yaml(DEPLOY / "grafana" / "provisioning" / "datasources" / "prometheus.yml")
    (uid,) = [entry["uid"] for entry in source["datasources"]]
    for panel in json.loads(path.read_text("utf-8"))["panels"]:
        assert re.search(r"[\u4e00-\u9fff]|AUC", panel["title"]), panel["title"]
        assert " · " in panel["title"], panel["title"]
        for target in panel.get("targets", []):
            assert target["datasource"]["uid"] == uid, panel["title"]


def test_grafana_reads_dashboards_where_compose_mounts_them() -> None:
    provider = yaml(DEPLOY / "grafana" / "provisioning" / "dashboards" / "streams.yml")
    grafana = compose()["services"]["grafana"]
    mounted = {volume.split(":")[1] for volume in grafana["volumes"]}
    assert {entry["options"]["path"] for entry in provider["providers"]} <= mounted


def test_every_alert_has_its_section_in_the_runbook() -> None:
    runbook = (ROOT / "docs" / "operations.md").read_text("utf-8")
    sections = {line.strip("# ").lower() for line in runbook.splitlines() if line.startswith("#")}
    for group in yaml(DEPLOY / "prometheus" / "alerts.yml")["groups"]:
        for rule in group["rules"]:
            page, _, anchor = rule["annotations"]["runbook"].partition("#")
            assert page == "docs/operations.md"
            assert anchor == rule["alert"].lower()
            assert anchor in sections, f"{rule['alert']} has no section"


def test_prometheus_reads_the_alerts_and_scrapes_the_workers() -> None:
    found = yaml(DEPLOY / "prometheus" / "prometheus.yml")
    assert [(DEPLOY / "prometheus" / name).exists() for name in found["rule_files"]] == [True]
    (job,) = found["scrape_configs"]
    (discovery,) = job["dns_sd_configs"]
    assert discovery["names"] == ["worker"]
    assert str(discovery["port"]) in compose()["services"]["worker"]["expose"]


def test_every_required_library_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    required = [*project["dependencies"], *(line for extra in extras for line in extra)]
    names = {re.split(r"[^A-Za-z0-9._-]", line)[0].lower() for line in required}
    pinned = (ROOT / "constraints.txt").read_text("utf-8")
    missing = {name for name in names if f"\n{name}==" not in pinned}
    assert missing == set()
