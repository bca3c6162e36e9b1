"""The page that comes with a dispute pack, in both languages: what is in it, how to check it."""

from __future__ import annotations

from collections.abc import Sequence

from kiosk.report.model import Timeline

MISSING: dict[str, tuple[str, str]] = {
    "no_signature": ("该考生没有签名。", "This candidate has signed nothing."),
    "signature": (
        "签名已过保存期，或因磁盘空间不足已删除，不能再读出；其散列值仍在日志中。",
        "The signatures are past their retention, or were removed to make room, and cannot be read "
        "any more; their hashes are still in the journal.",
    ),
    "picture": (
        "有一份签名无法画成图片，原文在包内。",
        "One signature cannot be drawn as a picture; its own bytes are here.",
    ),
    "capture": (
        "现场照片已过保存期，不能再读出；其散列值仍在日志中。",
        "The pictures of the camera are past their retention and cannot be read any more; their "
        "hashes are still in the journal.",
    ),
    "capture_thinned": (
        "部分现场照片因磁盘空间不足已删除（日志 evidence_thinned）；其散列值仍在日志中。",
        "Some pictures of the camera were removed to make room (evidence_thinned in the journal); "
        "their hashes are still in the journal.",
    ),
    "photo": (
        "名单照片已过保存期，不能再读出。",
        "The roster's photograph is past its retention and cannot be read any more.",
    ),
}

_ZH = """{venue} · 场次 {session} · 考生记录

本文件包是通道日志中关于一名考生的全部记录，供当事人核对或申诉使用。内含个人信息，请妥善保管。

timeline.pdf / timeline.json   按先后排列的全部记录（文字说明；PDF 有通道的电子签名）
entries.jsonl                  日志原文，一行一条，逐字节
proofs.json                    每条原文属于日志的证明（RFC 6962）
checkpoint.txt                 通道签名的日志树头
lane.vkey                      通道的日志验证公钥（请与考场公布的核对）
signature-*                    考生签名原件（InkML，早期为 JSON）与图片（SVG、PNG）
roster-photo.jpg               名单上的照片
capture-*.jpg                  人脸核验时现场拍下的照片，编号即日志中的条目
document.crt                   签署 PDF 的证书
manifest.json / manifest.note  全部文件的 SHA-256，及通道对它的签名

核对（任何装有 examgate 的电脑，无需联网）：

    examgate audit --dispute 本文件.zip --key 考场公布的公钥

PDF 的签名用任何 PDF 阅读器或 pdfsig 查看。现场照片的散列值在日志中。
日志里考生以化名 {pseudonym} 出现；化名与证件号码的对应只有通道能算出。
"""
_EN = """{venue} · session {session} · one candidate's record

Everything that the lane's journal has of one candidate, to be checked or used in a dispute. It
contains personal data: keep it safe.

timeline.pdf / timeline.json   the whole record in order, in words (the PDF is signed by the lane)
entries.jsonl                  the journal's entries, one a line, byte for byte
proofs.json                    that each of them is in the journal (RFC 6962)
checkpoint.txt                 the head of the journal, signed by the lane
lane.vkey                      the journal's verifier key (compare it with the published one)
signature-*                    what the candidate signed (InkML, once JSON), and as SVG and PNG
roster-photo.jpg               the photograph of the roster
capture-*.jpg                  who stood before the camera when the face was judged, by entry
document.crt                   the certificate of who signed the PDF
manifest.json / manifest.note  the SHA-256 of every file, and the lane's signature over it

To check it, on any machine with examgate, without a network:

    examgate audit --dispute THIS.zip --key THE-PUBLISHED-KEY

Any PDF reader, or pdfsig, shows the PDF's signature. The hashes of the captures
are in the journal. There the candidate is the pseudonym {pseudonym};
only the lane can compute it from the identity number.
"""


def readme(timeline: Timeline, missing: Sequence[str]) -> str:
    about = {
        "venue": timeline.venue_name,
        "session": timeline.session_id,
        "pseudonym": timeline.pseudonym,
    }
    lacking = [MISSING[key] for key in dict.fromkeys(missing)]
    parts = [_ZH.format(**about), *(f"{zh}\n" for zh, _ in lacking)]
    parts += ["-" * 72 + "\n\n", _EN.format(**about), *(f"{en}\n" for _, en in lacking)]
    return "".join(parts)
