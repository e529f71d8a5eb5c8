"""Studies of single beats: their data and networks."""
