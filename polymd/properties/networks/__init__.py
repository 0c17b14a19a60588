"""What the networks of polymer properties share: parts of the networks, their training, folds and files."""
