"""The process that extracts and compares: NIST's mindtct, Bozorth3 and NFIQ 2 through nbis-py.

Run as a module by `Matcher`; one question after another on standard input. A pair of odd prints
may take Bozorth3 long, or crash it: that is why it is a process. Nothing is written anywhere.
"""

from __future__ import annotations

import io
import sys
from typing import Any

import numpy as np
from PIL import Image

from drivers.fingerprint import frames

PPMM_500 = 500 / 25.4  #: pixels a millimetre at 500 dpi, where a reader does not say its own
_SPREAD = 12  #: grey levels between the 5th and 95th percentile: less is a blank image
_WET, _DRY = 0.6, 0.2  #: share of dark pixels where the finger is


def main() -> None:
    import nbis

    answers = _Answers(nbis)
    while (message := frames.read(sys.stdin.buffer)) is not None:
        head, body = message
        try:
            answer = getattr(answers, f"do_{head['do']}")(head, body)
        except nbis.NbisError as error:
            answer = {"error": type(error).__name__}, b""
        sys.stdout.buffer.write(frames.pack(*answer))
        sys.stdout.buffer.flush()


class _Answers:
    def __init__(self, nbis: Any) -> None:
        self._nbis = nbis
        self._templates: list[Any] = []
        self._live: Any = None
        self._extractors: dict[tuple[float, bool], Any] = {}

    def _extractor(self, ppmm: float = 0.0, nfiq2: bool = False) -> Any:
        """Each made once: that takes a third of a second and more."""
        key = (ppmm or PPMM_500, nfiq2)
        if key not in self._extractors:
            settings = self._nbis.NbisExtractorSettings(
                min_quality=0.0,
                get_center=False,
                check_fingerprint=False,
                compute_nfiq2=nfiq2,
                ppi=key[0] * 25.4,
            )
            self._extractors[key] = self._nbis.new_nbis_extractor(settings)
        return self._extractors[key]

    def do_ready(self, head: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        self._extractor()
        self._extractor(nfiq2=True)  # now, not in a question's time
        return {}, b""

    def do_load(self, head: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """`sizes` of the ISO records that are the body; one that cannot be read has null.

        The person before is forgotten, live image and all.
        """
        at, self._templates, self._live = 0, [], None
        for size in head["sizes"]:
            self._templates.append(self._read(body[at : at + size]))
            at += size
        return {"minutiae": [t and len(t.get()) for t in self._templates]}, b""

    def _read(self, record: bytes) -> Any:
        try:
            return self._extractor().load_iso_19794_2_2005(record)
        except self._nbis.NbisError:
            return None

    def do_image(self, head: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """Minutiae of the live image, kept for `compare`."""
        self._live = self._extractor(head["ppmm"]).extract_minutiae(_png(head, body))
        return {"minutiae": len(self._live.get())}, b""

    def do_compare(self, head: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        return {"score": int(self._live.compare(self._templates[head["index"]]))}, b""

    def do_record(self, head: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        return {}, bytes(self._live.to_iso_19794_2_2005())

    def do_quality(self, head: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """NFIQ 2 (0 to 100; 0 where it cannot say), and what a poor image looks like."""
        looks = looks_like(np.frombuffer(body, np.uint8).reshape(head["height"], head["width"]))
        try:
            found = self._extractor(head["ppmm"], nfiq2=True).extract_minutiae(_png(head, body))
            score = int(found.quality().score)
        except self._nbis.NbisError:
            score = 0
        return {"nfiq2": score, "looks": looks}, b""


def looks_like(image: Any) -> str:
    """"blank", "dry" (thin, broken ridges: little is dark), "wet" (they run together) or "few".

    `image`: H×W, uint8, ridges dark. Limits are this program's own choice.
    """
    low, high = np.percentile(image, (5, 95))
    if high - low < _SPREAD:
        return "blank"
    dark = image < (low + high) / 2
    rows, columns = np.flatnonzero(dark.any(1)), np.flatnonzero(dark.any(0))
    if not rows.size:
        return "blank"
    share = dark[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].mean()
    return "wet" if share > _WET else "dry" if share < _DRY else "few"


def _png(head: dict[str, Any], body: bytes) -> bytes:
    image = Image.frombytes("L", (head["width"], head["height"]), body)
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    return out.getvalue()


if __name__ == "__main__":
    main()
