"""Plain HTTP beside the app: what a Streamlit page cannot answer."""
