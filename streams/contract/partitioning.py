"""Where a person lives: the one function the intake and the engine must agree on."""

from zlib import crc32


def base_alias(user_id: str) -> str:
    """A user id is an alias and, after a dot, the generation that erasures gave it."""
    return user_id.partition(".")[0]


def partition_of(alias: str, partitions: int) -> int:
    """The log partition of an alias or user id."""
    return crc32(base_alias(alias).encode()) % partitions
