"""Replay of records through a board and the tests that run on every board."""
