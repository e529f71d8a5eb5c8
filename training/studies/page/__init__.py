"""`docs/reference-studies.md`, made of the results alone."""
