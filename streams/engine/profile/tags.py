"""The tags a person meets most often, as small counts.

At most 8 tags; a newcomer takes the place and the count of the weakest, so a new habit gets a
chance. When a count is full, all are halved: recent habits win.
Source: Metwally et al., Efficient computation of frequent and top-k elements in data streams
(2005).
"""

MOST = 8
FULL = 120  # a count below 128 is one byte


def count_tag(tags: dict[str, int], tag: str) -> None:
    count = tags.get(tag)
    if count is None:
        count = 0
        if len(tags) >= MOST:
            weakest = min(tags, key=lambda name: (tags[name], name))
            count = tags.pop(weakest)
    tags[tag] = count + 1
    if count + 1 >= FULL:
        for name in list(tags):
            tags[name] >>= 1


def merge(into: dict[str, int], other: dict[str, int]) -> None:
    for tag, count in other.items():
        into[tag] = into.get(tag, 0) + count
    strongest = sorted(into, key=lambda name: (-into[name], name))[:MOST]
    counts = {name: min(into[name], FULL - 1) for name in strongest}
    into.clear()
    into.update(counts)
