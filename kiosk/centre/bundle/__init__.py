"""Roster bundles: one signed and encrypted file per venue and day, from the centre to the lane.

docs/bundle.md has the format. Nothing here knows the store or the daemon.
"""
