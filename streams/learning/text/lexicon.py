"""Common Chinese words of praise and of complaint: where sentiment starts before it has learned.

Written for shops and service, not learned and not complete; what they weigh is learned. Each has
one to four characters. The longest word at a place counts; after a negation it counts for the other
side.
"""

from typing import Final

# In general, of feelings, of things, of service.
_PRAISE: Final = """
好 棒 赞 美 妙 帅 爽 香 甜 乖 萌 好评 很好 真好 挺好 蛮好 超好 太好 最好 极好 好极 不错 挺不错
还可以 棒棒 太棒 很棒 超棒 真棒 很赞 点赞 超赞 给力 厉害 牛 优秀 优良 优质 完美 满分 五星 精彩
精美 精致 出色 一流 经典 极品 上乘 正品 真货 靠谱 放心 安心 省心 省事 省力 信赖 信任 可靠 值得
值了 超值 物超所值 物美价廉 物有所值 划算 实惠 便宜 优惠 性价比高 喜欢 喜爱 很爱 最爱 爱了
爱不释手 满意 开心 高兴 快乐 幸福 惊喜 感动 感谢 谢谢 温暖 温馨 亲切 舒服 舒适 享受 过瘾 轻松
愉快 有趣 好玩 好看 好吃 好喝 好闻 好听 好用 好穿 有意思 迷人 可爱 漂亮 美丽 美观 美味 好美 惊艳
时尚 大方 大气 高档 高端 上档次 个性 期待 支持 清晰 清楚 清新 清爽 干净 整洁 卫生 新鲜 安静 宽敞
明亮 柔软 轻便 小巧 轻薄 方便 便捷 简单 实用 耐用 结实 牢固 稳定 流畅 灵敏 强劲 强大 齐全 丰富
充足 合适 合身 正好 显瘦 显白 透气 保暖 细腻 均匀 正宗 地道 健康 安全 环保 有效 见效 管用 有用
受益 受益匪浅 收获 启发 启示 生动 深刻 优美 流利 幽默 感人 震撼 独特 专业 详细 全面 到位 周到
热情 热心 耐心 细心 贴心 体贴 用心 认真 负责 礼貌 友好 友善 客气 及时 迅速 很快 快速 神速 推荐
强烈推荐 值得推荐 回购 再来 还会来 下次还 常来 会再买 必买 入手 首选 放心购买 收藏 祝 加油 成功
进步 顺利 名不虚传 一如既往 无可挑剔 赏心悦目 恰到好处
"""

_COMPLAINT: Final = """
差 烂 坏 破 脏 臭 丑 慢 吵 贵 坑 假 劣 糟 惨 傻 蠢 累 怒 哭 晕 呸 很差 太差 最差 极差 超差 真差
差劲 差评 较差 糟糕 糟透 很烂 太烂 垃圾 破烂 恶劣 低劣 劣质 伪劣 次品 残次 瑕疵 缺陷 毛病 问题
缺点 不足 故障 隐患 一般 一般般 平庸 普通 勉强 凑合 马虎 粗糙 简陋 陈旧 破旧 老旧 过时 落后 不行
不好 不值 不如 不爽 不满 不便 不符 不一样 不推荐 没用 没意思 无聊 无语 无奈 失望 后悔 郁闷 生气
气愤 愤怒 恼火 火大 烦 烦人 讨厌 厌恶 恶心 反感 难受 难过 伤心 痛苦 崩溃 心寒 寒心 可恶 可恨
可怜 可惜 遗憾 可笑 搞笑 荒唐 恐怖 可怕 害怕 担心 吓人 受不了 尴尬 头疼 头痛 头晕 抓狂 吐槽 鄙视
坑人 坑爹 上当 受骗 被骗 骗人 骗子 欺骗 忽悠 误导 虚假 宰客 奸商 黑店 黑心 霸王 耍赖 无耻 无良
流氓 投诉 举报 曝光 维权 差价 欺负 歧视 难吃 难喝 难看 难闻 难听 难用 难懂 异味 臭味 怪味 刺鼻
发霉 霉味 变质 过期 馊 苍蝇 蟑螂 虫子 蚊子 污渍 肮脏 潮湿 嘈杂 噪音 噪声 太吵 拥挤 狭小 昏暗
破损 损坏 坏了 裂 断 掉色 褪色 起球 缩水 漏水 漏 变形 开裂 脱落 松动 卡 死机 蓝屏 黑屏 花屏 坏点
重启 发热 发烫 太热 很热 太重 偏小 偏大 太小 太短 太薄 太硬 太贵 太慢 很慢 太少 漏发 错发 少发
缺货 盗版 假货 冒牌 山寨 仿冒 二手 翻新 错误 错别字 残缺 缺页 缺失 破洞 拉肚子 过敏 无效 没效果
失效 浪费 白花 不值得 枯燥 乏味 空洞 肤浅 啰嗦 罗嗦 牵强 晦涩 幼稚 俗套 抄袭 拼凑 炒作 吹嘘 夸张
失败 态度差 冷漠 冷淡 敷衍 推诿 推卸 不理 不管 不耐烦 拒绝 拖延 拖拉 迟迟 催 等了 白等 半天 退货
退款 退掉 换货 返修 维修 赔偿 扯皮 推销 乱收费 涨价 降价 贬值 再也不 别买 别来 别去 慎入 千万别
千万不要 不要买 不会再 远离 避雷 踩雷 拉黑 名不副实 名不符实 莫名其妙 一塌糊涂 一无是处 惨不忍睹
忍无可忍 怎么 为什么 居然 竟然 根本 竟
"""

# Stickers of WeChat by their codes, and emoji. [微笑] is ironic among the young: it counts as cool.
_PLEASED: Final = """
[强] [赞] [鼓掌] [爱心] [玫瑰] [呲牙] [愉快] [憨笑] [可爱] [得意] [胜利] [ok] [拥抱] [握手]
[抱拳] [庆祝] [礼物] [太阳] [亲亲] [色] [害羞] [嘿哈] [耶] [加油] [666] [好的] [强壮] [蛋糕]
[发] [福] [thumbsup] [heart] [rose] [grin] [joyful] [smirk] [clap] [hug] [yeah!] [party] 👍 👏 ❤
💕 💖 💗 😊 😀 😃 😄 😁 😍 🥰 😘 😋 🌹 💐 🎉 💪 🙏 ✌ 👌 💯 🌟 ⭐ 😻 🤩 🥳 ♥ ☺ 🤗
"""

_ANNOYED: Final = """
[微笑] [弱] [差劲] [发怒] [抓狂] [流泪] [大哭] [难过] [撇嘴] [吐] [衰] [咒骂] [鄙视] [白眼]
[快哭了] [委屈] [便便] [心碎] [菜刀] [炸弹] [骷髅] [敲打] [失望] [裂开] [苦涩] [叹气] [翻白眼]
[汗] [尴尬] [晕] [傲慢] [哼] [右哼哼] [左哼哼] [阴险] [疑问] [囧] [再见] [捂脸] [无语] [smile]
[angry] [sob] [thumbsdown] [scold] [cry] [toasted] [broken] [facepalm] [speechless] [sigh] 👎 😡
😠 🤬 😤 😭 😢 😞 😔 😣 😖 😩 😫 😒 🙄 💔 🤮 🤢 💩 😑 😓 😰 😱 🙃 🙂 🤦 😅 😥 🤡
"""

# Where a character of negation negates nothing.
_NOT_NEGATING: Final = """
不过 不仅 不但 不只 不断 不愧 不管 不论 不禁 不妨 不同 不知 不少 没错 不错 别人 别的 别墅 特别
分别 级别 区别 个别 性别 类别 告别 差别 识别 别致 别具 无比 无论 无线 无数 无疑 无锡 无限 非常
非洲 除非 是非 未来 未必 莫名 莫非 不得 不要 要不 差不 了不 好不 对不 不久 不由 不然 不锈 无非
"""

_TURNS: Final = "但是 不过 可是 然而 只是 就是 但我 但这 但有 但也 但不 但在 但还"

PRAISE: Final = frozenset((_PRAISE + _PLEASED).split())
COMPLAINT: Final = frozenset((_COMPLAINT + _ANNOYED).split())
POLARITY: Final = {**dict.fromkeys(PRAISE, 1), **dict.fromkeys(COMPLAINT, -1)}
NEGATING: Final = frozenset("不没无别未非勿莫甭")
NOT_NEGATING: Final = frozenset(_NOT_NEGATING.split())
TURNS: Final = frozenset(_TURNS.split())  # after which the other side speaks
