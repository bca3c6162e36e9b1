"""Statistics of draws: what the record shows, tested against the rule that each pool is uniform.

For offices and the public, not for the lane: the daemon never loads it, and scipy and matplotlib
come with the extra `analysis`.
"""
