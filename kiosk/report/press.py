"""Sets and signs pages in a process of its own, so that the lane goes on meanwhile.

A job goes in and a PDF comes out through memory that never touches the disk: reports hold
personal data. Knows nothing of the store.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import IO, Any, cast

from kiosk.report.model import Model, Report, Timeline
from kiosk.store.errors import StoreError

NICENESS = 10
FAILED = 3  #: exit code: standard error has one plain sentence


class PressError(Exception):
    """The pages could not be made; a plain sentence with what to do."""


class Job(Model):
    """One document."""

    lang: str
    key_file: str  #: the lane's own
    certificate: str
    key_name: str
    now: str
    reason: str
    place: str
    report: Report | None = None
    timeline: Timeline | None = None


class Press:
    """A job at work. `result` once it is `ready`."""

    def __init__(self, job: Job) -> None:
        self._out = _memory("pdf")
        self._err = _memory("err")
        with _memory("job") as given:
            given.write(job.model_dump_json().encode())
            given.seek(0)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "kiosk.report.press"],
                stdin=given,
                stdout=self._out,
                stderr=self._err,
                cwd=Path(__file__).parents[2],  # where it finds this very program
            )

    @property
    def ready(self) -> bool:
        return self._process.poll() is not None

    def result(self) -> bytes:
        """The signed PDF; waits for it. Raises `PressError`."""
        code = self._process.wait()
        out, err = (_whole(file) for file in (self._out, self._err))
        if code == 0:
            return out
        said = err.decode(errors="replace").strip()
        if code != FAILED:
            said = f"the document could not be made (exit code {code}): {said[-300:]}"
        raise PressError(said)

    def stop(self) -> None:
        """Nobody waits for it any more."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        for file in (self._out, self._err):
            file.close()


def _memory(name: str) -> IO[bytes]:
    return cast(IO[bytes], os.fdopen(os.memfd_create(f"examgate-{name}"), "w+b"))


def _whole(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def print_job(job: Job) -> bytes:
    """In this process. Raises `FontMissing` or `KeyFileProblem`."""
    from kiosk.report.page import report_pdf
    from kiosk.report.seal import load_document_key
    from kiosk.report.timeline_page import timeline_pdf

    if job.report is not None:
        pdf = report_pdf(job.report, job.lang)
    else:
        assert job.timeline is not None
        pdf = timeline_pdf(job.timeline, job.lang)
    now = datetime.fromisoformat(job.now)
    key = load_document_key(Path(job.key_file), Path(job.certificate), job.key_name, now)
    return key.sign_pdf(pdf, job.reason, job.place)


def main(given: IO[Any], out: IO[Any]) -> int:
    from kiosk.report.paper import FontMissing

    with contextlib.suppress(OSError):  # where that is forbidden it goes without
        os.nice(NICENESS)
    job = Job.model_validate_json(given.read())
    try:
        pdf = print_job(job)
    except (FontMissing, StoreError) as error:
        print(error, file=sys.stderr)
        return FAILED
    out.write(pdf)
    out.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.stdin.buffer, sys.stdout.buffer))
