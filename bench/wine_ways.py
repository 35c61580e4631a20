def measure(arguments):
    return []
