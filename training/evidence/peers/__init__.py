"""QRS detectors that people install, on the records that ours is measured on (docs/peers.md).

`python -m einthoven.training.evidence.peers` makes an environment per package (`packages.toml`),
calls every detector (`adapters.py`) in a process of its own (`worker.py`), scores what it says by
the project's own scorer, writes `docs/results/peers.json`, and from that the page.
"""
