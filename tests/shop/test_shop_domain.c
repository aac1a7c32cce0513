/* What the shop decides, told without a server. */

#include <acta/acta_kit.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "run.h"
#include "shop.h"

#define TWO_BOOKS "{\"customer\": \"ada\", \"sku\": \"book\", \"quantity\": 2"
#define PLACED    TWO_BOOKS ", \"cents\": 1990}"
#define FOR_7     "{\"order\": \"7\", \"quantity\": 2}"

static struct acta_upcasters *upcasters;
static struct acta_decider *decider;
static struct acta_kit *kit;

static void
begin(struct acta_decider *of)
{
    decider = of;
    kit = acta_kit_of_decider(decider);
}

static void
begin_order(void)
{
    upcasters = shop_upcasters_new();
    begin(order_decider_new(upcasters));
}

static void
begin_payment(void)
{
    begin(payment_decider_new());
}

static void
begin_stock(void)
{
    begin(stock_decider_new());
}

static void
end(void)
{
    acta_kit_free(kit);
    acta_decider_free(decider);
    acta_upcasters_free(upcasters);
    upcasters = NULL;
}

#define ENDS_WELL() ck_assert_str_eq(acta_kit_end(kit), "")

/* ---- orders ---- */

START_TEST(order_is_placed_for_a_customer)
{
    acta_when(kit, "PlaceOrder", "7", PLACED);
    acta_then(kit, "OrderPlaced.v2", PLACED);
    acta_kit_tag(kit, "customer:ada");
    ENDS_WELL();
}
END_TEST

START_TEST(order_is_placed_once)
{
    acta_given(kit, "OrderPlaced.v2", PLACED);
    acta_when(kit, "PlaceOrder", "7", PLACED);
    acta_then_refused_field(kit, "order_exists", "");
    ENDS_WELL();
}
END_TEST

/* Each with the field that is to blame. */
START_TEST(order_that_cannot_be_is_refused)
{
    static const struct {
        const char *target, *json, *field;
    } wrong[] = {
        {"", PLACED, "order"},
        {"seven and a half", PLACED, "order"},
        {"7", "no JSON", "customer"},
        {"7", "[]", "customer"},
        {"7", "{\"customer\": \"a b\"}", "customer"},
        {"7", "{\"customer\": \"ada\"}", "sku"},
        {"7", "{\"customer\": \"ada\", \"sku\": \"b\"}", "quantity"},
        {"7", "{\"customer\": \"ada\", \"sku\": \"b\", \"quantity\": 101}",
         "quantity"},
        {"7", TWO_BOOKS ", \"cents\": -1}", "cents"},
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char code[40];

        snprintf(code, sizeof(code), "%s_wrong", wrong[i].field);
        acta_when(kit, "PlaceOrder", wrong[i].target, wrong[i].json);
        acta_then_refused_field(kit, code, wrong[i].field);
        ENDS_WELL();
    }
}
END_TEST

START_TEST(order_ends_once)
{
    acta_given(kit, "OrderPlaced.v2", PLACED);
    acta_when(kit, "ConfirmOrder", "7", NULL);
    acta_then(kit, "OrderConfirmed", "{}");
    ENDS_WELL();

    acta_given(kit, "OrderPlaced.v2", PLACED);
    acta_when(kit, "CancelOrder", "7", "{\"reason\": \"sold_out\"}");
    acta_then(kit, "OrderCancelled", "{\"reason\": \"sold_out\"}");
    ENDS_WELL();

    acta_given(kit, "OrderPlaced.v2", PLACED);
    acta_given(kit, "OrderConfirmed", NULL);
    acta_when(kit, "ConfirmOrder", "7", NULL);
    acta_then_nothing(kit);
    ENDS_WELL();

    acta_given(kit, "OrderPlaced.v2", PLACED);
    acta_given(kit, "OrderConfirmed", NULL);
    acta_when(kit, "CancelOrder", "7", NULL);
    acta_then_refused(kit, "order_not_placed");
    ENDS_WELL();

    acta_given(kit, "OrderPlaced.v2", PLACED);
    acta_given(kit, "OrderCancelled", NULL);
    acta_when(kit, "ConfirmOrder", "7", NULL);
    acta_then_refused(kit, "order_not_placed");
    ENDS_WELL();
}
END_TEST

START_TEST(order_of_the_old_form_is_an_order)
{
    acta_given(kit, "OrderPlaced", TWO_BOOKS ", \"total\": 19.9}");
    acta_when(kit, "PlaceOrder", "7", PLACED);
    acta_then_refused(kit, "order_exists");
    ENDS_WELL();
}
END_TEST

START_TEST(old_order_has_euros_and_the_new_one_cents)
{
    static const char old[] = TWO_BOOKS ", \"total\": 19.9}";
    struct acta_upcast *upcast = acta_upcast_new();
    struct acta_event event = {
        .type = "OrderPlaced", .stream = "order-7", .format = ACTA_FORMAT_JSON};
    const struct acta_event *newest;
    struct acta_err err;

    event.data = old;
    event.data_size = strlen(old);
    ck_assert_int_eq(
        acta_upcast_event(upcast, upcasters, &event, &newest, &err), ACTA_OK);
    ck_assert_str_eq(newest->data,
                     "{\"customer\":\"ada\",\"sku\":\"book\",\"quantity\":2,"
                     "\"cents\":1990}");
    event.data = "{}";
    event.data_size = 2;
    ck_assert_int_eq(
        acta_upcast_event(upcast, upcasters, &event, &newest, &err),
        ACTA_CORRUPT);
    acta_upcast_free(upcast);
}
END_TEST

/* ---- payments ---- */

START_TEST(payment_is_requested_once)
{
    acta_when(kit, "RequestPayment", "7", "{\"cents\": 1990}");
    acta_then(kit, "PaymentRequested", "{\"cents\": 1990}");
    ENDS_WELL();

    acta_given(kit, "PaymentRequested", "{\"cents\": 1990}");
    acta_when(kit, "RequestPayment", "7", "{\"cents\": 1990}");
    acta_then_nothing(kit);
    ENDS_WELL();
}
END_TEST

START_TEST(money_is_taken_once)
{
    acta_given(kit, "PaymentRequested", "{\"cents\": 1990}");
    acta_when(kit, "ReceivePayment", "7", NULL);
    acta_then(kit, "PaymentReceived", "{\"cents\": 1990}");
    ENDS_WELL();

    acta_given(kit, "PaymentRequested", "{\"cents\": 1990}");
    acta_given(kit, "PaymentReceived", "{\"cents\": 1990}");
    acta_when(kit, "ReceivePayment", "7", NULL);
    acta_then_nothing(kit);
    ENDS_WELL();
}
END_TEST

START_TEST(money_that_comes_too_late_is_returned_once)
{
    acta_given(kit, "PaymentRequested", "{\"cents\": 1990}");
    acta_given(kit, "PaymentCancelled", NULL);
    acta_when(kit, "ReceivePayment", "7", NULL);
    acta_then(kit, "PaymentReturned", "{\"cents\": 1990}");
    ENDS_WELL();

    acta_given(kit, "PaymentRequested", "{\"cents\": 1990}");
    acta_given(kit, "PaymentCancelled", NULL);
    acta_given(kit, "PaymentReturned", NULL);
    acta_when(kit, "ReceivePayment", "7", NULL);
    acta_then_nothing(kit);
    ENDS_WELL();
}
END_TEST

START_TEST(money_that_was_received_stays)
{
    acta_given(kit, "PaymentRequested", "{\"cents\": 1990}");
    acta_given(kit, "PaymentReceived", "{\"cents\": 1990}");
    acta_when(kit, "CancelPayment", "7", NULL);
    acta_then_nothing(kit);
    ENDS_WELL();

    acta_given(kit, "PaymentRequested", "{\"cents\": 1990}");
    acta_given(kit, "PaymentReceived", "{\"cents\": 1990}");
    acta_when(kit, "RefusePayment", "7", NULL);
    acta_then_refused(kit, "payment_not_due");
    ENDS_WELL();
}
END_TEST

START_TEST(money_that_nobody_asked_for_is_refused)
{
    acta_when(kit, "ReceivePayment", "7", NULL);
    acta_then_refused(kit, "payment_not_due");
    ENDS_WELL();

    acta_given(kit, "PaymentRequested", "{\"cents\": 1990}");
    acta_when(kit, "RefusePayment", "7", "{\"reason\": \"no_cover\"}");
    acta_then(kit, "PaymentRefused", "{\"reason\": \"no_cover\"}");
    ENDS_WELL();

    acta_given(kit, "PaymentRequested", "{\"cents\": 1990}");
    acta_given(kit, "PaymentRefused", NULL);
    acta_when(kit, "ReceivePayment", "7", NULL);
    acta_then_refused(kit, "payment_not_due");
    ENDS_WELL();
}
END_TEST

/* ---- stock ---- */

START_TEST(stock_that_is_there_is_reserved)
{
    acta_given(kit, "StockReceived", "{\"quantity\": 2}");
    acta_when(kit, "ReserveStock", "book", FOR_7);
    acta_then(kit, "StockReserved", FOR_7);
    ENDS_WELL();
}
END_TEST

START_TEST(stock_is_not_reserved_twice)
{
    acta_given(kit, "StockReceived", "{\"quantity\": 3}");
    acta_given(kit, "StockReserved", FOR_7);
    acta_when(kit, "ReserveStock", "book",
              "{\"order\": \"8\", \"quantity\": 2}");
    acta_then(kit, "StockDeclined", "{\"order\": \"8\", \"quantity\": 2}");
    ENDS_WELL();

    acta_given(kit, "StockReceived", "{\"quantity\": 4}");
    acta_given(kit, "StockReserved", FOR_7);
    acta_when(kit, "ReserveStock", "book", FOR_7);
    acta_then_nothing(kit);
    ENDS_WELL();
}
END_TEST

START_TEST(stock_that_is_released_is_there_again)
{
    acta_given(kit, "StockReceived", "{\"quantity\": 2}");
    acta_given(kit, "StockReserved", FOR_7);
    acta_when(kit, "ReleaseStock", "book", "{\"order\": \"7\"}");
    acta_then(kit, "StockReleased", FOR_7);
    ENDS_WELL();

    acta_given(kit, "StockReceived", "{\"quantity\": 2}");
    acta_given(kit, "StockReserved", FOR_7);
    acta_given(kit, "StockReleased", FOR_7);
    acta_when(kit, "ReserveStock", "book",
              "{\"order\": \"8\", \"quantity\": 2}");
    acta_then(kit, "StockReserved", "{\"order\": \"8\", \"quantity\": 2}");
    ENDS_WELL();
}
END_TEST

START_TEST(stock_that_is_shipped_is_gone)
{
    acta_given(kit, "StockReceived", "{\"quantity\": 2}");
    acta_given(kit, "StockReserved", FOR_7);
    acta_when(kit, "ShipStock", "book", "{\"order\": \"7\"}");
    acta_then(kit, "StockShipped", FOR_7);
    ENDS_WELL();

    acta_given(kit, "StockReceived", "{\"quantity\": 2}");
    acta_given(kit, "StockReserved", FOR_7);
    acta_given(kit, "StockShipped", FOR_7);
    acta_when(kit, "ReleaseStock", "book", "{\"order\": \"7\"}");
    acta_then_nothing(kit);
    ENDS_WELL();
}
END_TEST

START_TEST(stock_is_received_in_whole_pieces)
{
    acta_when(kit, "ReceiveStock", "book", "{\"quantity\": 5}");
    acta_then(kit, "StockReceived", "{\"quantity\": 5}");
    ENDS_WELL();

    acta_when(kit, "ReceiveStock", "book", "{\"quantity\": -5}");
    acta_then_refused_field(kit, "quantity_wrong", "quantity");
    ENDS_WELL();
}
END_TEST

/* Enough of them, from a snapshot too. */
START_TEST(each_reservation_is_kept_by_itself)
{
    char json[60];

    acta_given(kit, "StockReceived", "{\"quantity\": 400}");
    for (int i = 0; i < 200; i++) {
        snprintf(json, sizeof(json), "{\"order\": \"%d\", \"quantity\": 2}", i);
        acta_given(kit, "StockReserved", json);
    }
    acta_when(kit, "ReserveStock", "book",
              "{\"order\": \"x\", \"quantity\": 1}");
    acta_then(kit, "StockDeclined", "{\"order\": \"x\", \"quantity\": 1}");
    ENDS_WELL();
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("shop_domain");
    TCase *order = tcase_create("order");
    TCase *payment = tcase_create("payment");
    TCase *stock = tcase_create("stock");

    suite_add_tcase(suite, order);
    tcase_add_checked_fixture(order, begin_order, end);
    tcase_add_test(order, order_is_placed_for_a_customer);
    tcase_add_test(order, order_is_placed_once);
    tcase_add_test(order, order_that_cannot_be_is_refused);
    tcase_add_test(order, order_ends_once);
    tcase_add_test(order, order_of_the_old_form_is_an_order);
    tcase_add_test(order, old_order_has_euros_and_the_new_one_cents);

    suite_add_tcase(suite, payment);
    tcase_add_checked_fixture(payment, begin_payment, end);
    tcase_add_test(payment, payment_is_requested_once);
    tcase_add_test(payment, money_is_taken_once);
    tcase_add_test(payment, money_that_comes_too_late_is_returned_once);
    tcase_add_test(payment, money_that_was_received_stays);
    tcase_add_test(payment, money_that_nobody_asked_for_is_refused);

    suite_add_tcase(suite, stock);
    tcase_add_checked_fixture(stock, begin_stock, end);
    tcase_add_test(stock, stock_that_is_there_is_reserved);
    tcase_add_test(stock, stock_is_not_reserved_twice);
    tcase_add_test(stock, stock_that_is_released_is_there_again);
    tcase_add_test(stock, stock_that_is_shipped_is_gone);
    tcase_add_test(stock, stock_is_received_in_whole_pieces);
    tcase_add_test(stock, each_reservation_is_kept_by_itself);
    return run_suite(suite);
}
