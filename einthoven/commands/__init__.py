"""The commands of `einthoven`, by theme. Heavy modules are imported when a command runs."""
