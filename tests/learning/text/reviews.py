"""Reviews made of a few words, some of which nobody has an opinion of beforehand."""

from random import Random

GOOD = ("喵了个咪", "绝绝子", "很好", "喜欢", "yyds", "[强]")
BAD = ("踩大坑", "嘟嘟囔囔", "失望", "不好用", "雷品", "[微笑]")
FILLER = ("衣服", "今天", "收到", "快递", "颜色", "书", "酒店", "房间", "，", "。", "了", "的")


def reviews(count: int, seed: int) -> list[tuple[str, bool]]:
    random = Random(seed)
    found = []
    for _ in range(count):
        positive = random.random() < 0.5
        words = [random.choice(FILLER) for _ in range(random.randrange(3, 10))]
        side = positive if random.random() < 0.93 else not positive
        words.insert(random.randrange(len(words)), random.choice(GOOD if side else BAD))
        found.append(("".join(words), positive))
    return found
