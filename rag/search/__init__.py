"""What a search is made of: how a question is worded and narrowed, compared and fed back."""
