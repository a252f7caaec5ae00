import shapely

NAME = shapely.__name__
