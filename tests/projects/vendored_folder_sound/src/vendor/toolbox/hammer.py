def hit(box):
    import only_on_another_system

    return box, only_on_another_system
