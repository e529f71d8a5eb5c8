"""Generators: pure functions from `codegen/spec/` and the shipped model to C sources."""
