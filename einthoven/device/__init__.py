"""A device that works without a computer, as the host sees it: its table, and the card of it."""
