"""Console, files, processes and AWS: the only modules that reach outside."""
