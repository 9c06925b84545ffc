"""What is kept of every night: rows in a database, and the files of each run beside it."""
