"""The router: every visit passes here. `make run` serves it; `streamlit run Home.py` works too."""

from components import chat, frame, identity, navigation, session

frame.set_up()
visitor = session.recognise()
frame.sidebar(visitor)
identity.set_cookie()
with session.catching():
    navigation.open_page(visitor)
    chat.corner(visitor)
