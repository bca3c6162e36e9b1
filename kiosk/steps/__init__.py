"""The steps of a candidate's way, one file each: they drive what kiosk.core.flow asks for and
report what came of it. They know the lane's session, never sockets, Qt or a driver's make.
"""
