"""Chinese words for going out by the gate, coming back, drills and the roll-call."""

TEXTS = {
    "reason.LEFT": "已从闸机离场",
    "next.LEFT.title": "您已离场",
    "next.LEFT.body": "请带好随身物品",
    "reason.ALREADY_LEFT": "已经离场",
    "next.ALREADY_LEFT.title": "请找考试员",
    "next.ALREADY_LEFT.body": "您已经离场，再进场要考试员同意",
    "reason.NOT_INSIDE": "记录中不在场内",
    "next.NOT_INSIDE.title": "请找考试员",
    "next.NOT_INSIDE.body": "没有您的入场记录，请考试员核对",
    "reason.DRILL": "消防演练，闸机常开",
    "next.DRILL.title": "消防演练\n请从闸机离开",
    "next.DRILL.body": "这是演练，请听从考试员指挥",
    "standing.left": "已离场",
    "kind.left": "离场",
    "kind.drill_on": "消防演练开始",
    "kind.return_allowed": "允许返回考场",
    "kind.seen_outside": "点名：已在场外见到",
    "warning.not_inside": "有人要离场，但记录中不在场内",
    "warning.todo.not_inside": "请去看看是谁：可能是跟着别人进去的，或上次入场没有看清。"
    "核对后由您放出。",
}
