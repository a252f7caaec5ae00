"""Write functions and layers into a project's templates and sources, and take them out again."""
