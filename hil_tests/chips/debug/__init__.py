"""A chip's debug port, as tools on probes speak to it: ADIv5, and what of a core lies behind it."""
