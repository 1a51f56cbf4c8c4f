"""What the builds of one engine share."""

import asyncio

from headrace.runtimes.docker.rooms import Door, Rooms


async def test_as_many_are_inside_as_there_is_room_for_first_come_first_served():
    door, inside = Door(2), []

    async def one(number):
        passage = await door.enter()
        inside.append(number)
        return passage

    first, second = await one(1), await one(2)
    waiting = [asyncio.create_task(one(number)) for number in (3, 4)]
    await turn_the_loop()
    assert inside == [1, 2]
    second.leave()
    second.leave()  # twice is once
    await turn_the_loop()
    assert inside == [1, 2, 3]
    first.leave()
    await asyncio.wait(waiting)
    assert inside == [1, 2, 3, 4]


async def test_who_is_called_off_before_the_door_takes_no_room():
    door = Door(1)
    first = await door.enter()
    gone = asyncio.create_task(door.enter())
    await turn_the_loop()
    gone.cancel()
    await asyncio.wait({gone})
    first.leave()
    await asyncio.wait_for(door.enter(), 10)


async def test_nobody_waits_for_ever_for_one_that_hangs():
    door = Door(1, patience_s=0)
    await door.enter()
    await asyncio.wait_for(door.enter(), 10)


def test_places_are_as_many_as_cores():
    places = Rooms.of(2, ahead=True).places
    assert [places.take() for _ in range(3)] == [True, True, False]
    places.give_back()
    assert places.take()


def test_no_networks_are_shared_where_nothing_is_to_start_ahead():
    assert Rooms.of(2, ahead=False).networks == 0


async def turn_the_loop():
    for _ in range(5):
        await asyncio.sleep(0)
