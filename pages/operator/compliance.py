"""The operator goes through what looks like a breach of the rules, and decides."""

from components import compliance, layout
from components.i18n import t

layout.page_head("compliance", subtitle=t("compliance.subtitle"))
compliance.queue()
