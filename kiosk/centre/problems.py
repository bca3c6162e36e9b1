"""What can be wrong with a roster file: codes, sentences and remedies in both languages.

Only words; finding the problems is others' work (table, files, roster_file).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from kiosk.centre.columns import HEADERS
from kiosk.told import Told, in_language

#: code → (Chinese sentence, Chinese remedy, English sentence, English remedy)
TEXTS: dict[str, tuple[str, str, str, str]] = {
    "not_found": ("找不到文件", "检查路径", "not found", "check the path"),
    "no_csv": (
        "文件夹里没有 .csv 或 .xlsx 文件",
        "放入一个名单 .csv 或 .xlsx",
        "no .csv or .xlsx file in the folder",
        "put the roster's table there",
    ),
    "several_csv": (
        "文件夹里有多个 .csv 或 .xlsx 文件",
        "直接指定其中一个",
        "several .csv or .xlsx files in the folder",
        "name one of them instead of the folder",
    ),
    "encoding": (
        "既不是 UTF-8 也不是 GB18030",
        "用表格软件另存为 CSV UTF-8",
        "neither UTF-8 nor GB18030",
        "save it again as CSV UTF-8",
    ),
    "spreadsheet": (
        "这是其他格式的电子表格文件",
        "在表格软件中另存为 .xlsx 或 CSV UTF-8",
        "a spreadsheet file of another kind",
        "save it as .xlsx or as CSV UTF-8 in the spreadsheet program",
    ),
    "spreadsheet_damaged": (
        "不是 .xlsx 工作簿，或已损坏",
        "在表格软件中打开并另存为 .xlsx",
        "not an .xlsx workbook, or a damaged one",
        "open it in the spreadsheet program and save it as .xlsx again",
    ),
    "spreadsheet_locked": (
        "工作簿有密码，或是旧的 .xls 格式",
        "去掉密码，另存为 .xlsx",
        "the workbook has a password, or is an old .xls",
        "save it as .xlsx without a password",
    ),
    "several_sheets": (
        "多个工作表都有名单表头",
        "只保留一个，其余删除或隐藏",
        "several sheets have the roster's header",
        "keep one; remove or hide the others",
    ),
    "cell_number": (
        "单元格是数字，位数可能已丢失",
        "把该列设为“文本”格式，重新填写完整内容",
        "the cell is a number and may have lost digits",
        "format the column as text and enter it in full again",
    ),
    "rows_after_empty": (
        "很多空行之后还有内容",
        "删除空行，或把多余的内容移到别的工作表",
        "there is something after very many empty rows",
        "remove the empty rows, or move what does not belong here to another sheet",
    ),
    "cell_date": (
        "单元格是日期，不是文字",
        "把该列设为“文本”格式，重新填写",
        "the cell is a date, not text",
        "format the column as text and enter it again",
    ),
    "cell_error": (
        "单元格是公式错误",
        "改正公式或直接填写内容",
        "the cell's formula has failed",
        "correct the formula or write what it should say",
    ),
    "too_many_rows": (
        "行数太多",
        "按场次分成几个名单",
        "too many rows",
        "split it into several rosters by session",
    ),
    "duplicate_column": ("列重复", "只保留一列", "column is there twice", "keep one of them"),
    "empty_file": ("没有考生行", "检查导出内容", "has no candidates", "check the export"),
    "missing_column": ("缺少列", "补上该列", "column is missing", "add the column"),
    "unknown_column": ("未知的列", "删除或改名", "unknown column", "remove or rename it"),
    "columns": (
        "列数与表头不符",
        "检查分隔符和引号",
        "more or fewer fields than the header",
        "check separators and quotes",
    ),
    "empty": ("不能为空", "填写该项", "must not be empty", "fill it in"),
    "too_long": ("太长", "最多 64 个字符", "too long", "at most 64 characters"),
    "control": (
        "含有不可见字符",
        "删除不可见字符",
        "has invisible characters",
        "type it again by hand",
    ),
    "old_number": (
        "15 位旧号码",
        "填写现用证件上的 18 位号码",
        "the old number of 15 digits",
        "write the 18 characters of the present card",
    ),
    "length": ("身份证明号码应为 18 位", "核对证件", "must have 18 characters", "compare the card"),
    "characters": (
        "身份证明号码只能是数字，末位可为 X",
        "核对证件",
        "only digits, the last may be X",
        "compare the card",
    ),
    "birth_date": (
        "身份证明号码中的出生日期不存在",
        "核对证件",
        "its birth date does not exist",
        "compare the card",
    ),
    "checksum": (
        "身份证明号码校验位不符",
        "核对证件",
        "check character does not fit",
        "compare the card",
    ),
    "licence_class": (
        "未知的准考车型",
        "如 C1、C2、B2",
        "unknown licence class",
        "such as C1, C2, B2",
    ),
    "yes_or_no": (
        "既不是“是”也不是“否”",
        "写“是”或“否”，或留空",
        "is neither yes nor no",
        "write yes or no, or leave it empty",
    ),
    "session_id": (
        "场次编号格式不对",
        "字母、数字、点、横线",
        "not a session id",
        "letters, digits, dot, dash",
    ),
    "duplicate_number": (
        "同一场次身份证明号码重复",
        "保留一行",
        "number twice in one session",
        "keep one of the rows",
    ),
    "duplicate_admission": (
        "同一场次准考证明编号重复",
        "保留一行",
        "admission number twice in one session",
        "keep one of the rows",
    ),
    "file_missing": (
        "找不到引用的文件",
        "放入该文件或改正文件名",
        "the file is not there",
        "add it or correct the name",
    ),
    "file_outside": (
        "文件在名单文件夹之外",
        "把文件放进名单文件夹",
        "lies outside the folder",
        "put it into the roster's folder",
    ),
    "file_too_big": ("文件太大", "照片不超过 20 MB", "file is too big", "photos up to 20 MB"),
    "not_a_file": ("不是普通文件", "放入照片或模板文件", "is not a file", "put the file there"),
    "too_many_templates": (
        "指纹模板太多",
        "最多 10 个",
        "too many fingerprint templates",
        "at most 10 a candidate",
    ),
    "table_too_big": (
        "名单文件太大",
        "不超过 16 MB，照片放在文件夹里",
        "the table is too big",
        "at most 16 MB; photographs belong into files",
    ),
    "template_size": (
        "指纹模板应为 512 字节",
        "重新采集或重新导出",
        "a template has 512 bytes",
        "capture or export it again",
    ),
    "template_format": (
        "未知的指纹模板格式",
        "zfm 或 iso-19794-2",
        "unknown template format",
        "zfm or iso-19794-2",
    ),
    "other_format": (
        "模板不是所写的格式",
        "改正“指纹模板格式”列，或重新导出",
        "the template is in another format than the table says",
        "correct the column template_format, or export it again",
    ),
    "not_iso": (
        "不是 ISO/IEC 19794-2:2005 记录",
        "重新导出",
        "not a record of ISO/IEC 19794-2:2005",
        "export it again",
    ),
    "finger": (
        "未知的指位",
        "如：右手拇指，或 1–10、11–20",
        "unknown finger",
        "such as right_thumb, or 1–10, 11–20",
    ),
    "finger_count": (
        "指位与指纹模板的个数不同",
        "每个模板一个指位，或全部留空",
        "not as many fingers as templates",
        "one finger for each template, or leave it empty",
    ),
    "unreadable": (
        "照片无法读取",
        "重新导出为 JPEG",
        "the picture cannot be read",
        "export it again as JPEG",
    ),
    "two_tone": (
        "照片只有黑白两色，没有灰度",
        "重新扫描为彩色或灰度",
        "the picture is black and white without shades of grey",
        "scan it again in colour or in grey",
    ),
    "no_face": ("照片中没有人脸", "换一张正面照", "no face in the picture", "take another one"),
    "several_faces": (
        "照片中有多张人脸",
        "换成单人照",
        "several faces in the picture",
        "use a picture of one person",
    ),
    "too_small": (
        "照片中人脸太小",
        "用更大的照片",
        "the face is too small",
        "use a larger picture",
    ),
    "blurred": ("照片太模糊", "重新拍摄", "the picture is too blurred", "take it again"),
    "turned": (
        "照片横放或倒置，已转正",
        "核对转正后的照片",
        "the picture lay on its side or upside down; it was turned upright",
        "see whether it is upright now",
    ),
    "same_face": (
        "与另一名考生是同一张脸",
        "核对两人身份，可能替考",
        "the same face as another candidate",
        "check both: a substitute?",
    ),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake, found where `file`, `line` (0: the whole file) and `field` say."""

    file: str
    line: int
    field: str
    value: str
    code: str
    detail: str = ""

    def message_in(self, language: str) -> str:
        sentence = TEXTS[self.code][0 if language == "zh" else 2]
        detail = in_language(self.detail, language)
        return f"{sentence} ({detail})" if detail else sentence

    def field_in(self, language: str) -> str:
        """The column as the table's header has it in Chinese, else by the name of the format."""
        return HEADERS.get(self.field, (self.field,))[0] if language == "zh" else self.field

    def remedy_in(self, language: str) -> str:
        return TEXTS[self.code][1 if language == "zh" else 3]

    @property
    def message(self) -> str:
        return self.message_in("en")

    @property
    def remedy(self) -> str:
        return self.remedy_in("en")


#: what the face engine counts and measures
_MEASURES = {
    "bytes": "字节",
    "pixels": "像素",
    "face_px": "人脸宽度（像素）",
    "sharpness": "清晰度",
    "faces": "人脸数",
    "min": "最少",
    "max": "最多",
}


def measured(numbers: Mapping[str, float]) -> Told:
    """What was found of a photograph and what is asked of it, in words."""
    en = ", ".join(f"{name} {value:g}" for name, value in numbers.items())
    zh = "，".join(f"{_MEASURES.get(name, name)} {value:g}" for name, value in numbers.items())
    return Told(en, zh)


_LONG_NUMBER = re.compile(r"[0-9]{9,}[0-9Xx]")


def mask_digits(text: str) -> str:
    """File names are often made of the identity number."""
    return _LONG_NUMBER.sub(lambda found: mask_number(found[0]), text)


def mask_number(value: str) -> str:
    """Enough to find the row: the first six and the last two characters."""
    return value if len(value) < 10 else f"{value[:6]}…{value[-2:]}"
