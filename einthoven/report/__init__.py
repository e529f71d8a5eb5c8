"""What a run found: its folder, and the same description of it as text and as a page."""
