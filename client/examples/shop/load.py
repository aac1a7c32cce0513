#!/usr/bin/env python3
"""Customers of the shop: fill its stock, and place orders, over HTTP.

usage: load.py PORT ORDERS

Prints what the shop has answered.
"""

import http.client
import json
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from random import Random
from uuid import uuid4

CUSTOMERS = ['ada', 'bob', 'cleo', 'dan', 'eve']
CENTS = {'book': 1990, 'globe': 4900, 'lamp': 3450, 'vase': 8900}


def send(port, type_, target, fields):
    """Send a command until there is an answer: its id says that it is one."""
    headers = {'Command-Id': str(uuid4())}
    for _ in range(100):
        shop = http.client.HTTPConnection('127.0.0.1', port, timeout=40)
        try:
            shop.request('POST', f'/commands/{type_}/{target}',
                         json.dumps(fields), headers)
            answer = shop.getresponse()
            told = json.load(answer)
            if answer.status != 503:
                return answer.status, told
        except (OSError, http.client.HTTPException):
            pass
        finally:
            shop.close()
        time.sleep(0.1)
    raise SystemExit(f'no answer: {type_} {target}')


def order(port, number):
    rnd = Random(number)
    sku = rnd.choice(list(CENTS))
    quantity = rnd.choice([1, 1, 1, 2, 3, 0])
    return send(port, 'PlaceOrder', number, {
        'customer': rnd.choice(CUSTOMERS), 'sku': sku, 'quantity': quantity,
        'cents': quantity * CENTS[sku]})


def main():
    port, orders = map(int, sys.argv[1:])
    for sku in CENTS: # Not enough for all.
        send(port, 'ReceiveStock', sku, {'quantity': orders // 4 + 1})
    with ThreadPoolExecutor(8) as customers:
        answers = list(customers.map(lambda number: order(port, number),
                                     range(1, orders + 1)))
    for what, count in Counter(
            f'{status} {told.get("code", "")}'.strip()
            for status, told in answers).items():
        print(f'{count:6} answers {what}')


main()
