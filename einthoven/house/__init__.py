"""The repository's own order: which folder may know which, checked and drawn."""
