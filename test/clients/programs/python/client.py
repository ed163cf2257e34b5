"""Punctual from Python, with nats-py and nothing else: client.py enqueue | later | schedule | work | urgent | dead"""

import asyncio
import json
import os
import sys
from datetime import datetime, timedelta, timezone

import nats
from nats.js.errors import APIError


class MailServerDown(Exception):
    pass


class NoSuchAddress(Exception):
    pass


def tell(**facts):
    print(json.dumps(facts), flush=True)


async def enqueue(js):
    # region enqueue
    # Through the front door; options are headers.
    options = {"Nats-Msg-Id": "welcome-ada", "Punctual-Max-Attempts": "3", "X-Tenant": "acme"}
    await js.publish("punctual.enqueue.emails", b'{"to": "ada"}', headers=options)
    await js.publish("punctual.enqueue.emails", b'{"to": "bob"}')

    # Straight to the queue, under an id of your own.
    await js.publish("punctual.work.emails.invoice-7", b'{"to": "cyd"}')
    # endregion

    again = await js.publish("punctual.enqueue.emails", b'{"to": "ada"}', headers=options)
    tell(duplicate=again.duplicate)
    try:
        await js.publish("punctual.work.emails.invoice-7", b'{"to": "cyd"}')
    except APIError as error:
        tell(refused=str(error))


async def later(js):
    # region later
    await js.publish("punctual.enqueue.emails", b'{"to": "ada"}', headers={"Punctual-Delay": "2s"})

    at = datetime.now(timezone.utc) + timedelta(seconds=2)
    await js.publish("punctual.enqueue.emails", b'{"to": "bob"}', headers={"Punctual-At": at.isoformat()})
    # endregion
    tell(at=at.isoformat())


async def schedule(nc):
    # region schedule
    async def put(schedule_id, schedule):
        request = json.dumps({"id": schedule_id, "schedule": schedule}).encode()
        return await nc.request("punctual.api.schedule.put", request, timeout=5)

    reply = await put("hello", {"every": "1s", "queue": "emails", "payload": {"to": "ada"}})
    # endregion

    wrong = await put("wrong", {"cron": "61 * * * *", "queue": "emails"})
    for answer in (reply, wrong):
        error = (answer.headers or {}).get("Nats-Service-Error-Code")
        tell(answer=json.loads(answer.data), error=error)


async def send(message):
    """Pretends to send an email, and fails, takes long or hangs as the email asks for."""
    mail = json.loads(message.data)
    attempt = message.metadata.num_delivered
    tell(to=mail["to"], attempt=attempt, runId=(message.headers or {}).get("Punctual-Run-Id"))
    if mail["to"] == "nobody":
        raise NoSuchAddress
    if attempt <= mail.get("fails", 0):
        raise MailServerDown
    if attempt <= mail.get("hangs", 0):
        await asyncio.Event().wait()
    for _ in range(mail.get("seconds", 0)):
        await asyncio.sleep(1)
        await message.in_progress()  # the ack wait begins anew


async def work(js):
    # region work
    queue = await js.pull_subscribe_bind("work-emails", "PUNCTUAL_WORK")
    while True:
        try:
            [message] = await queue.fetch(1, timeout=30)
        except nats.errors.TimeoutError:
            continue  # there is nothing to do
        try:
            await send(message)
            await message.ack()
        except MailServerDown:
            await message.nak(delay=1)  # again in a second
        except NoSuchAddress:
            await message.term()  # never again
    # endregion


async def urgent(js):
    """The lane of urgent jobs has a consumer of its own."""
    queue = await js.pull_subscribe_bind("high-emails", "PUNCTUAL_WORK")
    while True:
        try:
            [message] = await queue.fetch(1, timeout=30)
        except nats.errors.TimeoutError:
            continue
        tell(to=json.loads(message.data)["to"], subject=message.subject)
        await message.ack()


async def dead(nc):
    """Dead letters are looked at and retried through the API."""

    async def ask(endpoint, request):
        answer = await nc.request(f"punctual.api.{endpoint}", json.dumps(request).encode(), timeout=5)
        tell(answer=json.loads(answer.data), error=(answer.headers or {}).get("Nats-Service-Error-Code"))
        return json.loads(answer.data)

    found = await ask("dead.list", {"filter": {"queue": "emails"}})
    letter = found["letters"][0]["id"]
    await ask("dead.get", {"id": letter})
    await ask("dead.retry", {"id": letter, "author": "client.py"})
    await ask("dead.retry", {"id": letter})


async def main(command):
    nc = await nats.connect(os.environ.get("NATS_URL", "nats://127.0.0.1:4222"))
    js = nc.jetstream()
    if command == "enqueue":
        await enqueue(js)
    elif command == "later":
        await later(js)
    elif command == "schedule":
        await schedule(nc)
    elif command == "urgent":
        await urgent(js)
    elif command == "dead":
        await dead(nc)
    else:
        await work(js)
    await nc.close()


asyncio.run(main(sys.argv[1]))
