"""Setting the project up: from a clone (`bootstrap`), and what it is made of (`dependencies`)."""
