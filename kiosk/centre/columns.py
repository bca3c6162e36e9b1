"""The columns of a roster's table, by the names that offices give them.

Owns the names; knows nothing of files or of what the columns mean.
"""

from __future__ import annotations

#: field → header names, Chinese first; compared without case, spaces and underscores
HEADERS: dict[str, tuple[str, ...]] = {
    "admission_no": ("准考证明编号", "准考证号", "admission_no"),
    "identity_number": ("身份证明号码", "身份证号", "identity_number"),
    "name": ("姓名", "name"),
    "licence_class": ("准考车型", "licence_class", "license_class"),
    "session_id": ("考试场次", "session_id", "session"),
    "photo": ("照片", "photo"),
    "templates": ("指纹模板", "fingerprint_templates", "templates"),
    "template_format": ("指纹模板格式", "template_format"),
    "fingers": ("指位", "fingers"),
    "driving_school": ("驾校", "驾驶培训机构", "driving_school", "school"),
    "accessible": ("无障碍考台", "accessible"),
}
