#!/usr/bin/env python3
"""The checker of the shop finds each mistake that is made here for it."""

import copy
import sys
import unittest

sys.dont_write_bytecode = True
from check_shop import check

BOOK = {'customer': 'ada', 'sku': 'book', 'quantity': 2, 'cents': 1990}
LAMP = {'customer': 'bob', 'sku': 'lamp', 'quantity': 1, 'cents': 500}


def log(*rows):
    return [{'position': position, 'stream': stream, 'type': type_,
             'data': data}
            for position, (stream, type_, data) in enumerate(rows, 1)]


def for_order(order, quantity):
    return {'order': order, 'quantity': quantity}


def instance(order):
    return [(f'fulfilment-{order}', type_, {}) for type_ in
            ('ProcessStarted', 'FulfilmentBegun', 'ProcessEnded')]


GOOD = {
    'events': log(
        ('stock-book', 'StockReceived', {'quantity': 5}),
        ('order-1', 'OrderPlaced.v2', BOOK),
        ('stock-book', 'StockReserved', for_order('1', 2)),
        ('payment-1', 'PaymentRequested', {'cents': 1990}),
        ('payment-1', 'PaymentReceived', {'cents': 1990}),
        ('order-1', 'OrderConfirmed', {}),
        ('stock-book', 'StockShipped', for_order('1', 2)),
        ('order-2', 'OrderPlaced', {'customer': 'ada', 'sku': 'book',
                                    'quantity': 2, 'total': 19.9}),
        ('stock-book', 'StockReserved', for_order('2', 2)),
        ('payment-2', 'PaymentRequested', {'cents': 1990}),
        ('payment-2', 'PaymentCancelled', {}),
        ('payment-2', 'PaymentReturned', {'cents': 1990}),
        ('order-2', 'OrderCancelled', {'reason': 'not_paid_in_time'}),
        ('stock-book', 'StockReleased', for_order('2', 2)),
        ('order-3', 'OrderPlaced.v2', LAMP),
        ('stock-lamp', 'StockDeclined', for_order('3', 1)),
        ('order-3', 'OrderCancelled', {'reason': 'sold_out'}),
        *instance('1'), *instance('2'), *instance('3'),
        ('command-lamp', 'ReserveStock', for_order('3', 1)),
        ('command-lamp', 'ReserveStock', for_order('4', 1)),
        ('command-3', 'CancelOrder', {'reason': 'sold_out'}),
    ),
    'sent': {'1': BOOK, '2': BOOK, '3': LAMP},
    'answered': {'1': 2, '3': 15},
    'orders': [
        ('1', 'ada', 'book', 2, 1990, 'confirmed', ''),
        ('2', 'ada', 'book', 2, 1990, 'cancelled', 'not_paid_in_time'),
        ('3', 'bob', 'lamp', 1, 500, 'cancelled', 'sold_out'),
    ],
    'levels': [('book', 3, 0, 2)],
}


class Checker(unittest.TestCase):
    def setUp(self):
        self.evidence = copy.deepcopy(GOOD)

    def drop(self, *positions):
        self.evidence['events'] = [event for event in self.evidence['events']
                                   if event['position'] not in positions]

    def repeat(self, position):
        self.evidence['events'].append(
            dict(self.evidence['events'][position - 1], position=99))

    def found(self, word):
        wrong = check(self.evidence)
        self.assertTrue(any(text.startswith(word) for text in wrong), wrong)

    def test_good_shop_is_good(self):
        self.assertEqual(check(self.evidence), [])

    def test_order_that_was_acknowledged_and_is_gone(self):
        self.drop(15, 16, 17)
        self.found('lost: order 3')

    def test_order_that_is_somewhere_else_than_was_said(self):
        self.evidence['answered']['1'] = 3
        self.found('lost: order 1')

    def test_order_that_is_placed_twice(self):
        self.repeat(2)
        self.found('twice: order 1')

    def test_order_that_is_not_what_was_sent(self):
        self.evidence['sent']['1'] = LAMP
        self.found('changed: order 1')

    def test_order_that_nobody_has_sent(self):
        del self.evidence['sent']['3']
        self.found('changed: order 3')

    def test_order_that_has_not_ended(self):
        self.drop(6)
        self.found('unfinished: order 1')

    def test_order_that_ends_twice(self):
        self.repeat(17)
        self.found('unfinished: order 3')

    def test_payment_that_is_received_twice(self):
        self.repeat(5)
        self.found('paid twice: payment 1')

    def test_payment_that_is_received_and_cancelled(self):
        self.evidence['events'][11]['type'] = 'PaymentReceived'
        self.found('unpaid: payment 2')

    def test_payment_that_is_returned_though_it_was_in_time(self):
        self.evidence['events'][10]['type'] = 'PaymentReceived'
        self.found('returned: payment 2')

    def test_order_that_is_confirmed_and_not_paid(self):
        self.drop(4, 5)
        self.found('unpaid: order 1')

    def test_stock_that_is_sold_and_not_there(self):
        self.evidence['events'][0]['data']['quantity'] = 1
        self.found('stock: book is below nothing')

    def test_stock_that_stays_reserved(self):
        self.drop(14)
        self.found('stock: 2 of book are still reserved')

    def test_stock_of_a_cancelled_order_that_is_shipped(self):
        self.evidence['events'][13]['type'] = 'StockShipped'
        self.found('stock: order 2')

    def test_stock_that_is_shipped_twice(self):
        self.repeat(7)
        self.found('stock: order 1')

    def test_stock_of_another_order_than_was_placed(self):
        self.evidence['events'][2]['data']['quantity'] = 1
        self.found('stock: order 1 has')

    def test_order_that_nobody_has_led(self):
        self.drop(18, 19, 20)
        self.found('fulfilment: order 1')

    def test_order_that_is_led_for_ever(self):
        self.drop(20)
        self.found('fulfilment: order 1')

    def test_command_that_is_sent_twice(self):
        self.repeat(27)
        self.found("sent twice: ('command-lamp', 'ReserveStock', '3')")

    def test_event_that_was_laid_aside(self):
        self.evidence['events'] += log(('acta.parked-x', 'Parked', {}))
        self.found('parked: ')

    def test_orders_model_that_lacks_one(self):
        del self.evidence['orders'][0]
        self.found('orders model: lacks')

    def test_orders_model_that_is_behind(self):
        self.evidence['orders'][0] = ('1', 'ada', 'book', 2, 1990, 'placed', '')
        self.found('orders model: has')

    def test_levels_model_that_counts_twice(self):
        self.evidence['levels'][0] = ('book', 1, 0, 4)
        self.found('levels model: has')


if __name__ == '__main__':
    unittest.main()
