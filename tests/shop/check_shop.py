"""What must hold in a shop when all is done, whatever was killed meanwhile.

Shares no code with the shop: it knows the events, and what they mean. Evidence
is a dict:

    events      all of the database, in order, as `acta read --all --json`
                tells them
    sent        order -> the fields of the order, of all that were sent
    answered    order -> position, of those that were acknowledged
    orders      rows of the read model: (order, customer, sku, quantity, cents,
                state, reason)
    levels      rows of the read model: (sku, available, reserved, shipped)

Each function yields what is wrong, as a text that begins with a word for it.
"""

from collections import Counter, defaultdict

ENDS = ('OrderConfirmed', 'OrderCancelled')


def key(event):
    """What follows the first "-" in the name of the stream."""
    return event['stream'].split('-', 1)[1]


def base(event):
    """The type without a version."""
    return event['type'].split('.v')[0]


def of_category(events, category):
    """Key -> its events, of the streams of a category."""
    found = defaultdict(list)
    for event in events:
        if event['stream'].startswith(category + '-'):
            found[key(event)].append(event)
    return found


def placed(event):
    """The fields of an order in their newest form."""
    fields = dict(event['data'])
    if 'total' in fields:
        fields['cents'] = round(fields.pop('total') * 100)
    return fields


# ---- the log ----

def check_orders(evidence):
    """Each that was acknowledged is there, as it was sent, and has ended."""
    orders = of_category(evidence['events'], 'order')
    for order, position in evidence['answered'].items():
        there = [event['position'] for event in orders.get(order, [])
                 if base(event) == 'OrderPlaced']
        if there != [position]:
            yield f'lost: order {order} is at {there}, not at {position}'
    for order, events in orders.items():
        types = [base(event) for event in events]
        if types[0] != 'OrderPlaced' or types.count('OrderPlaced') != 1:
            yield f'twice: order {order} has {types}'
        elif placed(events[0]) != evidence['sent'].get(order):
            yield f'changed: order {order} is {events[0]["data"]}'
        if len(types) != 2 or types[1] not in ENDS:
            yield f'unfinished: order {order} has {types}'


def check_payments(evidence):
    """An order is paid once if it is confirmed, and else its money is back."""
    orders = of_category(evidence['events'], 'order')
    payments = of_category(evidence['events'], 'payment')
    for order, events in payments.items():
        types = Counter(base(event) for event in events)
        if max(types.values()) > 1:
            yield f'paid twice: payment {order} has {dict(types)}'
        if types['PaymentReceived'] + types['PaymentRefused'] + \
                types['PaymentCancelled'] != 1:
            yield f'unpaid: payment {order} has {dict(types)}'
        if types['PaymentReturned'] and not types['PaymentCancelled']:
            yield f'returned: payment {order} has {dict(types)}'
    for order, events in orders.items():
        is_confirmed = any(base(event) == 'OrderConfirmed' for event in events)
        is_paid = any(base(event) == 'PaymentReceived'
                      for event in payments.get(order, []))
        if is_confirmed != is_paid:
            yield (f'unpaid: order {order} is confirmed: {is_confirmed}, '
                   f'paid: {is_paid}')


def fold_stock(events):
    """sku -> [available, reserved, shipped]."""
    changes = {
        'StockReceived': (1, 0, 0),
        'StockReserved': (-1, 1, 0),
        'StockReleased': (1, -1, 0),
        'StockShipped': (0, -1, 1),
    }
    levels = defaultdict(lambda: [0, 0, 0])
    for event in events:
        if event['stream'].startswith('stock-') and base(event) in changes:
            for i, change in enumerate(changes[base(event)]):
                levels[key(event)][i] += change * event['data']['quantity']
            if min(levels[key(event)]) < 0:
                levels[key(event)].append(event['position'])
    return levels


def check_stock(evidence):
    """Nothing is sold that is not there; what is reserved is let go of."""
    events = evidence['events']
    orders = of_category(events, 'order')
    for sku, levels in fold_stock(events).items():
        if len(levels) > 3:
            yield f'stock: {sku} is below nothing at position {levels[3]}'
        if levels[1] != 0:
            yield f'stock: {levels[1]} of {sku} are still reserved'
    told = defaultdict(list)
    for event in events:
        if event['stream'].startswith('stock-') and 'order' in event['data']:
            told[event['data']['order']].append(event)
    for order, of_order in orders.items():
        ends = {'OrderConfirmed': [['StockReserved', 'StockShipped']],
                'OrderCancelled': [['StockReserved', 'StockReleased'],
                                   ['StockDeclined']]}
        types = [base(event) for event in told.get(order, [])]
        if types not in ends.get(base(of_order[-1]), [types]):
            yield f'stock: order {order} ends by {base(of_order[-1])}: {types}'
        fields = placed(of_order[0])
        for event in told.get(order, []):
            if key(event) != fields['sku'] or \
                    event['data']['quantity'] != fields['quantity']:
                yield f'stock: order {order} has {event["data"]}'


def check_fulfilment(evidence):
    """Each order has been led to its end once: nothing was sent twice."""
    events = evidence['events']
    for order in of_category(events, 'order'):
        types = Counter(event['type'] for event in events
                        if event['stream'] == f'fulfilment-{order}')
        for type_ in 'ProcessStarted', 'FulfilmentBegun', 'ProcessEnded':
            if types[type_] != 1:
                yield f'fulfilment: order {order} has {dict(types)}'
    sent = Counter((event['stream'], event['type'],
                    event['data'].get('order', key(event)))
                   for event in events
                   if event['stream'].startswith('command-'))
    for command, times in sent.items():
        if times != 1:
            yield f'sent twice: {command}'


def check_parked(evidence):
    """Nothing was laid aside."""
    for event in evidence['events']:
        if event['type'] == 'Parked':
            yield f'parked: {event["stream"]}: {event["data"]}'


# ---- the read models ----

def check_orders_model(evidence):
    """The orders by customer are what the log says."""
    wanted = set()
    for order, events in of_category(evidence['events'], 'order').items():
        fields = placed(events[0])
        state, reason = 'placed', ''
        for event in events[1:]:
            state = {'OrderConfirmed': 'confirmed',
                     'OrderCancelled': 'cancelled'}.get(base(event), state)
            reason = event['data'].get('reason', '')
        wanted.add((order, fields['customer'], fields['sku'],
                    fields['quantity'], fields['cents'], state, reason))
    for row in wanted ^ set(evidence['orders']):
        yield ('orders model: ' + ('lacks' if row in wanted else 'has') +
               f' {row}')
    if len(evidence['orders']) != len(set(evidence['orders'])):
        yield 'orders model: has a row twice'


def check_levels_model(evidence):
    """The levels of stock are what the log says."""
    wanted = {(sku, *levels[:3])
              for sku, levels in fold_stock(evidence['events']).items()}
    for row in wanted ^ set(evidence['levels']):
        yield ('levels model: ' + ('lacks' if row in wanted else 'has') +
               f' {row}')


CHECKS = (check_orders, check_payments, check_stock, check_fulfilment,
          check_parked, check_orders_model, check_levels_model)


def check(evidence):
    """All that is wrong."""
    return [wrong for one in CHECKS for wrong in one(evidence)]
