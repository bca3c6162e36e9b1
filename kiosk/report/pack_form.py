"""The form of a dispute pack: names of its files and what is signed. For maker and checker."""

from __future__ import annotations

import hashlib

FORMAT = "examgate-dispute/1"
TAG = "examgate/dispute/v1"
README = "README.txt"
MANIFEST = "manifest.json"
NOTE = "manifest.note"
ENTRIES = "entries.jsonl"
PROOFS = "proofs.json"
CHECKPOINT = "checkpoint.txt"
KEY = "lane.vkey"
CERTIFICATE = "document.crt"
TIMELINE = "timeline.json"
TIMELINE_PDF = "timeline.pdf"
PHOTO = "roster-photo.jpg"
CAPTURE = "capture-"  #: and the entry's number


def sha256_hex(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def manifest_text(origin: str, manifest: bytes) -> str:
    """What the lane signs: it cannot be taken for a head of the journal."""
    return f"{TAG}\n{origin}\n{sha256_hex(manifest)}\n"
