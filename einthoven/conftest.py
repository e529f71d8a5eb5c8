"""The folders that stand at the repository's top are collected there, not again by their links."""

collect_ignore = ["codegen", "hil_tests", "training"]
