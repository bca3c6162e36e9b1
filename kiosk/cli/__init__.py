"""The `examgate` command of the technicians."""
