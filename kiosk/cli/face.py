"""`examgate face …`: measure the face engine on a folder of people.

The statistics are kiosk.face.calibration's; here is what a technician gives and gets.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, get_args

import click
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from kiosk.cli.base import Context, Exit, FloatRange, as_json, pass_context
from kiosk.cli.face_texts import FOLDER
from kiosk.config import schema

if TYPE_CHECKING:
    from kiosk.face.calibration.engine import Request, Result
    from kiosk.face.calibration.recommend import Thresholds
    from kiosk.face.calibration.run import NothingToCompare

_ENCODER = schema.Face.model_fields["encoder"]
ENCODERS: tuple[str, ...] = get_args(_ENCODER.annotation)
#: What comes with the extra `analysis` (setup.cfg).
_EXTRA = ("scipy", "matplotlib")
_RATE = FloatRange(0, 1, min_open=True, max_open=True)


@click.group()
def face() -> None:
    """The face engine (人脸): error rates and thresholds."""


@face.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--encoder",
    "encoders",
    multiple=True,
    type=click.Choice(ENCODERS),
    help=f"Encoder to measure; may be given several times. Default: {_ENCODER.default}.",
)
@click.option(
    "--detector",
    type=click.Choice(["yunet", "hog"]),
    default="yunet",
    show_default=True,
    help="What finds the faces.",
)
@click.option(
    "--roster",
    type=click.IntRange(2, 100_000),
    default=500,
    show_default=True,
    help="1:N: how many are on the roster.",
)
@click.option(
    "--target-fpir",
    type=_RATE,
    default=0.001,
    show_default=True,
    help="1:N: false positive identification rate to keep to.",
)
@click.option(
    "--target-fmr",
    type=_RATE,
    default=0.0001,
    show_default=True,
    help="1:1: false match rate to keep to.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("calibration-out"),
    show_default=True,
    help="Folder for the DET curves, the histograms and report.json.",
)
@click.option(
    "--frames",
    type=click.IntRange(1, 50),
    default=1,
    show_default=True,
    help="Pictures that are one presentation, as frames of a stream are. 1: each picture alone.",
)
@click.option(
    "--groups",
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV file with a header: a person's folder, then one column a group (sex, age, origin).",
)
@click.option("--strict", is_flag=True, help="Refuse when two people look like one.")
@click.option(
    "--keep-embeddings",
    "keep",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Keep embeddings in this file and take them from it next time. They are biometric data.",
)
@as_json
@pass_context
def calibrate(c: Context, /, json_: bool, strict: bool, out: Path, **options: Any) -> None:
    """Measure error rates on people's pictures, and say what thresholds follow.

    DIR has a folder for each person, named after them, with pictures of that person alone. Error
    rates take two people, thresholds 36 or more, as many of them as can be with several pictures.

    Exit code 1: a target cannot be met with these people; 3: DIR is of no use as it is.

    Example: examgate face calibrate ./people --roster 500 --groups groups.csv
    """
    with _understood(c):
        from kiosk.cli import face_report
        from kiosk.face.calibration import plot  # noqa: F401, missing parts are told at once

        request = _request(**options)
        _check_outside(c, request.folder, out)
        with _made(c, out):
            result = _run(c, request)
            report = face_report.as_data(result)
            pictures = _write(c, out, result, report)
    if json_:
        c.print_json(report)
    else:
        face_report.show(c, result, pictures)
    problems = list(face_report.problems(c, result, strict))
    if problems:
        c.fail(Exit.DECLINED, () if json_ else problems)


def _request(
    folder: Path,
    encoders: tuple[str, ...],
    detector: str,
    roster: int,
    target_fpir: float,
    target_fmr: float,
    frames: int,
    groups: Path | None,
    keep: Path | None,
) -> Request:
    from kiosk.face.calibration.engine import Request
    from kiosk.face.calibration.recommend import Targets
    from kiosk.face.calibration.run import Settings

    chosen = tuple(dict.fromkeys(encoders)) or (str(_ENCODER.default),)
    settings = Settings(Targets(roster, target_fpir, target_fmr), frames)
    return Request(folder, chosen, detector, groups, keep, settings)


def _run(c: Context, request: Request) -> Result:
    from kiosk.face.calibration.engine import calibrate

    names = {"pictures": c.say("读取照片", "pictures"), "figures": c.say("计算", "figures")}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TimeElapsedColumn())  # fmt: skip
    bars = Progress(*columns, console=c.err)
    tasks: dict[str, TaskID] = {}

    def progress(stage: str, done: int, of: int) -> None:
        if not tasks:  # not before: the input may be of no use
            bars.start()
        if stage not in tasks:
            tasks[stage] = bars.add_task(names[stage], total=None)
        bars.update(tasks[stage], completed=done, total=of)

    try:
        result = calibrate(request, _configured(c), progress)
    finally:
        if tasks:
            bars.stop()
    _tell_cache(c)
    return result


def _tell_cache(c: Context) -> None:
    from kiosk.face.models import cache_fault, default_cache_dir

    if (fault := cache_fault()) is not None:
        where, why = default_cache_dir(), c.os_error(fault)
        c.err.print(c.say(
            f"{where}：{why}；转换好的模型无法缓存，每次启动多用约一秒（$CACHE_DIRECTORY）",
            f"{where}: {why}; converted models cannot be kept there, each start takes about a "
            "second longer ($CACHE_DIRECTORY)",
        ), markup=False, highlight=False)  # fmt: skip


def _configured(c: Context) -> dict[str, Thresholds]:
    """This lane's own thresholds, where there is a lane: calibration also runs in an office."""
    if not c.config_path.exists():
        return {}
    from kiosk import app
    from kiosk.face.calibration.recommend import Thresholds

    policy = app.policy_of(c.config)
    own = Thresholds(
        policy.verify_max_distance, policy.identify_max_distance, policy.identify_margin
    )
    return {c.config.face.encoder: own}


@contextmanager
def _understood(c: Context) -> Iterator[None]:
    """What is wrong with the input, or with this installation, as plain sentences."""
    fail: Callable[[str], Any] = lambda sentence: c.fail(Exit.BAD_INPUT, [sentence])  # noqa: E731
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in _EXTRA:
            raise
        fail(c.say(
            f"缺少 {error.name}：请安装分析组件 pip install -r requirements-analysis.txt",
            f"{error.name} is missing: pip install -r requirements-analysis.txt",
        ))  # fmt: skip
    except Exception as error:
        sentence = _sentence(c, error)
        if sentence is None:
            raise
        fail(sentence)


def _sentence(c: Context, error: Exception) -> str | None:
    from kiosk.face.calibration.folder import FolderProblem, told
    from kiosk.face.calibration.run import NothingToCompare

    match error:
        case FolderProblem(code=code, names=names):
            text = c.say(*FOLDER[code])
            if isinstance(error.__cause__, OSError):
                return text.format(told(names[0]), c.os_error(error.__cause__))
            if code == "same_picture":  # all of them at once, one a line
                return "\n".join(text.format(name) for name in names)
            return text.format(*map(told, names))
        case NothingToCompare():
            return _nothing(c, error)
        case ValueError() if "needs a detector that gives marks" in str(error):
            return c.say(
                "这个编码器需要 yunet 检测器；用 --detector hog 时只能选 --encoder dlib-resnet-v1",
                "this encoder needs the detector yunet; with --detector hog there is --encoder "
                "dlib-resnet-v1 alone",
            )
    return None


def _nothing(c: Context, error: NothingToCompare) -> str:
    from kiosk.cli.face_report import left_out

    said = c.say(
        f"没有可比对的：同一人 {error.genuine} 次，不同人 {error.impostor} 次。至少需要两个人，"
        f"其中一人有 {error.frames + 1} 张可用的照片",
        f"nothing to compare: {error.genuine} genuine, {error.impostor} impostor comparisons. "
        f"It takes two people, one of them with {error.frames + 1} usable pictures",
    )
    if error.frames > 1:
        said += f" (--frames {error.frames})"
    said += c.say("。", ".")
    return "\n".join([*left_out(c, error.skipped), said])


def _check_outside(c: Context, people: Path, out: Path) -> None:
    """The report's pictures would be those of one more person the next time."""
    from kiosk.face.calibration.folder import told

    # realpath: Path.resolve() raises at links in a circle
    if Path(os.path.realpath(out)).is_relative_to(os.path.realpath(people)):
        said = c.say(
            "在人员文件夹里面，其中的图会被当作某人的照片；请用 --out 指定别处",
            "lies in the folder of the people, its pictures would be taken for somebody's; give "
            "another one with --out",
        )
        c.fail(Exit.BAD_INPUT, [f"{told(str(out))}: {said}"])


@contextmanager
def _made(c: Context, out: Path) -> Iterator[None]:
    """The folder, before the work; what was made of it goes again when nothing comes of that."""
    missing = [folder for folder in (out, *out.parents) if not folder.exists()]
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        _remove(missing)
        _no_room(c, out, error)
    try:
        yield
    except BaseException:
        _remove(missing)
        raise


def _remove(folders: list[Path]) -> None:
    """Those that are empty, innermost first."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def _no_room(c: Context, out: Path, error: OSError) -> NoReturn:
    said = c.say(
        "请用 --out 指定一个可以写入的文件夹", "give a folder that can be written with --out"
    )
    c.fail(Exit.BAD_INPUT, [f"{out}: {c.os_error(error)}; {said}"])


def _write(c: Context, out: Path, result: Result, report: dict[str, Any]) -> list[Path]:
    """The pictures and the report; nothing in them is a picture or an embedding of a person."""
    from kiosk.face.calibration.plot import draw_det, draw_scores

    written = [out / "det.png"]
    try:
        draw_det(result.findings, written[0])
        for finding in result.findings:
            written.append(out / f"distances-{finding.encoder}.png")
            draw_scores(finding, written[-1])
        written.append(out / "report.json")
        text = json.dumps(report, ensure_ascii=False, indent=2)
        written[-1].write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        _no_room(c, out, error)
    return written
