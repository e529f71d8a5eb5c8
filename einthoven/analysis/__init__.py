"""Records without a board: the firmware's own C on this machine, many records at a time."""
