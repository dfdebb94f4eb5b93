"""The chat in the browser. Imports Gradio: import it late."""
