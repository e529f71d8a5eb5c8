"""WFDB records: found, fetched, read, verified, made up, mixed with noise, written."""
