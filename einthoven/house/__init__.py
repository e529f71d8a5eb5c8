"""The repository's own order: who may know whom."""
