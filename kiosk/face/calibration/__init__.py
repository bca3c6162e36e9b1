"""Error rates of the face engine on a folder of people, and the thresholds that follow.

Owns the statistics of calibration. Nothing that runs at the gate imports it; scipy and
matplotlib come with the extra `analysis` and are loaded here only.
"""
