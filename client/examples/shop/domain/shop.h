/* The shop: what it decides, and nothing about where that is stored.
 *
 *     stream        commands                        events
 *
 *     order-ID      PlaceOrder {customer, sku,      OrderPlaced.v2 {customer,
 *                     quantity, cents}                sku, quantity, cents}
 *                   ConfirmOrder                    OrderConfirmed
 *                   CancelOrder {reason}            OrderCancelled {reason}
 *
 *     stock-SKU     ReceiveStock {quantity}         StockReceived {quantity}
 *                   ReserveStock {order, quantity}  StockReserved and
 *                                                   StockDeclined {order,
 *                                                     quantity}
 *                   ReleaseStock {order}            StockReleased {order,
 *                                                     quantity}
 *                   ShipStock {order}               StockShipped {order,
 *                                                     quantity}
 *
 *     payment-ID    RequestPayment {cents}          PaymentRequested {cents}
 *     of an order   ReceivePayment                  PaymentReceived {cents}, or
 *                                                   PaymentReturned {cents} if
 *                                                     it came too late
 *                   RefusePayment {reason}          PaymentRefused {reason}
 *                   CancelPayment                   PaymentCancelled
 *
 * Customers place orders, and the warehouse receives stock. All else follows:
 * fulfilment, a process of each order, reserves its stock, requests its
 * payment, and confirms or cancels it.
 *
 * Events of stock have the tag order:ID, those that place orders customer:NAME.
 *
 * Whoever makes a decider frees it, and upcasters after what uses them. All
 * return NULL if there is no memory.
 */

#ifndef SHOP_SHOP_H
#define SHOP_SHOP_H

#include <acta/acta_process.h>

/* OrderPlaced had {customer, sku, quantity, total} once, with the total in
 * euros, as 12.5.
 */
struct acta_upcasters *shop_upcasters_new(void);

struct acta_decider *order_decider_new(const struct acta_upcasters *upcasters);
struct acta_decider *payment_decider_new(void);
struct acta_decider *stock_decider_new(void);

/* Orders are paid so long after they were placed, or cancelled. */
struct acta_process *fulfilment_new(const struct acta_upcasters *upcasters,
                                    uint64_t *pay_within_ms);

#endif
