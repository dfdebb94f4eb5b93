"""Language models: their names, failures and cost, what they are sent, and how what they write is read."""
