"""The pure heart of the lane: standard library only; no I/O, clock or randomness."""
