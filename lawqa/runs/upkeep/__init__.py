"""What is done with run directories as they are: finding, locking and removing them."""
