"""From a job's request to files on disk, and the recipe that makes them again."""
