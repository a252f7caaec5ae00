echo data
