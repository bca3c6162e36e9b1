"""The people of the demonstration: names, identity numbers, fingers, and their roster folder.

The identities are invented; the faces are public photographs that are fetched, never kept here.
"""

from __future__ import annotations

import csv
import shutil
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from drivers.contracts import IdCard
from drivers.fingerprint.zfm.virtual import make_template
from kiosk.core.idnumber import check_character

HEADER = ("准考证明编号", "身份证明号码", "姓名", "准考车型", "考试场次", "照片", "指纹模板")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may stand at the gate. Photo names are files of the photo folder."""

    key: str
    name: str
    sex: str
    first17: str
    admission_no: str
    roster_photo: str
    live_photo: str
    licence_class: str = "C1"

    @property
    def number(self) -> str:
        return self.first17 + check_character(self.first17)

    @property
    def finger(self) -> str:
        return f"{self.key}/right-thumb"

    def card(self) -> IdCard:
        today = date.today()
        return IdCard(
            name=self.name,
            sex=self.sex,
            nation="汉",
            birth_date=self.first17[6:14],
            address="山东省烟台市芝罘区",
            number=self.number,
            issuer="烟台市公安局芝罘分局",
            valid_from=f"{today - timedelta(days=900):%Y%m%d}",
            valid_to=f"{today + timedelta(days=2700):%Y%m%d}",
        )


WANG = Person(
    "wang", "王小明", "男", "37060219610804301", "3706261100001", "obama.jpg", "obama2.jpg"
)
LI = Person("li", "李建国", "男", "37061119421120231", "3706261100002", "biden.jpg", "biden.jpg")
CHEN = Person(
    "chen",
    "陈静",
    "女",
    "37061219561119402",
    "3706261100003",
    "astronaut.png",
    "astronaut.png",
    "C2",
)
#: Booked under another name and number with WANG's photograph: WANG himself, or his twin.
ZHOU = Person("zhou", "周立", "男", "37060219620305441", "3706261100005", "obama.jpg", "obama2.jpg")
STRANGER = Person(
    "stranger", "赵一凡", "男", "37068119900512661", "3706261100009", "", "astronaut.png"
)


def write_roster(folder: Path, photos: Path, booked: dict[str, list[Person]]) -> Path:
    """A roster folder as an exam office exports it: GB18030 CSV, photos/, templates/.

    `booked` maps each session id to its candidates. Returns the CSV's path.
    """
    (folder / "photos").mkdir(parents=True, exist_ok=True)
    (folder / "templates").mkdir(exist_ok=True)
    path = folder / "名单.csv"
    with path.open("w", encoding="gb18030", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for session_id, people in booked.items():
            for person in people:
                photo = f"photos/{person.admission_no}{Path(person.roster_photo).suffix}"
                template = f"templates/{person.admission_no}.dat"
                shutil.copyfile(photos / person.roster_photo, folder / photo)
                (folder / template).write_bytes(make_template(person.finger, seed=1))
                writer.writerow(
                    (
                        person.admission_no,
                        person.number,
                        person.name,
                        person.licence_class,
                        session_id,
                        photo,
                        template,
                    )
                )
    return path
