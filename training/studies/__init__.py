"""The four reference studies: their data, networks and protocols, measured as they and as we do.

A recipe with a key `study` is one of these; `einthoven train`, `quantize`, `evaluate`, `export` and
`replay` take it as any other. `recipe.py` says what it decides, `registry.py` where its data and
network come from, `workflow.py` and `replay.py` what the commands do, `runs.py` what a run's folder
holds, `results.py` what is kept of it.
"""
