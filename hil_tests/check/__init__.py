"""`einthoven check`: is this board good? What is looked at, one module a subject."""
