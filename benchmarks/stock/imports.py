"""The peer of the first visit: what our pages import, then nothing drawn."""

import alembic  # noqa: F401
import cryptography.hazmat.primitives.ciphers.aead  # noqa: F401
import h3  # noqa: F401
import pandas as pd  # noqa: F401
import phonenumbers  # noqa: F401
import plotly.graph_objects as go  # noqa: F401
import psycopg  # noqa: F401
import pydeck as pdk  # noqa: F401
import segno  # noqa: F401
import sqlalchemy.orm  # noqa: F401
import streamlit as st  # noqa: F401
import streamlit_authenticator as stauth  # noqa: F401
