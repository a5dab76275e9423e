"""Structured logs without personal data: JSON to stdout, or a console view on a terminal.

Two nets: only fields on the allow-list are written at all, and whatever looks like a person's id, a
telephone number, an identity number or an e-mail address is blotted out of every text, tracebacks
and other libraries' messages included.
"""

import logging
import re
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any, Literal, TextIO

import structlog

Fields = MutableMapping[str, Any]

# Where, what and how much; never who. Ids of triggers and decisions lead to nobody by themselves.
ALLOWED: frozenset[str] = frozenset().union(
    ("event", "level", "timestamp", "logger", "exception", "dropped", "worker"),
    ("topic", "partition", "partitions", "offset", "next_offset", "end_offset", "epoch"),
    ("record_id", "trigger_id", "decision_id", "dead_letter_id", "writer_id", "claim"),
    ("journey", "version", "scenario", "reason", "outcome", "kind", "command", "state"),
    ("variable", "settings", "address", "port", "path", "signal", "clock", "attempt", "most"),
    ("records", "batches", "rows", "bytes", "count", "users", "backlog", "at_ms", "timeout_ms"),
    ("seconds", "lag_seconds", "fold_seconds", "commit_seconds", "retry_seconds", "skew_ms"),
    ("error", "error_type", "expected", "found"),
)
MAX_TEXT = 8_192  # a traceback fits; a record someone put into an error message is cut
BLOT = "[removed]"
PERSONAL = re.compile(
    r"(?<![A-Za-z0-9_-])(?:"
    r"o[A-Za-z0-9_-]{27}"  # openid, and unionid of most accounts
    r"|w[mo][A-Za-z0-9_-]{30}"  # WeCom external_userid
    r"|[1-9]\d{16}[\dXx]"  # resident identity number
    r"|(?:\+?86[- ]?)?1[3-9]\d{9}"  # mobile telephone
    r")(?![A-Za-z0-9_-])"
    r"|[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+\.[A-Za-z0-9.-]+"
)


# `streams.runtime`: the names under which Faust logs the services we derive from its own.
LIBRARIES = ("aiokafka", "faust", "mode", "asyncio", "streams.runtime")


def configure(
    *,
    level: str = "info",
    style: Literal["auto", "json", "console"] = "auto",
    stream: TextIO | None = None,
    worker: str = "",
) -> None:
    """Send our logs and those of every library through the two nets to `stream` (stdout)."""
    out = sys.stdout if stream is None else stream
    console = style == "console" or (style == "auto" and out.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    render = (
        structlog.dev.ConsoleRenderer(colors=out.isatty())
        if console
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                drop_unknown_fields,
                blot_out_persons,
                render,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for library in LIBRARIES:  # their every step is news to nobody but a debugger
        logging.getLogger(library).setLevel("DEBUG" if level == "debug" else "WARNING")
    structlog.contextvars.clear_contextvars()
    if worker:
        structlog.contextvars.bind_contextvars(worker=worker)


def get(name: str) -> structlog.stdlib.BoundLogger:
    """A logger: `log.info("batch committed", partition=3, records=512)`; the text is constant."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def drop_unknown_fields(_logger: Any, _method: str, fields: Fields) -> Fields:
    """Keep the allow-list; say how many others there were, not what."""
    kept = {name: value for name, value in fields.items() if name in ALLOWED}
    if len(kept) < len(fields):
        kept["dropped"] = len(fields) - len(kept)
    return kept


def blot_out_persons(_logger: Any, _method: str, fields: Fields) -> Fields:
    """Remove what looks like a person's id from every text."""
    return {name: _clean(value) for name, value in fields.items()}


def _clean(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(item) for item in _ordered(value)]
    text = value if isinstance(value, str) else str(value)
    return PERSONAL.sub(BLOT, text[:MAX_TEXT])


def _ordered(values: Iterable[Any]) -> list[Any]:
    return sorted(values, key=str) if isinstance(values, set | frozenset) else list(values)
