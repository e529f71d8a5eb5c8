"""A fleet that is not there: boards that are processes, some of them bad in planned ways."""
