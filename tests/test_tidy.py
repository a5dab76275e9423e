"""The house rules a machine can hold: layers, purity, sizes, links."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted(ROOT.glob("streams/**/*.py"))
SOURCES = MODULES + sorted(ROOT.glob("tests/**/*.py"))
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("schemas/**/*.md")])

MAX_FUNCTION_LINES = 70
MAX_FILE_LINES = 400

# From the bottom up; a module imports from its own layer and those below. First match decides.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("streams.expressions", "streams.faults", "streams.__version__"),
    ("streams.contract", "streams.learning"),
    ("streams.fold",),
    ("streams.engine",),
    (
        "streams.intake",
        "streams.outputs",
        "streams.event_file",
        "streams.journey_files",
        "streams.policy_files",
        "streams.content_files",
        "streams.log_file",
        "streams.snapshot",
        "streams.federation",
        "streams.edge_export",
        "streams.summary",
        "streams.told_by_models",
        "streams.explain",
        "streams.whatif",
        "streams.why",
        "streams.why_snapshot",
        "streams.replay_log",
        "streams.replay",
        "streams.evaluation",
        "streams.simulation",
        "streams.report",
        "streams.wechat",
    ),
    ("streams.settings", "streams.runtime"),
    ("streams.demo", "streams.benchmarks", "streams.scoreboard"),
    ("streams.commands", "streams.cli", "streams.__main__"),
)
# The seeded stand-ins for Kafka drive the runtime itself: they stand beside it.
BESIDE_RUNTIME = tuple(
    f"streams.simulation.{name}" for name in ("checkers", "cluster", "memory_kafka")
)

PURE = (
    "streams.expressions",
    "streams.contract",
    "streams.learning",
    "streams.engine",
    "streams.intake",
    "streams.fold",
)
IMPURE = frozenset().union(
    ("asyncio", "logging", "multiprocessing", "os", "pathlib", "pickle", "random", "secrets"),
    ("shutil", "signal", "socket", "subprocess", "sys", "tempfile", "threading", "time", "urllib"),
    ("uuid", "aiokafka", "faust", "aiohttp", "structlog", "prometheus_client"),
)
IMPURE_CALLS = frozenset(("eval", "exec", "hash", "id", "input", "open", "print"))
KEEP_ORDER = frozenset(("list", "tuple", "enumerate", "iter", "next", "map", "zip", "join"))
CLOCKS = frozenset(("now", "today", "utcnow"))  # methods of datetime and date
# Run by hand as a program, never imported by the rest of its layer.
PROGRAMS = ("streams.contract.schemas", "streams.runtime.local_kafka")
MAY_PRINT = ("streams.cli", "streams.commands", "streams.benchmarks", *PROGRAMS)


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def layer(name: str) -> int:
    if within(name, BESIDE_RUNTIME):
        return layer("streams.runtime")
    for height, packages in enumerate(LAYERS):
        if within(name, packages):
            return height
    raise AssertionError(f"{name} has no place in tests/test_tidy.py: LAYERS")


def pure() -> list[Path]:
    return [
        path
        for path in MODULES
        if within(module_name(path), PURE) and not within(module_name(path), PROGRAMS)
    ]


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of everything imported, wherever in the file."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def called(node: ast.Call) -> str:
    """The name or method called: `print`, `now`."""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def calls(paths: list[Path], names: frozenset[str], kind: type[ast.expr]) -> list[str]:
    """Where one of these functions (ast.Name) or methods (ast.Attribute) is called."""
    return [
        f"{path.relative_to(ROOT)}:{node.lineno} calls {called(node)}()"
        for path in paths
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, kind) and called(node) in names
    ]


def is_set(node: ast.expr) -> bool:
    """What is a set on the face of it: a literal, a comprehension, set(...) or frozenset(...)."""
    if isinstance(node, ast.Set | ast.SetComp):
        return True
    return isinstance(node, ast.Call) and called(node) in ("set", "frozenset")


def iterated(path: Path) -> Iterator[ast.expr]:
    """What loops, comprehensions and order-keeping calls go over."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
            yield node.iter
        elif isinstance(node, ast.Call) and called(node) in KEEP_ORDER:
            yield from node.args


def places(found: list[str]) -> str:
    return "\n" + "\n".join(found)


def test_imports_point_down() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in MODULES
        for line, name in imports(path)
        if name.startswith("streams.") and layer(name) > layer(module_name(path))
    ]
    assert not wrong, places(wrong)


@pytest.mark.parametrize("kind", ["models", "journeys", "policy", "features", "labels"])
def test_siblings_of_a_kind_do_not_import_the_engine_that_runs_them(kind: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in MODULES
        if within(module_name(path), (f"streams.engine.{kind}",))
        for line, name in imports(path)
        if within(name, ("streams.engine.engine", "streams.engine.fold"))
    ]
    assert not wrong, places(wrong)


def test_what_is_pure_imports_no_clock_chance_or_io() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in pure()
        for line, name in imports(path)
        if name.split(".")[0] in IMPURE
    ]
    assert not wrong, places(wrong)


def test_what_is_pure_calls_nothing_that_depends_on_the_process() -> None:
    wrong = calls(pure(), IMPURE_CALLS, ast.Name) + calls(pure(), CLOCKS, ast.Attribute)
    assert not wrong, places(wrong)


def test_what_is_pure_goes_over_no_set() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno} goes over a set: sort it"
        for path in pure()
        for node in iterated(path)
        if is_set(node)
    ]
    assert not wrong, places(wrong)


def test_only_the_command_line_prints() -> None:
    silent = [path for path in MODULES if not within(module_name(path), MAY_PRINT)]
    wrong = calls(silent, frozenset(("print",)), ast.Name)
    assert not wrong, places(wrong)


def test_a_function_fits_a_screen() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {length} lines"
        for path in SOURCES
        for node in functions(path)
        if (length := (node.end_lineno or 0) - node.lineno + 1) > MAX_FUNCTION_LINES
    ]
    assert not wrong, places(wrong)


def test_a_file_holds_one_idea() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {length} lines"
        for path in SOURCES
        if (length := len(path.read_text("utf-8").splitlines())) > MAX_FILE_LINES
    ]
    assert not wrong, places(wrong)


def test_no_broad_except() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in MODULES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler)
        and (
            node.type is None
            or (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException"))
        )
    ]
    assert not wrong, places(wrong)


def test_no_test_is_skipped_and_none_sleeps() -> None:
    skips = re.compile(r"pytest\.(mark\.)?(skip|skipif|xfail|importorskip)\b|\btime\.sleep\(")
    wrong = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in ROOT.glob("tests/**/*.py")
        if path != Path(__file__)
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if skips.search(line)
    ]
    assert not wrong, places(wrong)


def test_every_module_says_what_it_is_for() -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for path in MODULES
        if path.read_text("utf-8").strip() and not ast.get_docstring(tree(path))
    ]
    assert not wrong, places(wrong)


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_every_link_leads_somewhere(page: Path) -> None:
    wrong = []
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        path = (page.parent / target).resolve() if target else page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            wrong.append(link)
    assert not wrong, places(wrong)


def anchors(page: Path) -> list[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), flags=re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles]
