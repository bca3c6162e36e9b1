"""Why a bundle is not taken: codes, sentences and remedies in both languages.

Only words; finding what is wrong is others' work (seal, archive, manifest, accept).
"""

from __future__ import annotations

from datetime import datetime, tzinfo

#: code → (Chinese sentence, Chinese remedy, English sentence, English remedy)
TEXTS: dict[str, tuple[str, str, str, str]] = {
    "unreadable": (
        "文件无法读取",
        "检查路径和权限",
        "cannot be read",
        "check the path and who may read it",
    ),
    "not_a_bundle": (
        "不是名单包（不是 age 加密文件）",
        "重新下载或复制",
        "is not a roster bundle (not an age file)",
        "download or copy it again",
    ),
    "other_recipient": (
        "不是为本通道加密的",
        "把 examgate key recipient 的输出交给中心，重新制作",
        "is not encrypted for this lane",
        "give the centre what examgate key recipient prints and have it made again",
    ),
    "damaged": (
        "文件损坏或不完整",
        "重新下载或复制",
        "is damaged or incomplete",
        "download or copy it again",
    ),
    "too_big": (
        "超过允许的大小",
        "请中心按日期拆分",
        "is bigger than a bundle may be",
        "have the centre split it",
    ),
    "bad_signature": (
        "签名不符：不是中心签发，或内容被改动",
        "不要使用；核对 centre.public_key，并通知中心",
        "the signature does not fit: not made by the centre, or changed since",
        "do not use it; compare centre.public_key and tell the centre",
    ),
    "format": (
        "清单的格式不对",
        "请中心用同一版本的 examgate 重新制作",
        "its manifest has not the right form",
        "have the centre make it again with the same version of examgate",
    ),
    "other_venue": (
        "是另一个考场的名单",
        "向中心索取本考场的名单包",
        "is for another venue",
        "ask the centre for this venue's bundle",
    ),
    "not_yet_valid": (
        "尚未生效",
        "检查本机时间",
        "is not valid yet",
        "check this computer's clock",
    ),
    "expired": (
        "已过有效期",
        "下载当天的名单包；检查本机时间",
        "is no longer valid",
        "download the one of the day; check this computer's clock",
    ),
    "older": (
        "比正在使用的名单旧",
        "使用较新的名单包",
        "is older than the roster in use",
        "use the newer bundle",
    ),
    "same_serial": (
        "编号与正在使用的名单相同，内容却不同",
        "不要使用；通知中心",
        "has the serial number of the roster in use, and other content",
        "do not use it; tell the centre",
    ),
    "in_use": (
        "就是正在使用的名单",
        "不用再导入",
        "is the roster in use already",
        "nothing has to be done",
    ),
    "member": (
        "内有清单之外的内容，或顺序、名称不对",
        "不要使用；通知中心",
        "holds something that its manifest does not name at that place",
        "do not use it; tell the centre",
    ),
    "hash": (
        "内容与清单的哈希值不符",
        "不要使用；通知中心",
        "a part is not what the manifest says",
        "do not use it; tell the centre",
    ),
    "no_key": (
        "没有配置中心的公钥",
        "在 config.yaml 中设置 centre.public_key",
        "the centre's public key is not configured",
        "set centre.public_key in config.yaml",
    ),
    "bad_key": (
        "密钥文件不可用",
        "检查文件内容和权限",
        "a key file cannot be used",
        "check the file and its mode",
    ),
    "content": (
        "名单内容有误",
        "请中心改正后重新制作",
        "its table has problems",
        "have the centre correct it and make the bundle again",
    ),
}


class BundleError(Exception):
    """`code` as above; `detail` names the place or value and nobody."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail

    def sentence(self, language: str) -> str:
        """What is wrong and what to do, in one line."""
        what, remedy = TEXTS[self.code][:2] if language == "zh" else TEXTS[self.code][2:]
        found = f" ({self.detail})" if self.detail else ""
        return f"{what}{found}：{remedy}" if language == "zh" else f"{what}{found}: {remedy}"


def older(mine: tuple[int, datetime], in_use: tuple[int, datetime], zone: tzinfo) -> BundleError:
    """Of two bundles by serial number and making: people know them by when they were made."""
    told = (f"{made.astimezone(zone):%Y-%m-%d %H:%M}, #{serial}" for serial, made in (mine, in_use))
    return BundleError("older", " < ".join(told))
