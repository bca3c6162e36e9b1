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
    "unreadable": ("{0}：{1}", "{0}: {1}"),
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
    "groups_twice": (
        "{0}：第 {1} 行：“{2}”在第 {3} 行已出现；请只保留一行",
        "{0}: line {1}: '{2}' is in line {3} already; keep one of the lines",
    ),
    "groups_no_file": (
        "{0}：不是普通文件；请给出 CSV 文件",
        "{0}: is not a file; give a CSV file",
    ),
    "groups_no_text": (
        "{0}：不是 16 MB 以内的文本表格；请另存为 CSV（UTF-8）",
        "{0}: is not a text table of up to 16 MB; save it as CSV (UTF-8)",
    ),
    "groups_column_twice": (
        "{0}：第 {1} 行：列“{2}”出现两次；请改名或删去一列",
        "{0}: line {1}: column '{2}' is there twice; rename or remove one",
    ),
    "groups_no_person": (
        "{0}：第 {1} 行：第一列没有人员文件夹名",
        "{0}: line {1}: names no person's folder in its first column",
    ),
    "groups_excess": (
        "{0}：第 {1} 行：“{2}”所在的列在表头中没有名称；请补上列名，或给含逗号的值加引号",
        "{0}: line {1}: '{2}' is in a column that has no name in the header; name it there, or put "
        "a value with a separator in it in quotes",
    ),
    "kept_foreign": (
        "{0}：不是完好的 --keep-embeddings 文件；请删除它，或换一个文件名",
        "{0}: is no whole file of --keep-embeddings; delete it, or give another name",
    ),
    "kept_other": (
        "{0}：其中是编码器 {1}、检测器 {2} 的特征；请删除它，或换一个文件名",
        "{0}: has embeddings of encoder {1} with detector {2}; delete it, or give another name",
    ),
    "kept_no_room": (
        "{0}：{1}；--keep-embeddings 需要可读写的文件，所在文件夹须已存在",
        "{0}: {1}; --keep-embeddings takes a file that can be read and written, in a folder that "
        "is there",
    ),
    "groups_nobody": (
        "{0}：其中没有一个人有文件夹（例如“{1}”；文件夹例如“{2}”）。第一列应为人员文件夹名。",
        "{0}: nobody in it has a folder (it has '{1}', for instance; a folder is '{2}'). Its first "
        "column must be the names of people's folders.",
    ),
}

#: SkipCode → (Chinese, English)
SKIPPED: dict[str, tuple[str, str]] = {
    "loose_file": ("不在人员文件夹内", "not in a person's folder"),
    "inner_folder": ("人员文件夹里的文件夹，未读取", "a folder inside a person's, not read"),
    "not_a_file": ("不是普通文件", "is not a file"),
    "empty_folder": ("没有照片", "no pictures"),
    "duplicate": ("与此文件相同", "the same file as"),
    "unreadable": ("无法读取", "cannot be read"),
    "two_tone": ("只有黑白两色", "black and white without grey"),
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

#: Shortfall → (Chinese, English)
SHORTFALLS: dict[str, tuple[str, str]] = {
    "few_people": (
        "人太少，无法给出阈值：至少需要 {people} 人（{pairs} 对），比对的只有 {have} 对{frames}。",
        "Too few people to say anything about thresholds: at least {people} ({pairs} pairs) "
        "are needed, and {have} pairs were compared{frames}.",
    ),
    "verify": (
        "用这些人的照片无法达到 1:1 目标（误匹配率 ≤ {fmr}）：{why}。请增加人数和照片，"
        "或放宽 --target-fmr。",
        "The 1:1 target (false match rate ≤ {fmr}) cannot be met with these people: {why}. Take "
        "more people and pictures, or a less strict --target-fmr.",
    ),
    "identify": (
        "用这些人的照片无法达到 1:N 目标（名单 {roster} 人，误报辨识率 ≤ {fpir}）：{why}。"
        "请增加人数和照片，或放宽 --target-fpir、--roster。",
        "The 1:N target (false positive identification rate ≤ {fpir} with {roster} on the "
        "roster) cannot be met with these people: {why}. Take more people and pictures, or a less "
        "strict --target-fpir or --roster.",
    ),
}

#: Why a target cannot be met → (Chinese, English)
OUT_OF_REACH: dict[str, tuple[str, str]] = {
    "no_distance": (
        "没有小到能以 95 % 的把握保证它的距离",
        "no distance is small enough to promise it at 95 %",
    ),
    "misses": (
        "距离须不大于 {distance}，而这时本人有 {miss} 会被拒绝",
        "it takes a distance of at most {distance}, which refuses the right person {miss} of the "
        "time",
    ),
}
