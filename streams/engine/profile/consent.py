"""What the person allows. The latest by event time wins, ties go to the stricter; `*` is all."""

from streams.contract.events import Consent
from streams.engine.state import Consented, UserState

MOST = 8
MAX_TEXT = 24  # characters kept of a purpose, channel or version; ours are shorter


def record(state: UserState, data: Consent, *, granted: bool, time_ms: int) -> None:
    """Take over what the person said, unless they have said something newer about the same."""
    put(
        state,
        Consented(
            data.purpose[:MAX_TEXT],
            data.channel[:MAX_TEXT],
            granted,
            time_ms,
            data.version[:MAX_TEXT] if granted else "",
        ),
    )


def put(state: UserState, said: Consented) -> None:
    for place, known in enumerate(state.consents):
        if known.purpose == said.purpose and known.channel == said.channel:
            if _outweighs(said, known):
                state.consents[place] = said
            return
    state.consents.append(said)
    if len(state.consents) > MOST:
        _shorten(state)


def allows(state: UserState, purpose: str, channel: str, *, by_default: bool) -> bool:
    found = deciding(state, purpose, channel)
    return by_default if found is None else found.granted


def deciding(state: UserState, purpose: str, channel: str) -> Consented | None:
    """The statement that decides; None where the person has said nothing about it."""
    found: Consented | None = None
    for said in state.consents:
        applies = said.purpose in (purpose, "*") and said.channel in (channel, "*")
        if applies and (found is None or _outweighs(said, found)):
            found = said
    return found


def statements(state: UserState) -> list[str]:
    """For the profile: what is granted, as `purpose:channel`."""
    return [f"{said.purpose}:{said.channel}" for said in state.consents if said.granted]


def _outweighs(said: Consented, known: Consented) -> bool:
    if said.time_ms != known.time_ms:
        return said.time_ms > known.time_ms
    return known.granted and not said.granted


def _shorten(state: UserState) -> None:
    """Forget the oldest grant; where nothing is granted, all refusals become one of everything."""
    granted = [said for said in state.consents if said.granted]
    if granted:
        state.consents.remove(min(granted, key=lambda said: said.time_ms))
        return
    latest_ms = max(said.time_ms for said in state.consents)
    state.consents[:] = [Consented("*", "*", False, latest_ms)]
