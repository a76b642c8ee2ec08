"""The present: what goes on, what waits for whom, and the full weeks of those who sign in."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from data.orders import Order
from services import applications, bookings, cities, clock, demands
from services.access import SYSTEM
from services.demo import plans
from services.demo.cast import Carer, Family
from services.demo.nantong import DISTRICTS
from services.demo.plan import DAYS_AHEAD, FATES, WELL, Planner, Wish
from services.demo.story import Episode, World, approve, episode, live, offer, post, request

Begun = tuple[datetime, Episode]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# Li is free about now, so that whoever tries the demo can give her something to do.
LI_FREE_BEFORE, LI_FREE_AFTER = timedelta(minutes=30), timedelta(hours=7)
LI_SLOTS = ((8.5, 3), (14, 3))
LI_ITEMS = ("companionship", "meals", "chronic_care", "hospital_companion")
ZHOU_WEEKDAYS = (1, 4)
SUNDAY = 6
WAITING = ("companionship", "meals", "hospital_companion", "bath_assist", "postpartum_recovery")
UNANSWERED = ("post_operative", "bath_assist", "ward_care_day", "dementia_care")


class Scene:
    """Zhou is the first family, Li the first caregiver; the others are whoever fits."""

    def __init__(
        self, world: World, planner: Planner, families: list[Family], li: Carer, start: datetime
    ) -> None:
        self.world, self.planner, self.li, self.start = world, planner, li, start
        self.now, self.chance = world.now, world.chance
        self.midnight = clock.in_city(self.now).replace(hour=0, minute=0, second=0, microsecond=0)
        self.zhou = families[0]
        # Those who were there from the start; families come in the order they joined.
        early = [one for one in families[1:] if one.since < start]
        others = self.chance.sample(early, k=len(early))
        self.mothers = [one for one in others if one.cared_for[0].maternity]
        self.elders = [one for one in others if not one.cared_for[0].maternity]
        self.near = [one for one in self.elders if self._lives_near(one)]
        self.far = [one for one in self.elders if not self._lives_near(one)]

    def episodes(self) -> Iterator[Begun]:
        """Everything that is not left to the city's rhythm."""
        yield from self._lis_weeks()
        yield from self._zhous_days()
        yield from self._under_way()
        yield from self._to_decide()
        yield from self._requests()
        yield from self._plans()
        yield from self._every_fate()
        yield from self._amiss()

    def _lis_weeks(self) -> Iterator[Begun]:
        """Two visits a day for families who know her; Zhou's parents twice a week."""
        for day in range((self.start - self.now).days + 3, DAYS_AHEAD - 3):
            for number, (hour, units) in enumerate(LI_SLOTS):
                starts_at = self._at(day, hour)
                zhous = number == 0 and starts_at.weekday() in ZHOU_WEEKDAYS
                if starts_at.weekday() == SUNDAY or (not zhous and self.chance.random() < 0.15):
                    continue
                family = (
                    self.zhou if zhous else self.near[self.chance.randrange(8) % len(self.near)]
                )
                lead = self.chance.uniform(2, 5) * DAY
                posted_at = min(starts_at - lead, self.now - self.chance.uniform(3, 60) * HOUR)
                code = self.chance.choice(LI_ITEMS)
                wish = self.planner.wish(
                    family, code, starts_at, posted_at, units=units, carer=self.li
                )
                about_now = (
                    wish.span[1] > self.now - LI_FREE_BEFORE
                    and wish.starts_at < self.now + LI_FREE_AFTER
                )
                if not about_now and posted_at > family.since:
                    yield posted_at, episode(self.world, wish)

    def _zhous_days(self) -> Iterator[Begun]:
        """One visit waits for its code and one for a review; a request and a demand are open."""
        yield self._agreed(self.zhou, "companionship", self._last_slot(), 3, "unredeemed")
        yield self._agreed(self.zhou, "meals", self._at(-2, 16), 2, "unreviewed")
        wish = self._wish(self.zhou, "bath_assist", self._at(4, 14), 6)
        yield wish.posted_at, self._applied_for(wish, 2)
        wish = self._wish(self.zhou, "hospital_companion", self._at(3, 9), 0.8)
        yield wish.posted_at, self._asked(wish)

    def _under_way(self) -> Iterator[Begun]:
        """One visit runs, two were not begun in time, one is locked after five wrong codes."""
        this_hour = clock.in_city(self.now).replace(minute=0, second=0, microsecond=0)
        overdue = clock.in_city(self.now - timedelta(minutes=35))
        overdue = overdue.replace(minute=overdue.minute // 15 * 15, second=0, microsecond=0)
        yield self._agreed(self._near(0), "companionship", this_hour - HOUR, 3, "well")
        yield self._agreed(self._near(1), "meals", overdue, 2, "absent")
        yield self._agreed(self._near(2), "companionship", self._at(-1, 18), 2, "absent")
        yield self._agreed(self._near(3), "bath_assist", self._last_slot(), 2, "locked")

    def _to_decide(self) -> Iterator[Begun]:
        """Applications for the operator; one who waits; demands that nobody applied for."""
        for number, code in enumerate(WAITING):
            maternity = code == "postpartum_recovery" and self.mothers
            family = self.mothers[0] if maternity else self._near(4 + number)
            wish = self._wish(family, code, self._at(1 + number % 4, 17), 2 + 3 * number)
            fate = ("applicant_declined", "applicant_withdrew", WELL)[min(number, 2)]
            wish = replace(wish, units=2, fate=fate)
            yield wish.posted_at, self._applied_for(wish, 1 + number % 3)
        wish = self._wish(self._near(9), "companionship", self._at(5, 14), 7)
        yield wish.posted_at, self._one_waits(replace(wish, units=2))
        for number, code in enumerate(UNANSWERED):
            family = self.far[number * 3 % len(self.far)]
            wish = self._wish(family, code, self._at(1 + number, 9), 3 + 5 * number)
            yield wish.posted_at, self._only_posted(wish)

    def _requests(self) -> Iterator[Begun]:
        """Asked and not answered yet, two of them of Li; and one that waits for the operator.

        Another waited for the operator in vain.
        """
        for number, hours in enumerate((1.67, 0.4)):
            wish = self._wish(
                self._near(4 + number), "companionship", self._at(2 + number, 17.5), hours
            )
            yield wish.posted_at, self._asked(replace(wish, units=2, carer=self.li))
        for number, hours in enumerate((1.7, 0.9, 0.2)):
            wish = self._wish(self._near(6 + number), WAITING[number], self._at(2, 10), hours)
            yield wish.posted_at, self._asked(wish)
        wish = self._wish(self._near(9), "meals", self._at(3, 10), 1)
        yield wish.posted_at, self._to_approve(wish)
        posted_at, starts_at = self.now - 5 * HOUR, self._at(DAYS_AHEAD - 2, 17)
        before = replace(wish, key=f"{wish.key}-before", posted_at=posted_at, starts_at=starts_at)
        yield posted_at, self._overlooked(before)

    def _plans(self) -> Iterator[Begun]:
        """Zhou's plan runs, another family's rests."""
        for family, hours_ago, begin in (
            (self.zhou, 30, plans.runs),
            (self._own(14), 40, plans.rests),
        ):
            wish = self._wish(family, "companionship", self._at(2, 15.5), hours_ago)
            yield wish.posted_at, begin(self.world, replace(wish, units=2))

    def _every_fate(self) -> Iterator[Begun]:
        """Each thing that can go wrong once, whatever chance brings."""
        for number, fate in enumerate(FATES):
            starts_at = self._at(-3 - number, 10)
            wish = self.planner.wish(
                self._near(number), "companionship", starts_at, starts_at - 2 * DAY, fate=fate
            )
            yield wish.posted_at, episode(self.world, wish)

    def _amiss(self) -> Iterator[Begun]:
        """A complaint is open, a fall was seen to, one left early and one has not checked out."""
        yield self._agreed(self._near(10), "companionship", self._at(-1, 9), 2, "complained_of")
        yield self._agreed(self._near(11), "companionship", self._at(-2, 9), 2, "fell")
        yield self._agreed(self._near(12), "meals", self._last_slot(), 2, "left_early")
        yield self._agreed(self._near(13), "meals", self.now - 3 * HOUR, 2, "forgot_to_leave")

    def _agreed(
        self, family: Family, code: str, starts_at: datetime, units: int, fate: str
    ) -> Begun:
        """A visit agreed the day before, whatever the hour, with its fate."""
        wish = self.planner.wish(family, code, starts_at, starts_at - DAY, units=units, fate=fate)
        return wish.posted_at, self._through_the_hall(wish)

    def _through_the_hall(self, wish: Wish) -> Episode:
        demand_id = post(self.world, wish)
        yield clock.now() + timedelta(minutes=30)
        carer = self._anybody(wish)
        application_id = offer(self.world, wish, demand_id, carer)
        order_id = approve(self.world, wish, application_id, carer)
        yield from live(self.world, wish, order_id, carer)

    def _applied_for(self, wish: Wish, applicants: int) -> Episode:
        """Some apply; if the fate says so, Li too, and one of the others is out again."""
        session = self.world.session
        demand_id = post(self.world, wish)
        yield self.world.later(20, 50)
        others = (self.world.who_can(wish) or [self._anybody(wish)])[:applicants]
        for carer in others:
            yield self.world.later(2, 20)
            application_id = offer(self.world, wish, demand_id, carer)
            if carer is others[0] and wish.fate == "applicant_declined":
                applications.decline(session, self.world.operator, application_id)
            if carer is others[0] and wish.fate == "applicant_withdrew":
                applications.withdraw(session, carer.actor, demand_id)
        if wish.fate != WELL:
            offer(self.world, wish, demand_id, self.li)

    def _one_waits(self, wish: Wish) -> Episode:
        """Two apply, the first is chosen and the other waits in case she cannot come."""
        demand_id = post(self.world, wish)
        offers = []
        for carer in self.world.who_can(wish)[:2]:
            yield self.world.later(15, 60)
            offers.append((offer(self.world, wish, demand_id, carer), carer))
        yield self.world.later(15, 60)
        for application_id, carer in offers[:1]:
            approve(self.world, wish, application_id, carer)

    def _only_posted(self, wish: Wish) -> Episode:
        post(self.world, wish)
        yield from ()

    def _asked(self, wish: Wish) -> Episode:
        able = [wish.carer] if wish.carer else self.world.who_can(wish)
        for carer in able[:1]:
            request(self.world, wish, carer)
        yield from ()

    def _to_approve(self, wish: Wish) -> Episode:
        """Accepted while the operator tried out having the last word."""
        for carer in self.world.who_can(wish)[:1]:
            order_id = request(self.world, wish, carer)
            yield self.world.later(10, 15)
            self._accept_for_the_operator(carer, order_id)

    def _accept_for_the_operator(self, carer: Carer, order_id: int) -> None:
        session, operator = self.world.session, self.world.operator
        [city] = cities.mine(session, operator)
        tried = replace(city.settings, operator_approves=True)
        cities.keep_settings(session, operator, city.code, tried)
        bookings.accept(session, carer.actor, order_id)
        cities.keep_settings(session, operator, city.code, city.settings)

    def _overlooked(self, wish: Wish) -> Episode:
        """Accepted, and never confirmed, on a day like it; the family helps itself.

        Nothing is left to chance, so that all else comes as it would without it.
        """
        session = self.world.session
        days = [replace(wish, starts_at=wish.starts_at - days * DAY) for days in range(7)]
        able = (
            (carer, day)
            for day in days
            for carer in self.world.carers
            if carer.can(day.item, day.cell, day.span)
        )
        carer, wish = next(able)
        order = session.get_one(Order, request(self.world, wish, carer))
        yield clock.now() + timedelta(minutes=12)
        self._accept_for_the_operator(carer, order.id)
        yield (order.answer_until or clock.now()) + timedelta(seconds=30)
        bookings.expire_due(session, SYSTEM)
        carer.taken.remove(wish.taken)
        yield clock.now() + HOUR
        demands.withdraw(session, wish.family.actor, order.demand_id)

    def _anybody(self, wish: Wish) -> Carer:
        """Somebody who can come, or else whoever holds the papers and is free."""
        papers = [
            carer
            for carer in self.world.carers
            if wish.item.id in carer.rates and carer.is_free(wish.span)
        ]
        return next(iter(self.world.who_can(wish) or papers))

    def _wish(self, family: Family, code: str, starts_at: datetime, hours_ago: float) -> Wish:
        return self.planner.wish(family, code, starts_at, self.now - hours_ago * HOUR)

    def _at(self, days: int, hour: float) -> datetime:
        return self.midnight + days * DAY + hour * HOUR

    def _last_slot(self) -> datetime:
        """The last time of a day's usual ones at which a visit would be over by now."""
        slots = (self._at(0, 14), self._at(0, 9), self._at(-1, 15))
        return next(one for one in slots if one + 4 * HOUR < self.now)

    def _own(self, number: int) -> Family:
        """A family that does everything itself, without the desk."""
        own = [one for one in self.near if one.called_for is None]
        return own[number % len(own)]

    def _near(self, number: int) -> Family:
        return self.near[number % len(self.near)]

    @staticmethod
    def _lives_near(family: Family) -> bool:
        return family.home.district_code == DISTRICTS[0].code
