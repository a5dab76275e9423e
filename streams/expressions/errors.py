"""What is wrong with an expression, and where."""


class ExpressionError(ValueError):
    """One line: the place, what is wrong there, what to do."""


def error_at(text: str, position: int, message: str) -> ExpressionError:
    """The error at a character of the text; columns and lines count from 1."""
    line = text.count("\n", 0, position) + 1
    column = position - (text.rfind("\n", 0, position) + 1) + 1
    place = f"line {line}, column {column}" if "\n" in text.strip() else f"column {column}"
    return ExpressionError(f"{place}: {' '.join(message.split())}")
