"""What the policy asks of money: the port behind which accounts and leases are kept."""

from collections.abc import Mapping, Sequence
from typing import Protocol


class Purse(Protocol):
    """What this partition may spend. `day` counts since the epoch, in the policy's zone."""

    def can_spend(self, accounts: Sequence[str], day: int, fen: int) -> bool: ...

    def refusal(
        self, accounts: Sequence[str], day: int, fen: int
    ) -> tuple[str, Mapping[str, float]]:
        """Why `can_spend` says no: an outcome and the values behind it. Asks for what lacks."""
        ...

    def spend(self, accounts: Sequence[str], day: int, fen: int, now_ms: int) -> None: ...
