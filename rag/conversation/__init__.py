"""What is meant within a conversation, and what needs no search of the papers."""
