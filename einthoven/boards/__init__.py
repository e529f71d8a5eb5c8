"""Boards as the host knows them: what they are, how they are built and run, what they cost."""
