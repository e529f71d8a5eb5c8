"""Devices that belong together: who they are, and what the operator keeps of them."""
