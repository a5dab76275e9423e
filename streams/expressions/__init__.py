"""The condition language of journey files: small, total, without side effects.

    data.value >= 50 and score('churn') > 0.2 and not clicked('offer')

It knows nothing of events or profiles; its vocabulary is a Scope the caller builds.
"""

from streams.expressions.durations import duration_ms, show_duration
from streams.expressions.errors import ExpressionError
from streams.expressions.expression import Expression, Term, compile_expression
from streams.expressions.scope import Function, Kind, Scope, Value, not_known

__all__ = [
    "Expression",
    "ExpressionError",
    "Function",
    "Kind",
    "Scope",
    "Term",
    "Value",
    "compile_expression",
    "duration_ms",
    "not_known",
    "show_duration",
]
