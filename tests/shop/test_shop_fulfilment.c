/* How an order goes its way, told without a server. */

#include <acta/acta_kit_process.h>
#include <check.h>

#include "run.h"
#include "shop.h"

#define TWO_BOOKS                                                              \
    "{\"customer\": \"ada\", \"sku\": \"book\", \"quantity\": 2, "             \
    "\"cents\": 1990}"
#define FOR_7 "{\"order\": \"7\", \"quantity\": 2}"

static struct acta_upcasters *upcasters;
static struct acta_process *process;
static struct acta_kit_process *kit;
static uint64_t pay_within_ms = 60000;

static void
begin(void)
{
    upcasters = shop_upcasters_new();
    process = fulfilment_new(upcasters, &pay_within_ms);
    kit = acta_kit_of_process(process);
}

static void
end(void)
{
    acta_kit_process_free(kit);
    acta_process_free(process);
    acta_upcasters_free(upcasters);
}

#define ENDS_WELL() ck_assert_str_eq(acta_kit_process_end(kit), "")

/* An event of an article that is about order 7. */
static void
when_stock(const char *type)
{
    static const char *const tags[] = {"order:7"};
    struct acta_draft draft = acta_draft_of(type, FOR_7, strlen(FOR_7));

    draft.format = ACTA_FORMAT_JSON;
    draft.tags = tags;
    draft.tags_count = 1;
    acta_kit_process_when_event(kit, "stock-book", &draft);
}

static void
requests_payment(void)
{
    acta_kit_process_sends(kit, "command-7", "RequestPayment",
                           "{\"cents\": 1990}");
    acta_kit_process_deadline(kit, "payment", 60000, "PaymentLate", NULL);
}

static void
gives_up(const char *reason)
{
    acta_kit_process_cancels(kit, "payment");
    acta_kit_process_sends(kit, "command-7", "CancelOrder", reason);
    acta_kit_process_sends(kit, "command-book", "ReleaseStock",
                           "{\"order\": \"7\"}");
    acta_kit_process_ends(kit);
}

START_TEST(stock_is_reserved_before_anybody_pays)
{
    acta_kit_process_when(kit, "order-7", "OrderPlaced.v2", TWO_BOOKS);
    acta_kit_process_own(kit, "FulfilmentBegun", TWO_BOOKS);
    acta_kit_process_sends(kit, "command-book", "ReserveStock", FOR_7);
    ENDS_WELL();
}
END_TEST

START_TEST(order_of_the_old_form_goes_the_same_way)
{
    acta_kit_process_given(kit, "order-7", "OrderPlaced",
                           "{\"customer\": \"ada\", \"sku\": \"book\", "
                           "\"quantity\": 2, \"total\": 19.9}");
    when_stock("StockReserved");
    requests_payment();
    ENDS_WELL();
}
END_TEST

START_TEST(order_that_is_sold_out_is_cancelled)
{
    acta_kit_process_given(kit, "order-7", "OrderPlaced.v2", TWO_BOOKS);
    when_stock("StockDeclined");
    acta_kit_process_sends(kit, "command-7", "CancelOrder",
                           "{\"reason\": \"sold_out\"}");
    acta_kit_process_ends(kit);
    ENDS_WELL();
}
END_TEST

START_TEST(order_that_is_paid_is_confirmed_and_shipped)
{
    acta_kit_process_given(kit, "order-7", "OrderPlaced.v2", TWO_BOOKS);
    when_stock("StockReserved");
    requests_payment();
    acta_kit_process_when(kit, "payment-7", "PaymentReceived", NULL);
    acta_kit_process_cancels(kit, "payment");
    acta_kit_process_sends(kit, "command-7", "ConfirmOrder", "{}");
    acta_kit_process_sends(kit, "command-book", "ShipStock",
                           "{\"order\": \"7\"}");
    acta_kit_process_ends(kit);
    ENDS_WELL();
}
END_TEST

START_TEST(order_whose_payment_is_refused_is_cancelled)
{
    acta_kit_process_given(kit, "order-7", "OrderPlaced.v2", TWO_BOOKS);
    when_stock("StockReserved");
    requests_payment();
    acta_kit_process_when(kit, "payment-7", "PaymentRefused", NULL);
    gives_up("{\"reason\": \"payment_refused\"}");
    ENDS_WELL();
}
END_TEST

/* Money may be on its way just then: the payment says whether it is too late.
 */
START_TEST(payment_that_is_late_is_cancelled_and_then_the_order)
{
    acta_kit_process_given(kit, "order-7", "OrderPlaced.v2", TWO_BOOKS);
    when_stock("StockReserved");
    requests_payment();
    acta_kit_process_when_deadline(kit, "7", "payment");
    acta_kit_process_sends(kit, "command-7", "CancelPayment", "{}");
    acta_kit_process_when(kit, "payment-7", "PaymentCancelled", NULL);
    gives_up("{\"reason\": \"not_paid_in_time\"}");
    acta_kit_process_when(kit, "payment-7", "PaymentReturned", NULL);
    ENDS_WELL();
}
END_TEST

START_TEST(payment_that_was_in_time_counts_though_the_deadline_has_passed)
{
    acta_kit_process_given(kit, "order-7", "OrderPlaced.v2", TWO_BOOKS);
    when_stock("StockReserved");
    requests_payment();
    acta_kit_process_when_deadline(kit, "7", "payment");
    acta_kit_process_sends(kit, "command-7", "CancelPayment", "{}");
    acta_kit_process_when(kit, "payment-7", "PaymentReceived", NULL);
    acta_kit_process_cancels(kit, "payment");
    acta_kit_process_sends(kit, "command-7", "ConfirmOrder", "{}");
    acta_kit_process_sends(kit, "command-book", "ShipStock",
                           "{\"order\": \"7\"}");
    acta_kit_process_ends(kit);
    ENDS_WELL();
}
END_TEST

START_TEST(stock_that_nobody_ordered_is_of_no_matter)
{
    when_stock("StockReserved");
    acta_kit_process_ignores(kit);
    ENDS_WELL();
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("shop_fulfilment");
    TCase *tcase = tcase_create("fulfilment");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, stock_is_reserved_before_anybody_pays);
    tcase_add_test(tcase, order_of_the_old_form_goes_the_same_way);
    tcase_add_test(tcase, order_that_is_sold_out_is_cancelled);
    tcase_add_test(tcase, order_that_is_paid_is_confirmed_and_shipped);
    tcase_add_test(tcase, order_whose_payment_is_refused_is_cancelled);
    tcase_add_test(tcase, payment_that_is_late_is_cancelled_and_then_the_order);
    tcase_add_test(
        tcase, payment_that_was_in_time_counts_though_the_deadline_has_passed);
    tcase_add_test(tcase, stock_that_nobody_ordered_is_of_no_matter);
    return run_suite(suite);
}
