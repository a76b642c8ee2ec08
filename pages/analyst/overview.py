"""Where care is wanted and missing: a city's demand by district and item, released figures only."""

from components import layout, overview

layout.page_head("overview", subtitle=overview.as_of())
view = overview.choice()
release = overview.by_district(view)
if release.total.demands:
    overview.figures(release)
    overview.finding(release)
    district_code = overview.districts(view, release)
    overview.care(view, district_code)
else:
    layout.empty("overview", icon=":material/insights:")
overview.withheld_words(release)
