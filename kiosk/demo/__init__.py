"""A virtual venue with a cast: the lane's real processes, driven by people who do not exist."""
