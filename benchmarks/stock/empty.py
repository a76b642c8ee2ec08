"""The peer of every page: Streamlit as it comes, drawing nothing."""
