from tests.factories import *


def test_probe(open_app):
    app = open_app("pages/account/profile.py", ZHOU)
    print([(type(e).__name__, e.key) for e in app.button], [e.proto for e in app.expander])
    print(app.expander[0].open if hasattr(app.expander[0], "open") else dir(app.expander[0]))
    app.session_state["recipient_1"] = True
    app.run()
    print([e.key for e in app.text_input])
    app = open_app("pages/customer/post_demand.py", ZHOU)
    for k in (
        "text_input",
        "text_area",
        "selectbox",
        "slider",
        "number_input",
        "date_input",
        "time_input",
        "segmented_control",
        "pills",
        "button_group",
    ):
        try:
            print(k, [(e.key, e.value) for e in getattr(app, k)])
        except Exception as x:
            print(k, repr(x))
    app = open_app("pages/customer/redeem.py", ZHOU, visit="x", code="A" * 500)
    print([e.value for e in app.main.markdown])
