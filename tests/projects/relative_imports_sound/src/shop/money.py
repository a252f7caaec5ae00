def price(rate):
    return rate * 10
