"""What a configuration says within all bounds, and yet hardly means: told, never refused.

Knows the schema; the distances that an encoder was measured to need are handed in.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from kiosk.config.camera import is_recording
from kiosk.config.problems import Said, shown
from kiosk.config.schema import Config

LOOSE = 1.1  #: times the measured distance: 0.01 % of strangers are below it, 0.02 % below this
TIGHT = 0.5  #: times the measured margin

Doubt = tuple[str, Said]  #: path, sentence


class Measured(Protocol):
    """kiosk.face.encoders.Limits"""

    @property
    def verify(self) -> float: ...
    @property
    def identify(self) -> float: ...
    @property
    def margin(self) -> float: ...
    @property
    def same_person(self) -> float: ...


def doubts(config: Config, measured: Measured) -> Iterator[Doubt]:
    """Each with its remedy."""
    yield from _distances(config, measured)
    times = config.timeouts
    if times.liveness_s > times.face_s:
        yield (
            "timeouts.liveness_s",
            (
                f"is {times.liveness_s:g} s, longer than the whole face step (timeouts.face_s, "
                f"{times.face_s:g} s), which ends first; shorten this or lengthen that",
                f"是 {times.liveness_s:g} 秒，比整个人脸步骤还长（timeouts.face_s，"
                f"{times.face_s:g} 秒），到不了就已结束；请改短本项或改长后者",
            ),
        )
    source = config.devices.camera.source
    if is_recording(source):
        value = shown("devices.camera.source", source)
        yield (
            "devices.camera.source",
            (
                f"is a recording ({value}): who stands before the gate is not seen; for trials "
                "only, write the camera",
                f"是录像或图片（{value}）：看不到闸机前的人；仅供试用，请写摄像头",
            ),
        )


def _distances(config: Config, measured: Measured) -> Iterator[Doubt]:
    face = config.face
    for name, own in (
        ("verify_max_distance", measured.verify),
        ("identify_max_distance", measured.identify),
        ("same_person_distance", measured.same_person),
    ):
        value = getattr(face, name)
        if value is not None and value > LOOSE * own:
            yield (
                f"face.{name}",
                (
                    f"is {value:g}, looser than {own:g}, which was measured for {face.encoder}: "
                    "strangers look like one person; leave it empty, or measure "
                    "(examgate face calibrate)",
                    f"是 {value:g}，比 {face.encoder} 实测的 {own:g} 宽：陌生人也会像同一个人；"
                    "请留空，或实测（examgate face calibrate）",
                ),
            )
    margin = face.identify_margin
    if margin is not None and margin < TIGHT * measured.margin:
        yield (
            "face.identify_margin",
            (
                f"is {margin:g}, much less than {measured.margin:g}, which was measured for "
                f"{face.encoder}: of two candidates who look alike either is taken; leave it empty",
                f"是 {margin:g}，远小于 {face.encoder} 实测的 {measured.margin:g}："
                "两名相像的考生会被认错；请留空",
            ),
        )
    verify = measured.verify if face.verify_max_distance is None else face.verify_max_distance
    identify = face.identify_max_distance
    if identify is not None and identify > verify:
        yield (
            "face.identify_max_distance",
            (
                f"is {identify:g}, looser than 1:1 (face.verify_max_distance, {verify:g}), though "
                "among many faces a wrong one is nearer; make it smaller, or leave both empty",
                f"是 {identify:g}，比 1:1（face.verify_max_distance，{verify:g}）还宽，"
                "而在多人中更易认错；请改小，或两项都留空",
            ),
        )
