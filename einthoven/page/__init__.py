"""The page that speaks to a board from a browser: one HTML file, built from `web/`."""
