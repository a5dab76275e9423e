"""What a person's row keeps of segments."""

from msgspec import Struct


class Segmented(Struct, array_like=True, gc=False):
    segment: int = 0  # place in rfm.SEGMENTS, from 1; 0: none yet
    high: int = 0  # bits of what is high: recency, frequency, money
    cluster: int = 0  # from 1; 0: none yet
