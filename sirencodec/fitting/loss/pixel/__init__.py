"""What the first term of the loss may be: measures of how a decoded image differs."""
