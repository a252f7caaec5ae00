def name_of(table):
    return table.upper()
