"""`examgate roster usb`: what sticks have, and taking a bundle in from one, at the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kiosk.cli.base import Context, Exit, as_json, bundle_errors, pass_context, person_option
from kiosk.cli.roster import take


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option("--import", "import_", is_flag=True, help="Take the newest of them in.")
@person_option
@as_json
@pass_context
def usb(c: Context, folder: Path | None, import_: bool, person: str, json_: bool) -> None:
    """List the roster bundles on the sticks that are plugged in, or in FOLDER.

    The proctor's screen asks about a stick by itself; this is for where there is no screen.

    Example: examgate roster usb --import
    """
    from kiosk import app, app_centre
    from kiosk.centre.bundle.problems import TEXTS, BundleError

    with bundle_errors(c):
        folders = [folder] if folder else [mount.folder for mount in app.sticks(c.config)]
        found = [said for each in folders for said in app_centre.bundles_on(c.config, each)]
    bundles = [said["bundle"] for said in found if "bundle" in said]
    refused = [said["refused"] for said in found if "refused" in said]
    for one in refused:
        error = BundleError(one["code"] if one["code"] in TEXTS else "damaged", one["detail"])
        one["why"] = error.sentence(c.language)
    for failed in (said["failed"] for said in found if "failed" in said):
        c.fail(Exit.BAD_INPUT, [sentences[c.language] for sentences in failed])
    bundles.sort(key=lambda bundle: -int(bundle["serial"]))
    if json_:
        c.print_json({"bundles": bundles, "refused": refused})
    else:
        _show(c, folders, bundles, refused)
    if any(said.get("end", {}).get("cut") for said in found):
        c.err.print(c.say(
            "文件太多，只看了一部分：把名单包放在最外层",
            "too many files, only some were looked at: put the bundle at the top",
        ))  # fmt: skip
    if import_:
        if not bundles:
            said = c.say("没有可用的名单包", "there is no bundle that could be used")
            c.fail(Exit.DECLINED, [said])
        take(c, Path(bundles[0]["path"]), person)


def _show(
    c: Context, folders: list[Path], bundles: list[dict[str, Any]], refused: list[dict[str, Any]]
) -> None:
    if not folders:
        said = c.say("没有插入 U 盘（centre.usb_folders）",
                     "no stick is plugged in (centre.usb_folders)")  # fmt: skip
        c.err.print(said)
        return
    headings = c.say("文件,编号,考生,场次,制作,有效至",
                     "file,serial,candidates,sessions,made,valid until").split(",")  # fmt: skip
    keys = ("path", "serial", "candidates", "sessions_in_all", "made_at", "valid_until")
    c.print_table(headings, ([bundle[key] for key in keys] for bundle in bundles))
    for one in refused:
        c.err.print(f"{one['path']}: {one['why']}", markup=False, highlight=False)
