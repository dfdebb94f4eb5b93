"""What a text says for a sentence: the signs of support, and each kind of departure from the words."""
