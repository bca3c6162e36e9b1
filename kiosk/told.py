"""A sentence in two languages that passes for its English one, where only one is expected."""

from __future__ import annotations

import errno

#: errno → Chinese; the system's own words are English
_OS_REASONS = {
    errno.ENOENT: "没有这个文件或文件夹",
    errno.EACCES: "没有权限",
    errno.EPERM: "没有权限",
    errno.EISDIR: "这是文件夹",
    errno.ENOTDIR: "路径中有不是文件夹的部分",
    errno.EEXIST: "已经存在",
    errno.ENOSPC: "磁盘已满",
    errno.EROFS: "磁盘是只读的",
    errno.EADDRINUSE: "地址已被占用",
    errno.ECONNREFUSED: "没有程序在听",
    errno.ENAMETOOLONG: "名称太长",
}


class Told(str):
    """English, as everywhere in errors and logs; `zh` besides.

    >>> in_language(Told("it is full", "已满"), "zh"), in_language("as it is", "zh")
    ('已满', 'as it is')
    """

    zh: str

    def __new__(cls, en: str, zh: str) -> Told:
        told = super().__new__(cls, en)
        told.zh = zh
        return told

    def __reduce__(self) -> tuple[type[Told], tuple[str, str]]:
        """So that it can be copied, as `dataclasses.asdict` does."""
        return Told, (str(self), self.zh)


def in_language(text: str, language: str) -> str:
    """`text` where it is told in one language only."""
    return text.zh if language == "zh" and isinstance(text, Told) else text


def os_reason(error: OSError) -> str:
    """Why the system would not; empty where it does not say."""
    said, known = error.strerror or "", _OS_REASONS.get(error.errno or 0)
    return Told(said, known) if said and known else said
