"""Readings that e-Gov's plain text runs into the words they are for: 橋梁りよう, 覆おおい, 瑕疵かし."""

from __future__ import annotations

import re

# The character with its reading as the texts have it, large よ and ゆ included; found by reading what follows
# rare characters in all statutes, and what is between two characters that are one word elsewhere (剥はく離).
# A reading that could be the end of an inflected word is not among them.
_READINGS = """
牽けん 竣しゆん 綻たん 蹄てい 舷げん 踪そう 堆たい 謬びゆう 疱ほう 渠きよ 堰ぜき 聾ろう 溢いつ 涵かん
艤ぎ 閃せん 剪せん 閘こう 疽そ 閏うるう 湛たん 砒ひ 傭よう 蛋たん 庇ひ 樋ひ 幇ほう 跨こ
疹しん 疹ほう 錨びよう 芻すう 齧げつ 頸けい 肛こう 兎うさぎ 鉗かん 麺めん 沃よう 錮こ 脆ぜい 胚はい
棚だな 覆おおい 梁りよう 沫まつ 槽そう 蔽ぺい 洩えい 賂ろ 疵かし 毀き 填てん 塡てん 塞そく 勾こう
脊せき 腎じん 膵すい 咽いん 喉こう 顎がく 嗅きゆう 骸がい 腫しゆ 燻くん 僻へき 辣らつ 窯よう 拉ら
罹り 綴てつ 嗜し 腔くう 腔こう 竄ざん 屑くず 舵だ
濾ろ 堰せき 捗ちよく 煽せん 膣ちつ 臀でん 按あん 弗ふつ 鋲びよう 湧ゆう 娩べん 鑽さん 痰かく 屎し 歪ひずみ
熔よう 痺ひ 塵じん 膿のう 嚢のう 腱けん 拿だ 凸とつ 凹おう 閏じゆん 坐ざ 窄さく 咬こう 燐りん 腿たい
釉ゆう 綜そう 漿しよう 朔さく 穿せん 渣さ 膏こう 耘うん 旒りゆう 隘あい 眩げん 瘡じよく 肌はだ 喧けん
躯く 誨かい 膳ぜん 嬬じゅ 拌かく 揉じゆう 蛹よう 錐すい 梳そ 藉しや
剥はく 酩めい 饋き 尖せん 顆か 迂う 辰しん 譴けん 痩そう 珪けい 焙ばい 昏こん 哺ほ 澱でん 淋りん 汎はん
扁へん 甚じん 隧すい 隧ずい 溯さく 梢しよう 輻ふく 橙とう 矩く 壕ごう 厨ちゆう 麓ろく 筐きよう 隅ぐう
秤ひよう 氾はん 蓋がい 埠ふ 泡あわ 亀き 錘おもり 較こう 餌じ 堪たん 梁りょう 艙そう 抹まつ 鍵けん 臍さい
殻こく
"""
_RUBY = re.compile("|".join(_READINGS.split()))


def holds_reading(text: str) -> bool:
    """Return whether a reading is written into the text as if it were part of it."""
    return _RUBY.search(text) is not None
