"""Who stands before a lane's screens and what they may decide."""
