"""What a card's chip says in its 256 bytes of text: the four kinds of card that such a reader
reads, each with its own layout, told apart by one letter.

UTF-16LE, padded with spaces. Sources: docs/protocol-idcard.md. Messages never hold content.
"""

from __future__ import annotations

import re

from drivers.contracts import CardKind, IdCard

TEXT_BYTES = 256
PHOTO_BYTES = 1024
LONG_TERM = "长期"
SEXES = {"0": "未知", "1": "男", "2": "女", "9": "未说明"}

_NATIONS = (
    "汉 蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 土家 哈尼 哈萨克 傣 黎 傈僳 佤 畲 高山"
    " 拉祜 水 东乡 纳西 景颇 柯尔克孜 土 达斡尔 仫佬 羌 布朗 撒拉 毛南 仡佬 锡伯 阿昌 普米 塔吉克"
    " 怒 乌孜别克 俄罗斯 鄂温克 德昂 保安 裕固 京 塔塔尔 独龙 鄂伦春 赫哲 门巴 珞巴 基诺"
)
#: GB/T 3304, in the order of their codes 01 to 56
NATIONS = _NATIONS.split()
NATION_CODES = {f"{n:02d}": name for n, name in enumerate(NATIONS, 1)}
NATION_CODES |= {"97": "其他", "98": "外国血统中国籍人士"}

#: The letter that tells the kinds apart, at this UTF-16 unit of all of them
KIND_AT = 124
LETTERS = {
    CardKind.RESIDENT: " ",
    CardKind.HMT_PERMIT: "J",
    CardKind.FOREIGN_2017: "I",
    CardKind.FOREIGN_2023: "Y",
}

#: (field, UTF-16 units) in the order of the text; "" is skipped, "kind" is the letter
Layout = tuple[tuple[str, int], ...]
_RESIDENT: Layout = (
    ("name", 15), ("sex", 1), ("nation", 2), ("birth_date", 8), ("address", 35), ("number", 18),
    ("issuer", 15), ("valid_from", 8), ("valid_to", 8),
)  # fmt: skip
_PERMIT: Layout = (
    ("name", 15), ("sex", 1), ("", 2), ("birth_date", 8), ("address", 35), ("number", 18),
    ("issuer", 15), ("valid_from", 8), ("valid_to", 8), ("pass_number", 9), ("", 2), ("", 3),
    ("kind", 1), ("", 3),
)  # fmt: skip
_FOREIGN_2017: Layout = (
    ("other_name", 60), ("sex", 1), ("number", 15), ("nation", 3), ("name", 15),
    ("valid_from", 8), ("valid_to", 8), ("birth_date", 8), ("", 2), ("issuer", 4), ("kind", 1),
    ("", 3),
)  # fmt: skip
_FOREIGN_2023: Layout = (
    ("name", 15), ("sex", 1), ("", 2), ("birth_date", 8), ("other_name", 35), ("number", 18),
    ("", 15), ("valid_from", 8), ("valid_to", 8), ("other_name_more", 11), ("nation", 3),
    ("kind", 1), ("", 3),
)  # fmt: skip
LAYOUTS = {
    CardKind.RESIDENT: _RESIDENT,
    CardKind.HMT_PERMIT: _PERMIT,
    CardKind.FOREIGN_2017: _FOREIGN_2017,
    CardKind.FOREIGN_2023: _FOREIGN_2023,
}
FIELDS = _RESIDENT

_SPACE = " ".encode("utf-16-le")
_DATE = r"(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])"
_SHAPES = {
    "name": re.compile(r"[^\x00-\x1f]+"),
    "sex": re.compile(r"[0129]"),
    "nation": re.compile("|".join(NATION_CODES) + "|"),
    "birth_date": re.compile(_DATE),
    "number": re.compile(r"[0-9]{17}[0-9Xx]"),
    "valid_from": re.compile(_DATE),
    "valid_to": re.compile(_DATE + "|" + LONG_TERM),
}
_WEIGHTS = tuple(2 ** (17 - n) % 11 for n in range(17))
_LAST = "10X98765432"  #: check character by the sum's rest (GB 11643-1999)
_FOREIGN = _SHAPES | {"nation": re.compile(r"[A-Z]{3}")}
_KIND_SHAPES = {
    CardKind.RESIDENT: _SHAPES,
    CardKind.HMT_PERMIT: _SHAPES,
    CardKind.FOREIGN_2017: _FOREIGN | {"number": re.compile(r"[A-Z]{3}[0-9]{12}")},
    CardKind.FOREIGN_2023: _FOREIGN,
}


class UnknownKind(ValueError):
    """The letter is of no kind of card that is known here."""


def text_of(card: IdCard) -> bytes:
    """The 256 bytes of a card's text. Raises `ValueError` naming a field that does not fit."""
    values = {name: getattr(card, name) for name in _plain_fields(card.kind)}
    values["sex"] = _code(SEXES, card.sex)
    values["kind"] = LETTERS[card.kind]
    if card.kind in (CardKind.RESIDENT, CardKind.HMT_PERMIT):
        values["nation"] = _code(NATION_CODES, card.nation)
    if card.kind is CardKind.FOREIGN_2023:
        values["other_name"], values["other_name_more"] = card.other_name[:35], card.other_name[35:]
    if card.other_name and card.name == card.other_name:
        values["name"] = ""  # no Chinese name
    out = b""
    for name, units in LAYOUTS[card.kind]:
        field = values.get(name, "").encode("utf-16-le")
        if len(field) > 2 * units:
            raise ValueError(f"{name} is longer than {units} characters")
        out += field + _SPACE * (units - len(field) // 2)
    return out + _SPACE * ((TEXT_BYTES - len(out)) // 2)


def _plain_fields(kind: CardKind) -> list[str]:
    known = IdCard.__dataclass_fields__
    return [name for name, _ in LAYOUTS[kind] if name in known and name != "kind"]


def _code(codes: dict[str, str], word: str) -> str:
    return next((code for code, said in codes.items() if said == word), word)


def card_of(text: bytes) -> IdCard:
    """The card's fields. Raises `ValueError` when these cannot be a card's, `UnknownKind` when
    it is one of a kind not known here.

    The line's XOR misses two errors that cancel out, so what the fields owe each other is
    looked at as well.
    """
    if len(text) < TEXT_BYTES:
        raise ValueError(f"{len(text)} bytes of text instead of {TEXT_BYTES}")
    kind = _kind_of(text)
    values, at = {}, 0
    for name, units in LAYOUTS[kind]:
        said = text[at : at + 2 * units].decode("utf-16-le").replace("\0", " ")
        values[name] = said if name.startswith("other_name") else said.strip()
        at += 2 * units
    _join_names(kind, values)
    shapes = _KIND_SHAPES[kind]
    wrong = [n for n, shape in shapes.items() if n in values and not shape.fullmatch(values[n])]
    if not wrong and kind is not CardKind.FOREIGN_2017:
        wrong = ["birth_date"] if values["number"][6:14] != values["birth_date"] else []
    if not wrong and kind in (CardKind.RESIDENT, CardKind.HMT_PERMIT):
        wrong = [] if _is_checked(values["number"]) else ["number"]
    if wrong:
        raise ValueError(f"implausible: {', '.join(wrong)}")
    values["number"] = values["number"].upper()
    values["sex"] = SEXES.get(values["sex"], values["sex"])
    values["nation"] = NATION_CODES.get(values.get("nation", ""), values.get("nation", ""))
    known = {n: v for n, v in values.items() if n in IdCard.__dataclass_fields__ and n != "kind"}
    return IdCard(**({"address": "", "issuer": ""} | known), kind=kind)


def _is_checked(number: str) -> bool:
    """Its last character follows from the others (GB 11643-1999, ISO 7064 MOD 11-2)."""
    rest = sum(int(d) * w for d, w in zip(number[:17], _WEIGHTS, strict=True)) % 11
    return number[17].upper() == _LAST[rest]


def _kind_of(text: bytes) -> CardKind:
    letter = text[2 * KIND_AT : 2 * KIND_AT + 2].decode("utf-16-le", "replace")
    if letter in (" ", "\0"):
        return CardKind.RESIDENT
    kind = next((kind for kind, known in LETTERS.items() if known == letter), None)
    if kind is None:
        raise UnknownKind("kind of card")
    return kind


def _join_names(kind: CardKind, values: dict[str, str]) -> None:
    """A foreigner's Latin name may be cut into two fields, at a blank or not; who has no Chinese
    name is called by it."""
    if kind in (CardKind.FOREIGN_2017, CardKind.FOREIGN_2023):
        whole = values["other_name"] + values.pop("other_name_more", "")
        values["other_name"] = whole.strip()
        values["name"] = values["name"] or values["other_name"]


def read_data(card: IdCard, photo: bytes = bytes(PHOTO_BYTES)) -> bytes:
    """What a READ answers: two lengths, text, coded photograph."""
    lengths = TEXT_BYTES.to_bytes(2, "big") + len(photo).to_bytes(2, "big")
    return lengths + text_of(card) + photo


def card_from_read(data: bytes) -> IdCard:
    """The card in a READ's data. Raises `ValueError`."""
    if len(data) < 4:
        raise ValueError("no lengths")
    size = int.from_bytes(data[:2], "big")
    return card_of(data[4 : 4 + size])
