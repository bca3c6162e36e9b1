"""`examgate enrol`: a candidate at the counter becomes a row of a roster folder."""

from __future__ import annotations

import asyncio
import unicodedata
from pathlib import Path
from typing import Any

import click

from kiosk.cli.base import Context, Exit, FloatRange, pass_context

#: name as in `kiosk.core.fingers` → (Chinese, English)
FINGERS: dict[str, tuple[str, str]] = {
    "right_thumb": ("右手拇指", "right thumb"),
    "right_index": ("右手食指", "right forefinger"),
    "right_middle": ("右手中指", "right middle finger"),
    "right_ring": ("右手环指", "right ring finger"),
    "right_little": ("右手小指", "right little finger"),
    "left_thumb": ("左手拇指", "left thumb"),
    "left_index": ("左手食指", "left forefinger"),
    "left_middle": ("左手中指", "left middle finger"),
    "left_ring": ("左手环指", "left ring finger"),
    "left_little": ("左手小指", "left little finger"),
}
#: a row's field → the option that gives it
OPTIONS = {"identity_number": "--number", "name": "--name", "licence_class": "--licence-class",
           "session_id": "--session", "admission_no": "--admission-no",
           "driving_school": "--school"}  # fmt: skip

#: code → (Chinese, English): what the person or the office does now
SAYS: dict[str, tuple[str, str]] = {
    "look": ("请正对摄像头", "look straight into the camera"),
    "card": ("请放上身份证", "lay the identity card on the reader"),
    "lay": ("请放上手指", "lay the finger on"),
    "lift": ("请抬起手指", "lift it"),
    "again": ("同一手指，再放一次", "the same finger once more"),
    "no_match": ("两次不一致，重来", "the two do not match: once more from the start"),
    "same_finger": ("这是前面已采的手指，请换一个", "that finger was taken before: use the other"),
    "no_finger": ("没有等到手指", "no finger came in time"),
    "finger_poor": ("这个手指采不好，请换一个手指", "this finger does not do: take another"),
    "finger_lifted": ("抬得太早，请放久一点", "lifted too soon: leave it on longer"),
    "too_dry": ("手指太干：呵口气再放", "too dry: breathe on it"),
    "too_wet": ("手指太湿：擦干再放", "too wet: wipe it"),
    "too_few_features": ("用力一点，放在中间", "press a little harder, in the middle"),
    "smeared": ("按住不要动", "hold it still"),
    "not_compared": ("请再放一次", "once more, please"),
    "unreadable": ("照片无法读取", "the picture cannot be read"),
    "two_tone": ("照片只有黑白两色：请用彩色照片",
                 "the picture is black and white without grey: use one in colour"),
    "no_face": ("画面中没有人脸", "no face in the picture"),
    "several_faces": ("画面中有多个人", "several people in the picture"),
    "too_small": ("请靠近一点", "come nearer"),
    "blurred": ("画面模糊：不要动，擦擦镜头", "blurred: hold still, wipe the lens"),
    "look_here": ("请正对摄像头", "look straight into the camera"),
    "come_closer": ("请靠近一点", "come nearer"),
    "step_back": ("请退后一点", "move back a little"),
    "centre": ("请站到中间", "to the middle of the picture"),
    "one_person": ("请其他人离开画面", "nobody else in the picture"),
    "too_dark": ("光线太暗", "more light is needed"),
    "too_bright": ("光线太亮", "less light is needed"),
    "uneven_light": ("一侧太暗：光线要从正面来", "one side is dark: light from the front"),
    "face_forward": ("请正对摄像头", "look straight ahead"),
    "take_off_mask": ("请摘下口罩，不要遮脸", "take off the mask, nothing before the face"),
    "show_eyes": ("请露出眼睛，摘下墨镜", "show the eyes, take off dark glasses"),
    "open_eyes": ("请睁开眼睛", "open the eyes"),
    "hold_still": ("请不要动", "hold still"),
    "card_unreadable": ("身份证读不出，请重放", "the card cannot be read: lay it on again"),
    "card_removed": ("拿走得太早，请重放", "taken away too soon: lay it on again"),
    "card_not_trusted": ("读卡器不认这张卡", "the reader does not accept this card"),
    "card_other": ("这不是身份证", "this is no identity card"),
    "no_card": ("没有等到身份证", "no card came in time"),
    "admission_no": ("准考证明编号只能有字母、数字、点、横线",
                     "an admission number has letters, digits, dot and dash only"),
    "admission_taken": ("该准考证明编号已属于另一名考生",
                        "another candidate has this admission number"),
    "there_already": ("该考生在这个场次中已登记；要重采请加 --replace",
                      "this candidate is in this session already; to take them anew: --replace"),
    "table_unreadable": ("名单读不出", "the roster cannot be read"),
    "other_table": ("这个名单不是本命令建立的：换一个文件夹",
                    "this roster was not made by this command: name another folder"),
}  # fmt: skip


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--session", "session_id", required=True, help="The session's id.")
@click.option("--admission-no", required=True, help="Admission number (准考证明编号).")
@click.option("--licence-class", required=True, help="Such as C1.")
@click.option("--card", is_flag=True, help="Number and name are read from the identity card.")
@click.option("--number", default="", help="Identity number, where there is no card reader.")
@click.option("--name", default="", help="Name, as on the card.")
@click.option("--finger", "fingers", multiple=True, type=click.Choice(list(FINGERS)),
              default=("right_index", "left_index"), show_default=True,
              help="Which fingers are taken, in this order.")
@click.option("--no-fingers", is_flag=True, help="Photograph only.")
@click.option("--photo", type=click.Path(path_type=Path, dir_okay=False, exists=True),
              help="This photograph, instead of the camera.")
@click.option("--school", default="", help="Driving school.")
@click.option("--accessible", is_flag=True, help="Needs an accessible terminal.")
@click.option("--replace", is_flag=True, help="Take a candidate who is there already anew.")
@click.option("--seconds", type=FloatRange(1, 600), default=60, show_default=True,
              help="How long card, face and each finger are waited for.")
@pass_context
def enrol(c: Context, /, folder: Path, card: bool, fingers: tuple[str, ...], no_fingers: bool,
          photo: Path | None, accessible: bool, replace: bool, seconds: float,
          **fields: Any) -> None:  # fmt: skip
    """Take photograph and fingers of a candidate into the roster FOLDER.

    For offices that have no templates yet: the folder is what `roster import` and `centre bundle`
    read. The photograph has to pass the face engine's checks, and every finger to match itself.
    The daemon must not run. The folder has personal data in the clear: remove it when the bundle
    is made.

    Example: examgate enrol ./1127 --session KM1-0900 --admission-no A0001 --licence-class C1 --card
    """
    from drivers.errors import DeviceFault
    from kiosk.centre.counter import CounterProblem, Entry, RosterFolder
    from kiosk.enrolment import EnrolmentFailed

    if card == bool(fields["number"] or fields["name"]):
        raise click.UsageError(c.say("用 --card，或同时给出 --number 和 --name",
                                     "give --card, or both --number and --name"))  # fmt: skip
    desk = _Desk(c, seconds)
    try:
        roster = RosterFolder(folder)
        if card:
            fields["number"], fields["name"] = desk.card()
        row = _checked(c, fields)
        row["accessible"] = "是" if accessible else ""
        roster.check(row, replace)  # before anybody is asked for anything
        picture = desk.photo(photo)
        templates, template_format = ({}, "") if no_fingers else desk.fingers(fingers)
        roster.add(Entry(row, picture, templates, template_format), replace=replace)
    except CounterProblem as problem:
        c.fail(Exit.BAD_INPUT, [f"{desk.says(problem.code)} ({problem.about})"])
    except EnrolmentFailed as failed:
        c.fail(Exit.DECLINED, [desk.says(failed.code),
                               c.say("未写入任何内容", "nothing was written")])  # fmt: skip
    except DeviceFault as fault:
        name = c.device_name(fault.device)
        c.fail(Exit.DEVICE, [f"{name}: {fault.code.value} ({fault.detail})"])
    except OSError as error:
        c.fail(Exit.BAD_INPUT, [f"{folder}: {c.os_error(error)}"])
    taken = len(templates)
    click.echo(c.say(f"已登记：{folder}，共 {len(roster)} 人（本人照片 1 张，指纹 {taken} 枚）",
                     f"enrolled: {folder}, {len(roster)} in all "
                     f"(a photograph, {taken} fingers)"))  # fmt: skip


def _checked(c: Context, given: dict[str, str]) -> dict[str, str]:
    """The row's texts; ends the command at what is wrong with them, all at once."""
    from kiosk.centre.problems import TEXTS
    from kiosk.centre.roster_file import faults_of

    row = {key: unicodedata.normalize("NFC", value).strip() for key, value in given.items()}
    row["identity_number"], row["driving_school"] = row.pop("number"), row.pop("school")
    at = 0 if c.language == "zh" else 2
    wrong = [f"{OPTIONS[name]}: {TEXTS[code][at]}; {TEXTS[code][at + 1]}"
             for name, code, *_ in faults_of(row)]  # fmt: skip
    if wrong:
        c.fail(Exit.BAD_INPUT, wrong)
    return row


class _Desk:
    """The counter's devices, each open only while it is used."""

    def __init__(self, c: Context, seconds: float) -> None:
        self._c = c
        self._seconds = seconds

    def says(self, code: str) -> str:
        return self._c.say(*SAYS[code]) if code in SAYS else code

    def _ask(self, code: str) -> None:
        click.echo(f"  {self.says(code)} …")

    def card(self) -> tuple[str, str]:
        """(number, name)"""
        return asyncio.run(self._card())

    async def _card(self) -> tuple[str, str]:
        from drivers.errors import Retry
        from kiosk import workshop
        from kiosk.enrolment import EnrolmentFailed

        async with workshop.opened(self._device("id_card")) as _:
            reader = self._opened
            self._ask("card")
            try:
                async with asyncio.timeout(self._seconds):
                    while True:
                        try:
                            found = await reader.next_card()
                        except Retry as retry:
                            self._ask(retry.reason.value)
                        else:
                            return found.number, found.name
            except TimeoutError:
                raise EnrolmentFailed("no_card") from None

    def photo(self, file: Path | None) -> bytes:
        from kiosk.enrolment import EnrolmentFailed, take_photo
        from kiosk.face.enrol import MAX_BYTES, Enroller, PhotoProblem
        from kiosk.face.yunet import YuNetDetector

        detector = YuNetDetector()
        enroller = Enroller(detector=detector)
        if file is not None:
            with file.open("rb") as opened:
                data = opened.read(MAX_BYTES + 1)
            try:
                enroller.enrol(data)
            except PhotoProblem as problem:
                raise EnrolmentFailed(problem.code.value) from problem
            return data
        camera = self._device("camera")
        camera.open()
        try:
            return take_photo(camera, detector, enroller, self._ask, self._seconds)
        finally:
            camera.close()

    def fingers(self, names: tuple[str, ...]) -> tuple[dict[str, bytes], str]:
        """(templates by finger, their format)"""
        return asyncio.run(self._fingers(names))

    async def _fingers(self, names: tuple[str, ...]) -> tuple[dict[str, bytes], str]:
        from kiosk import workshop
        from kiosk.enrolment import take_finger

        found: dict[str, bytes] = {}
        async with workshop.opened(self._device("fingerprint")):
            for name in dict.fromkeys(names):
                click.echo(self._c.say(*FINGERS[name]) + ":")
                earlier = list(found.values())
                found[name] = await take_finger(self._opened, earlier, self._ask, self._seconds)
        return found, str(self._opened.template_format)

    def _device(self, role: str) -> Any:
        from kiosk import app

        if not self._c.config.device_options(role):
            said = self._c.say(f"没有配置 devices.{role}", f"devices.{role} is not configured")
            self._c.fail(Exit.BAD_INPUT, [said])
        self._opened = app.device_of(self._c.config, role)
        return self._opened
