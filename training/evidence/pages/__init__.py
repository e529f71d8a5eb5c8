"""Pages and figures of docs/ and README.md, made of the results alone."""
