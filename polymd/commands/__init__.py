"""Commands of the command line that have a second word, one module each."""
