"""Sentences of `examgate face calibrate`, in both languages.

Keys are the codes of kiosk.face.calibration, as text: nothing of it is loaded for a sentence.
"""

from __future__ import annotations

#: FolderCode → (Chinese, English); {0}, {1} … are the problem's names.
FOLDER: dict[str, tuple[str, str]] = {
    "no_folder": (
        "{0}：没有这个文件夹",
        "{0}: there is no such folder",
    ),
    "no_people": (
        "{0}：没有人员。每人一个文件夹，里面放本人的照片。",
        "{0}: no people. It takes a folder for each person with pictures of that person in it.",
    ),
    "nested": (
        "{1} 是人员文件夹里的文件夹，而外层没有任何照片。是想用 {0} 吗？",
        "{1} is a folder in a person's folder, and no picture is above it. Did you mean {0}?",
    ),
    "same_picture": (
        "同一张照片出现在两个人名下：{0}",
        "one picture under two people: {0}",
    ),
    "groups_unreadable": ("{0}：无法读取（{1}）", "{0}: cannot be read ({1})"),
    "groups_no_column": (
        "{0}：至少要两列：人员文件夹名，以及一列分组",
        "{0}: needs two columns at least: the person's folder, and a group",
    ),
    "groups_twice": ("{0}：{1} 出现两次", "{0}: {1} is there twice"),
}

#: SkipCode → (Chinese, English)
SKIPPED: dict[str, tuple[str, str]] = {
    "loose_file": ("不在人员文件夹内", "not in a person's folder"),
    "inner_folder": ("人员文件夹里的文件夹，未读取", "a folder inside a person's, not read"),
    "empty_folder": ("没有照片", "no pictures"),
    "duplicate": ("与此文件相同", "the same file as"),
    "unreadable": ("无法读取", "cannot be read"),
    "no_face": ("没有人脸", "no face"),
    "several_faces": ("多张人脸", "several faces"),
    "too_small": ("人脸太小", "face too small"),
    "blurred": ("模糊", "blurred"),
}

#: Method of an interval → (Chinese, English)
METHODS: dict[str, tuple[str, str]] = {
    "bootstrap": ("按人重抽样", "bootstrap over people"),
    "clopper-pearson": ("Clopper-Pearson，按人", "Clopper-Pearson over people"),
    "rule-of-three": ("零错误，三倍法则", "no error: rule of three"),
    "none": ("没有比对", "no comparisons"),
}

#: Which impostors decided → (Chinese, English)
POPULATIONS: dict[str, tuple[str, str]] = {
    "all": ("所有人之间", "all people"),
    "same_group": ("同组的人之间", "people of the same group"),
}

#: Shortfall → (Chinese, English)
SHORTFALLS: dict[str, tuple[str, str]] = {
    "few_people": (
        "人太少，无法给出阈值：至少需要 {people} 人（{pairs} 对）。",
        "Too few people to say anything about thresholds: at least {people} ({pairs} pairs) "
        "are needed.",
    ),
    "verify": (
        "1:1 目标无法达到：在误匹配率 {fmr} 的阈值下，超过一半的本人会被拒绝。",
        "The 1:1 target cannot be met: at a false match rate of {fmr} more than half of the "
        "genuine comparisons would fail.",
    ),
    "identify": (
        "1:N 目标无法达到：名单 {roster} 人、误报辨识率 {fpir} 时，超过一半的本人会被拒绝。",
        "The 1:N target cannot be met: with {roster} on the roster and a false positive "
        "identification rate of {fpir}, more than half would not be recognised.",
    ),
}
