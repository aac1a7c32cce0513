#!/usr/bin/env python3
"""The shop as its customers see it: commands and queries over HTTP."""

import json
import pathlib
import shutil
import socket
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
from shop import Shop

ID = '0190163d-8694-739b-aea5-966c26f8ad9%d'
TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
BOOK = {'customer': 'ada', 'sku': 'book', 'quantity': 2, 'cents': 1990}


class Http(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = pathlib.Path(tempfile.mkdtemp(prefix='acta-shop-'))
        cls.shop = Shop(cls.home)
        cls.shop.start()
        for port in cls.shop.commands, cls.shop.queries:
            cls.shop.wait_until('the start', lambda: cls.shop.ask(
                port, 'GET', '/') is not None)

    @classmethod
    def tearDownClass(cls):
        wrong = list(cls.shop.stop())
        shutil.rmtree(cls.home)
        assert not wrong, wrong

    def post(self, path, fields, **headers):
        body = fields if isinstance(fields, str) else json.dumps(fields)
        return self.shop.ask(
            self.shop.commands, 'POST', '/commands/' + path, body,
            {name.replace('_', '-'): value for name, value in headers.items()})

    def get(self, path):
        return self.shop.ask(self.shop.queries, 'GET', path)

    def get_in_time(self, path):
        """With 503 it did not come so far in two seconds, and is asked again.
        """
        answers = []
        self.shop.wait_until('an answer', lambda: answers.append(
            self.get(path)) or answers[-1][0] != 503)
        return answers[-1]

    def test_command_is_told_where_its_event_is(self):
        status, told = self.post('PlaceOrder/a1', BOOK, Command_Id=ID % 1)
        self.assertEqual(status, 200)
        self.assertEqual((told['stream'], told['version'], told['repeated']),
                         ('order-a1', 1, False))
        event, = self.shop.acta('event', 'order-a1', '1')
        self.assertEqual(event['position'], told['position'])
        self.assertEqual(event['data'], BOOK)
        self.assertEqual(event['causation_id'], ID % 1)

    def test_command_that_is_sent_again_counts_once(self):
        first = self.post('PlaceOrder/b1', BOOK, Command_Id=ID % 2)[1]
        status, again = self.post('PlaceOrder/b1', BOOK, Command_Id=ID % 2)
        self.assertEqual((status, again), (200, first | {'repeated': True}))

    def test_refusal_says_what_is_wrong(self):
        wrong = {'quantity': 0, 'sku': '', 'customer': 'a b', 'cents': -1}
        for field, value in wrong.items():
            status, told = self.post('PlaceOrder/c1', BOOK | {field: value})
            self.assertEqual((status, told['code'], told['field']),
                             (422, field + '_wrong', field))
            self.assertTrue(told['text'])

    def test_what_does_not_fit_what_has_happened_is_a_conflict(self):
        self.post('PlaceOrder/d1', BOOK)
        status, told = self.post('PlaceOrder/d1', BOOK)
        self.assertEqual((status, told['code'], told['field']),
                         (409, 'order_exists', ''))

    def test_what_is_no_command_is_not_found(self):
        self.assertEqual(self.post('ReceivePayment/a1', {})[0], 404)
        self.assertEqual(self.post('PlaceOrder', {})[0], 404)
        self.assertEqual(self.post('PlaceOrder/a1/now', {})[0], 404)
        self.assertEqual(self.post('PlaceOrder/' + 'a' * 60, {})[0], 404)
        for path in '/payments/a1', '/orders/a/b', '/orders/%ff', '/stock/':
            self.assertEqual(self.get(path)[0], 404, path)
        self.assertEqual(self.shop.ask(self.shop.commands, 'GET',
                                       '/commands/PlaceOrder/a1')[0], 404)

    def test_what_cannot_be_read_is_refused(self):
        self.assertEqual(self.post('PlaceOrder/e1', 'no JSON')[0], 422)
        self.assertEqual(self.post('PlaceOrder/e1', BOOK,
                                   Command_Id='17')[0], 400)
        self.assertEqual(self.post('PlaceOrder/e1', 'x' * 100000)[0], 413)

    def test_who_has_written_reads_that(self):
        customer = {'customer': 'frida'}
        for order in 'f1', 'f2', 'f3':
            told = self.post('PlaceOrder/' + order, BOOK | customer)[1]
            status, orders = self.get_in_time(
                f'/orders/frida?after={told["position"]}')
            self.assertEqual(status, 200)
            self.assertEqual(orders[-1]['order'], order)

    def test_what_is_not_there_yet_is_not_waited_for_for_ever(self):
        status, told = self.get('/orders/ada?after=1000000')
        self.assertEqual((status, told['code']), (503, 'TIMEOUT'))

    def test_order_goes_its_way_under_one_correlation_and_trace(self):
        self.post('ReceiveStock/globe', {'quantity': 5})
        self.post('PlaceOrder/g1', BOOK | {'sku': 'globe'}, traceparent=TRACE,
                  Command_Id=ID % 3)
        self.shop.wait_until('the shipment', lambda: self.get(
            '/stock/globe')[1].get('shipped') == 2)
        self.assertEqual(self.get('/stock/globe')[1], {
            'sku': 'globe', 'available': 3, 'reserved': 0, 'shipped': 2})
        events = self.shop.acta('read', '--corr', ID % 3)
        self.assertIn('OrderConfirmed', [event['type'] for event in events])
        for event in events:
            self.assertEqual(event['metadata'], {'traceparent': TRACE}, event)

    def test_order_that_is_sold_out_is_cancelled(self):
        self.post('PlaceOrder/h1', BOOK | {'sku': 'unicorn',
                                           'customer': 'hugo'})
        self.shop.wait_until('the end', lambda: any(
            order['state'] == 'cancelled'
            for order in self.get('/orders/hugo')[1]))
        self.assertEqual(self.get('/orders/hugo')[1][0]['reason'], 'sold_out')
        self.assertEqual(self.get('/stock/unicorn')[0], 404)

    def test_port_that_is_in_use_is_told(self):
        with socket.socket() as taken:
            taken.bind(('127.0.0.1', 0))
            taken.listen()
            run = self.shop.run_role('commands', str(taken.getsockname()[1]))
        self.assertEqual(run.returncode, 1)
        self.assertIn('cannot be listened on', run.stderr)

    def test_role_that_there_is_none_of_is_told_which_there_are(self):
        run = self.shop.run_role('cleaning')
        self.assertEqual(run.returncode, 2)
        self.assertIn('fulfilment', run.stderr)


if __name__ == '__main__':
    unittest.main()
