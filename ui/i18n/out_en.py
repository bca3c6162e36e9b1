"""English words for going out by the gate, coming back, drills and the roll-call."""

TEXTS = {
    "reason.LEFT": "left by the gate",
    "next.LEFT.title": "You have left",
    "next.LEFT.body": "Please take your things with you",
    "reason.ALREADY_LEFT": "has left already",
    "next.ALREADY_LEFT.title": "Please see a proctor",
    "next.ALREADY_LEFT.body": "You have left. A proctor has to let you in again",
    "reason.NOT_INSIDE": "not inside by the record",
    "next.NOT_INSIDE.title": "Please see a proctor",
    "next.NOT_INSIDE.body": "There is no record of you coming in. A proctor will look",
    "reason.DRILL": "fire drill, the gate is open",
    "next.DRILL.title": "Fire drill\nPlease leave through the gate",
    "next.DRILL.body": "This is a drill. Follow the proctor.",
    "standing.left": "has left",
    "kind.left": "left",
    "kind.drill_on": "fire drill begun",
    "kind.return_allowed": "may come in again",
    "kind.seen_outside": "roll-call: seen outside",
    "warning.not_inside": "Somebody wants to leave who by the record is not inside",
    "warning.todo.not_inside": "See who it is: they may have followed somebody in, or their way in "
    "was not seen. Look at them and let them out yourself.",
}
