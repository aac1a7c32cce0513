/* Orders by customer, in a file of SQLite: written by the role orders, read by
 * queries.
 */

#ifndef SHOP_ORDERS_H
#define SHOP_ORDERS_H

#include <acta/acta_event.h>
#include <jansson.h>

#define ORDERS_NAME "shop-orders" /* Of the projection. */

/* The orders of a customer, as a list; freed with json_decref(). NULL if it
 * fails. IO: there is no model yet.
 */
json_t *orders_of(const char *file, const char *customer, struct acta_err *err);

#endif
