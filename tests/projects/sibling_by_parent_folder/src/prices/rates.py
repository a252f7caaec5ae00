EUR = 2
