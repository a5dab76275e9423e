"""What the person said "not interested" to: an item, a category, a journey or kind of message,
or everything.
"""

from streams.engine.state import UserState

ALL = "*"
MOST = 12
MAX_TEXT = 40  # characters; a longer name is compared by its beginning


def refuse(state: UserState, *, category: str, item_id: str, campaign: str) -> None:
    """Remember a refusal; one that names nothing is of everything."""
    if campaign:
        _add(state, campaign[:MAX_TEXT])
    if category:
        _add(state, _of_category(category))
    if item_id:
        _add(state, _of_item(item_id))
    if not campaign and not category and not item_id:
        _add(state, ALL)


def refuses(state: UserState, journey: str, kind: str, category: str, item_id: str) -> bool:
    refused = state.refused
    if not refused:
        return False
    if category and _of_category(category) in refused:
        return True
    if item_id and _of_item(item_id) in refused:
        return True
    return ALL in refused or kind in refused or journey[:MAX_TEXT] in refused


def merge(into: UserState, other: UserState) -> None:
    for refused in other.refused:
        _add(into, refused)


def _add(state: UserState, refused: str) -> None:
    if refused in state.refused:
        return
    state.refused.append(refused)
    if len(state.refused) > MOST:
        state.refused[:] = [ALL]  # who refuses this much is left in peace


def _of_category(category: str) -> str:
    return f"category:{category}"[:MAX_TEXT]


def _of_item(item_id: str) -> str:
    return f"item:{item_id}"[:MAX_TEXT]
