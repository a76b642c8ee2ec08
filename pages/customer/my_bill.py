"""A family reads what it owes, and how that came about."""

from components import catalogue, invoices, layout, statements
from components.i18n import t
from components.session import fetch
from services import statements as services

layout.page_head("my_bill", subtitle=t("bill.subtitle"))
statement = fetch(services.mine)
statements.owed(statement.owed_fen, statement.coming_fen)
if statement.lines:
    items = catalogue.items()
    statements.statement_lines(statement, items, "my_bill")
    statements.take_button(statement, items)
else:
    layout.empty("my_bill", icon=":material/receipt:")
invoices.of_family()
