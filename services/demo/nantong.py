"""The demo's Nantong: real districts, invented places in them, and how the districts differ."""

from dataclasses import dataclass

CITY = "320600"


@dataclass(frozen=True, slots=True)
class District:
    """How many families and caregivers of a hundred live here, who they are, how far they go."""

    code: str
    families: int
    caregivers: int
    radii_km: tuple[int, ...]
    oldest_share: float
    maternity_share: float
    dialect: str
    streets: tuple[str, ...]


DISTRICTS = (
    District(
        "320613", 28, 41, (18, 20, 25), 0.35, 0.24, "南通话",
        ("濠东新村", "学田小区", "易家桥新村", "城港新村", "文峰花园", "五一小区", "新桥新村"),
    ),
    District(
        "320612", 14, 18, (12, 15, 20), 0.5, 0.1, "南通话",
        ("金沙花苑", "世纪苑", "平潮新村", "河东新村"),
    ),
    District(
        "320614", 12, 17, (25, 28), 0.5, 0.24, "启海话",
        ("东洲花苑", "江滨新村", "海棠苑", "解放新村"),
    ),
    District(
        "320682", 16, 7, (15, 20), 0.8, 0.05, "如皋话",
        ("雉水家园", "惠政新村", "桥口村", "北桥村"),
    ),
    District(
        "320681", 8, 9, (12, 15, 20), 0.6, 0.08, "启海话",
        ("汇龙新村", "民乐家园", "港西村"),
    ),
    District(
        "320623", 11, 4, (30,), 0.85, 0.03, "如东话",
        ("掘港新村", "青园小区", "河口村", "东凌村"),
    ),
    District(
        "320685", 11, 4, (12, 15, 20), 0.85, 0.03, "海安话",
        ("城东新村", "凤山家园", "三里村", "南屏村"),
    ),
)  # fmt: skip
DISTRICT_WEIGHTS = {district.code: district.families for district in DISTRICTS}
ESTATES = DISTRICTS[0].streets
VILLAGE = "村"

PLACES = (
    ("320613", "hospital", "崇川区江海医院", "Jianghai Hospital, Chongchuan", 120.872, 32.012),
    ("320613", "care_home", "濠河颐养院", "Haohe Care Home", 120.861, 32.021),
    ("320613", "estate", "北濠桥花园", "North Hao Bridge Garden", 120.855, 32.034),
    ("320612", "hospital", "通州区金沙医院", "Jinsha Hospital, Tongzhou", 121.073, 32.067),
    ("320614", "hospital", "海门区东洲医院", "Dongzhou Hospital, Haimen", 121.176, 31.894),
    ("320682", "hospital", "如皋市雉水医院", "Zhishui Hospital, Rugao", 120.566, 32.389),
    ("320681", "hospital", "启东市汇龙医院", "Huilong Hospital, Qidong", 121.659, 31.81),
    ("320623", "care_home", "如东县掘港敬老院", "Juegang Care Home, Rudong", 121.185, 32.321),
    ("320685", "hospital", "海安市城东医院", "Chengdong Hospital, Hai'an", 120.47, 32.54),
    ("320613", "hospital", "崇川区濠南康复医院", "Haonan Rehabilitation, Chongchuan", 120.9, 31.98),
    ("320613", "estate", "新城西苑", "Xincheng West Court", 120.93, 32.03),
    ("320612", "estate", "金沙花苑", "Jinsha Garden", 121.06, 32.07),
    ("320612", "care_home", "通州区河东颐养院", "Hedong Care Home, Tongzhou", 121.08, 32.055),
    (
        "320614",
        "hospital",
        "海门区东洲妇幼医院",
        "Dongzhou Mother and Child, Haimen",
        121.15,
        31.89,
    ),
    ("320614", "estate", "东洲花苑", "Dongzhou Garden", 121.19, 31.9),
    ("320682", "estate", "雉水家园", "Zhishui Homes", 120.58, 32.37),
    ("320682", "care_home", "如皋市长寿敬老院", "Changshou Care Home, Rugao", 120.55, 32.38),
    ("320681", "estate", "汇龙新村", "Huilong New Village", 121.66, 31.82),
    ("320623", "hospital", "如东县青园医院", "Qingyuan Hospital, Rudong", 121.19, 32.31),
    ("320623", "estate", "掘港新村", "Juegang New Village", 121.17, 32.33),
    ("320685", "estate", "凤山家园", "Fengshan Homes", 120.45, 32.54),
    ("320685", "care_home", "海安市三里敬老院", "Sanli Care Home, Hai'an", 120.46, 32.53),
)
