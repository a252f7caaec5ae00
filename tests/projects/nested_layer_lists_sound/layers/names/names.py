NAMES = ("tea",)
