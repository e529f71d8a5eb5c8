"""What writes firmware into a chip: existing tools, each behind one small adapter.

An adapter says how its tool is called for one certain device, how its progress and its failures
read, and for how long it may be silent. `run` calls it; `registry` knows all of them.
"""
